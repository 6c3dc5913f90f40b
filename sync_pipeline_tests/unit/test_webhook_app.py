"""What works beside the requests goes on, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sync_pipeline.webhooks import app
from sync_pipeline.webhooks.app import carried_on


def test_work_that_a_defect_ends_is_begun_again_and_its_text_is_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "_BEGIN_AGAIN_AFTER_S", 0.0)
    begun: list[int] = []

    async def carry_on() -> None:
        is_going = asyncio.Event()

        async def work() -> None:
            begun.append(len(begun))
            if len(begun) < 3:
                raise KeyError("anna@example.com")
            is_going.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(carried_on(work))
        await is_going.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.ERROR):
        asyncio.run(carry_on())

    assert begun == [0, 1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert all("begun again after KeyError" in record.message for record in caplog.records)
    assert "anna" not in caplog.text
