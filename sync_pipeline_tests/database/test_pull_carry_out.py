"""Reading and loading side by side: how they end when both fail at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import WarehouseError
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.carry_out import BATCH_ROWS, carry_out
from sync_pipeline.pull.reading import PullRequest, Reading
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.records import Record
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.progress import Due, Proof
from sync_pipeline.warehouse.runs import RunKey
from sync_pipeline_tests.pull_vendors import Vendors

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# A run that hangs does so for ever.
PATIENCE_S = 20.0


def test_a_warehouse_that_fails_the_readers_and_the_load_at_once_ends_the_run(
    engine: Engine, vendors: Vendors
) -> None:
    request = PullRequest(Due(NOW), slice_s=60)
    context = Context(CRMCOM_CONTACTS, request, vendors.settings(), engine)
    work = Work(2, scopes=each("filling", "waiting"), read=read)

    async def carry_out_in_time(loader: Loader) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await carry_out(context, work, loader, meter=Meter())

    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.commit()
        end_session(engine, pid)
        loader = Loader(connection, RunKey("run", CRMCOM_CONTACTS))
        with pytest.raises(WarehouseError, match="the connection broke"):
            asyncio.run(carry_out_in_time(loader))


async def each(*scopes: str) -> AsyncIterator[str]:
    for scope in scopes:
        yield scope


async def read(scope: str) -> AsyncIterator[Reading]:
    """Fill the queue; the other one waits for the warehouse, and fails as it is called off."""
    if scope == "waiting":
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as exc:
            raise WarehouseError("the connection broke here as well") from exc
    for part in range(3):
        name = f"{scope} {part}"
        records = [Record(f"{name} {n}", name, b"{}", b"", b"", NOW) for n in range(BATCH_ROWS)]
        yield Reading(name, Proof.SINGLE_RESPONSE, None, NOW, NOW, records=records)


def end_session(engine: Engine, pid: int | None) -> None:
    with engine.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
