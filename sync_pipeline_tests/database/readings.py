"""Readings of records, loaded as a run would load them, and what the tables then hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.records import Record
from sync_pipeline.warehouse.hashes import raw_hash
from sync_pipeline.warehouse.load import Loaded, load
from sync_pipeline_tests.canonical import record

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """Return the instant that many hours into the story."""
    return START + timedelta(hours=hours)


def contact(record_id: str, raw: str, *, hours: float, scope: str | None = None) -> Record:
    """Return a reading of a contact."""
    hashed = raw_hash(raw.encode(), context="", version=1)
    read = record(raw, record_id=record_id, scope=scope)
    return replace(read, raw_hash=hashed, observed_at=at(hours))


def named(record_id: str, first_name: str, *, hours: float, scope: str | None = None) -> Record:
    """Return a reading of a contact that has a first name and nothing else."""
    return contact(record_id, f'{{"first_name":"{first_name}"}}', hours=hours, scope=scope)


def load_contacts(connection: Connection, records: Iterable[Record], run_id: str = "run") -> Loaded:
    """Normalise and load readings of contacts in the caller's transaction."""
    normalised = normalise_contacts(records)
    assert normalised.rejects == []
    return load(connection, CRMCOM_CONTACTS, normalised.frame, run_id=run_id)


def commit_contacts(engine: Engine, *records: Record, run_id: str = "run") -> Loaded:
    """Normalise, load and commit readings of contacts."""
    with engine.begin() as connection:
        return load_contacts(connection, records, run_id)


def rows(engine: Engine, query: str, **parameters: object) -> list[tuple[object, ...]]:
    """Return the answer to a query."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), parameters)]


def rows_by_name(engine: Engine, query: str, **parameters: object) -> list[Mapping[str, object]]:
    """Return the answer to a query, each row by column name."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query), parameters).mappings()]


def names(engine: Engine) -> dict[object, object]:
    """Return the first name of each current contact."""
    query = "SELECT contact_id, first_name FROM warehouse.contacts"
    return {contact_id: name for contact_id, name, *_ in rows(engine, query)}


@contextmanager
def in_another_session(
    engine: Engine, act: Callable[[Connection], object]
) -> Iterator[Callable[[], object]]:
    """Act in a transaction of another session, and go on once that one waits for a lock.

    Yields a function that returns what the act returned, when it was let go.
    """
    outcome: list[object] = []
    with engine.connect() as other:
        pid = other.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other.rollback()

        def run() -> None:
            try:
                with other.begin():
                    outcome.append(act(other))
            except Exception as exc:  # noqa: BLE001 -- shown to the test
                outcome.append(exc)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            _await(lambda: outcome or rows(engine, "SELECT pg_blocking_pids(:p)", p=pid) != [([],)])
            assert outcome == []
            yield lambda: _result(thread, outcome)
        except BaseException:
            rows(engine, "SELECT pg_cancel_backend(:p)", p=pid)
            raise
        finally:
            thread.join(60)


def _result(thread: threading.Thread, outcome: list[object]) -> object:
    thread.join(60)
    (result,) = outcome
    if isinstance(result, Exception):
        raise result
    return result


def _await(condition: Callable[[], object]) -> None:
    """Poll, with a bound that only a broken test reaches."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
