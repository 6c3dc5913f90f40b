"""The record of runs, and the locks that say which of them live."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.warehouse.locks import hold_run, is_locked, try_lock
from sync_pipeline.warehouse.progress import Reason
from sync_pipeline.warehouse.runs import (
    BatchCounts,
    RunKey,
    Traffic,
    abandon_runs,
    abandoned_among,
    begin_run,
    count_batch,
    find_run,
    finish_run,
    note_deferred,
    plan_run,
)
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.waiting import eventually

KEY = RunKey("run-1", CRMCOM_CONTACTS)
EVERY_KIND = BatchCounts(
    inserted=1,
    updated=2,
    unchanged=3,
    duplicate=4,
    outdated=5,
    quarantined=6,
    ignored=7,
    scopes_read=8,
    scopes_incomplete=2,
    scopes_denied=1,
)


def begin(connection: Connection, *run_ids: str) -> None:
    for run_id in run_ids:
        begin_run(connection, RunKey(run_id, CRMCOM_CONTACTS), cause="pull")


def test_a_run_is_begun_counted_batch_by_batch_and_finished(engine: Engine) -> None:
    with engine.begin() as connection:
        begin(connection, "run-1")
        plan_run(connection, KEY, scopes_total=20)
        count_batch(connection, KEY, EVERY_KIND, Traffic(10, 1, 1000))
        count_batch(connection, KEY, EVERY_KIND, Traffic(25, 2, 2500))
        note_deferred(connection, KEY, {Reason.DENIED: 9, Reason.NOT_FOUND: 3})
        finish_run(connection, KEY, Traffic(26, 2, 2600), is_complete=True)
        row = find_run(connection, KEY)
    assert row is not None
    counts = {name: value for name, value in row.items() if isinstance(value, int) and value}
    assert counts == {
        "is_complete": True,
        "rows_read": 56,
        "rows_inserted": 2,
        "rows_updated": 4,
        "rows_unchanged": 6,
        "rows_duplicate": 8,
        "rows_outdated": 10,
        "rows_ignored": 14,
        "rows_quarantined": 12,
        "scopes_total": 20,
        "scopes_read": 16,
        "scopes_incomplete": 4,
        "scopes_denied": 9,
        "requests": 26,
        "retries": 2,
        "bytes_read": 2600,
    }
    known = ("run_id", "source", "entity", "cause", "outcome", "error")
    assert [row[name] for name in known] == [
        "run-1", "crmcom", "contacts", "pull", "succeeded", None,
    ]  # fmt: skip
    assert row["finished_at"] is not None


def test_a_run_that_fails_says_why(engine: Engine) -> None:
    with engine.begin() as connection:
        begin(connection, "run-1")
        finish_run(connection, KEY, Traffic(), is_complete=False, error="the API is away")
    query = "SELECT outcome, is_complete, error, requests FROM ops.sync_runs"
    assert rows(engine, query) == [("failed", False, "the API is away", 0)]


def test_a_run_begun_again_goes_on_counting(engine: Engine) -> None:
    with engine.begin() as connection:
        begin(connection, "run-1")
        count_batch(connection, KEY, BatchCounts(inserted=5), Traffic())
        finish_run(connection, KEY, Traffic(), is_complete=False, error="the API is away")
        begin(connection, "run-1")
        count_batch(connection, KEY, BatchCounts(inserted=1), Traffic())
    query = "SELECT outcome, error, finished_at, rows_inserted, rows_read FROM ops.sync_runs"
    assert rows(engine, query) == [("running", None, None, 6, 6)]


def test_what_is_known_of_no_run_is_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        assert find_run(connection, KEY) is None


def test_batch_counts_add_up_field_by_field() -> None:
    assert EVERY_KIND + BatchCounts() == EVERY_KIND
    assert BatchCounts(inserted=1) + BatchCounts(ignored=2) == BatchCounts(inserted=1, ignored=2)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("rows_read = 1", "rows_read_is_the_sum_of_its_parts"),
        ("rows_inserted = 1", "rows_read_is_the_sum_of_its_parts"),
        ("outcome = 'succeeded'", "finished_when_not_running"),
        ("finished_at = now()", "finished_when_not_running"),
        ("outcome = 'perhaps', finished_at = now()", "sync_runs_outcome_check"),
    ],
)
def test_the_database_refuses_counts_that_do_not_add_up(
    engine: Engine, change: str, constraint: str
) -> None:
    with engine.connect() as connection:
        begin(connection, "run-1")
        with pytest.raises(IntegrityError, match=constraint):
            connection.execute(text(f"UPDATE ops.sync_runs SET {change}"))


def test_a_run_is_abandoned_when_its_session_is_gone_and_not_before(engine: Engine) -> None:
    with engine.begin() as connection:
        begin(connection, "dead", "alive", "done")
        finish_run(connection, RunKey("done", CRMCOM_CONTACTS), Traffic(), is_complete=True)
        begin_run(connection, RunKey("dead", CRMCOM_COMMUNICATIONS), cause="pull")
    with engine.connect() as alive:
        hold_run(alive, "alive", CRMCOM_CONTACTS)
        # The same run id in another stream is another run.
        hold_run(alive, "dead", CRMCOM_COMMUNICATIONS)
        with engine.begin() as connection:
            assert abandon_runs(connection, CRMCOM_CONTACTS) == ["dead"]
            assert abandon_runs(connection, CRMCOM_CONTACTS) == []
        alive.invalidate()
    query = "SELECT run_id, entity, outcome, finished_at IS NULL FROM ops.sync_runs ORDER BY 1, 2"
    assert rows(engine, query) == [
        ("alive", "contacts", "running", True),
        ("dead", "communications", "running", True),
        ("dead", "contacts", "abandoned", False),
        ("done", "contacts", "succeeded", False),
    ]

    def is_abandoned() -> bool:
        with engine.begin() as connection:
            return abandon_runs(connection, CRMCOM_CONTACTS) == ["alive"]

    # The server takes a moment to notice that a session has ended.
    eventually(is_abandoned)


def test_a_dagster_run_has_died_when_one_of_its_streams_did_and_none_is_running(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        begin(connection, "dead", "half", "fine")
        abandon_runs(connection, CRMCOM_CONTACTS)
        begin(connection, "fine")
        begin_run(connection, RunKey("half", CRMCOM_COMMUNICATIONS), cause="pull")
        asked = ["dead", "half", "fine", "unknown"]
        assert abandoned_among(connection, asked) == ["dead"]


def test_a_stream_has_one_sweeper_and_its_lock_ends_with_the_session(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        assert not is_locked(other, CRMCOM_CONTACTS)
        other.rollback()
        assert try_lock(one, CRMCOM_CONTACTS)
        one.rollback()
        assert not try_lock(other, CRMCOM_CONTACTS)
        assert is_locked(other, CRMCOM_CONTACTS)
        assert try_lock(other, CRMCOM_COMMUNICATIONS)
        assert try_lock(other, CRMCOM_CONTACTS, "a-scope")
        other.rollback()
        assert not try_lock(one, CRMCOM_CONTACTS, "a-scope")
        one.invalidate()
        # The server takes a moment to notice that a session has ended.
        eventually(lambda: try_lock(other, CRMCOM_CONTACTS))
        other.invalidate()


def test_asking_whether_a_stream_is_locked_keeps_nobody_off_it_afterwards(engine: Engine) -> None:
    with engine.connect() as asking, engine.connect() as sweeping:
        with asking.begin():
            assert not is_locked(asking, CRMCOM_CONTACTS)
        assert try_lock(sweeping, CRMCOM_CONTACTS)
        sweeping.invalidate()
