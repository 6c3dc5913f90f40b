"""Events that wait for their commit: how many may, and what becomes of the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from sync_pipeline.records import Event
from sync_pipeline.webhooks.group_commit import AwayError, GroupCommit

MIB = 1024 * 1024


def event(size: int) -> Event:
    return Event("rocs", "other", "other", None, b" " * size, None)


def test_of_large_events_fewer_wait_and_the_rest_are_told_to_come_again() -> None:
    async def receive() -> list[str]:
        may_store, stored = threading.Event(), list[int]()

        def store(events: Sequence[Event]) -> None:
            may_store.wait()
            stored.extend(len(one.payload_raw) for one in events)

        inbox = GroupCommit(store)
        work = asyncio.create_task(inbox.work())
        puts = [asyncio.create_task(inbox.put(event(MIB))) for _ in range(100)]
        await asyncio.wait(puts, return_when=asyncio.FIRST_COMPLETED)
        may_store.set()
        ends = await asyncio.gather(*puts, return_exceptions=True)
        await inbox.put(event(MIB))
        work.cancel()
        assert len(stored) == ends.count(None) + 1
        return ["stored" if end is None else type(end).__name__ for end in ends]

    # What 64 MiB hold; a hundred of the longest would be as much again with their texts.
    assert asyncio.run(receive()) == ["stored"] * 64 + [AwayError.__name__] * 36


def test_an_event_that_is_not_stored_in_time_is_told_to_come_again() -> None:
    async def receive() -> None:
        inbox = GroupCommit(lambda _: None, patience_s=0.01)
        with pytest.raises(AwayError):
            await inbox.put(event(1))

    asyncio.run(receive())
