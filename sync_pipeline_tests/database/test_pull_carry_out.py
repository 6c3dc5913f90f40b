"""Reading, normalising and loading side by side: what is loaded, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import WarehouseError
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.carry_out import carry_out
from sync_pipeline.pull.normalising import Batch, batch_of
from sync_pipeline.pull.reading import PullRequest, Reading
from sync_pipeline.pull.reading_queue import BATCH_ROWS
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.records import Record
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.load import rows_of
from sync_pipeline.warehouse.progress import Due, Proof
from sync_pipeline.warehouse.runs import BatchCounts, RunKey, Traffic, begin_run
from sync_pipeline_tests.database.readings import commit_contacts, named, rows
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


VALUES = """
    SELECT contact_id, first_name, attributes, encode(raw_hash, 'hex'), encode(content_hash, 'hex'),
           observed_at, cause
    FROM warehouse.contacts ORDER BY contact_id
"""
PAGES = [
    [named("b", "Bea", hours=1), named("a", "Ann", hours=1)],
    [named("b", "Later", hours=2), named("c", "Cid", hours=2)],
]


@pytest.mark.parametrize("is_ahead", [False, True])
def test_a_batch_holds_one_row_a_key_whether_it_was_normalised_ahead_or_not(
    engine: Engine, *, is_ahead: bool
) -> None:
    counts = loaded(engine, "run", batch_of(CRMCOM_CONTACTS, readings(), is_ahead=is_ahead))

    assert (counts.inserted, counts.duplicate, counts.unchanged) == (3, 1, 0)
    expected = [PAGES[0][1], PAGES[1][0], PAGES[1][1]]
    assert rows(engine, VALUES) == [
        *zip(
            ("a", "b", "c"),
            ("Ann", "Later", "Cid"),
            ({}, {}, {}),
            [record.raw_hash and record.raw_hash.hex() for record in expected],
            content_hashes_of(expected),
            [record.observed_at for record in expected],
            ("source", "source", "source"),
            strict=True,
        )
    ]


def test_what_came_into_the_table_since_it_was_normalised_is_not_inserted_twice(
    engine: Engine,
) -> None:
    ahead = batch_of(CRMCOM_CONTACTS, readings(), is_ahead=True)
    commit_contacts(engine, named("b", "Much later", hours=9))

    counts = loaded(engine, "run", ahead)

    assert (counts.inserted, counts.outdated) == (2, 1)
    names = "SELECT contact_id, first_name FROM warehouse.contacts ORDER BY 1"
    assert rows(engine, names) == [("a", "Ann"), ("b", "Much later"), ("c", "Cid")]


def readings() -> list[Reading]:
    return [
        Reading("", Proof.SINGLE_RESPONSE, None, NOW, NOW, records=records) for records in PAGES
    ]


def loaded(engine: Engine, run_id: str, batch: Batch) -> BatchCounts:
    key = RunKey(run_id, CRMCOM_CONTACTS)
    with engine.connect() as connection:
        begin_run(connection, key, cause="pull")
        connection.commit()
        return Loader(connection, key).load_batch(batch, Traffic())


def content_hashes_of(records: list[Record]) -> list[str]:
    found = rows_of(CRMCOM_CONTACTS.entity, normalise_contacts(records).frame)
    return [hashed.hex() for hashed in found["content_hash"].to_pylist()]
