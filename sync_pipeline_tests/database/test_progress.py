"""Watermarks: how readings were proven, and what of them is due."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.warehouse.progress import (
    Due,
    Proof,
    Reason,
    ScopeProgress,
    count_deferred,
    count_proofs,
    is_scope_due,
    proof_of,
    record_progress,
    stale_details,
)
from sync_pipeline_tests.database.readings import at, rows

WATERMARKS = "SELECT scope, proof, proven_at, reason, read_at FROM ops.watermarks ORDER BY scope"
NOW = at(10)


def proven(scope: str, hours: float, *, due: float = 99) -> ScopeProgress:
    return ScopeProgress(scope, Proof.SINGLE_RESPONSE, None, at(hours), at(due))


def incomplete(
    scope: str, hours: float, *, due: float = 99, reason: Reason = Reason.ORDER_NOT_PROVEN
) -> ScopeProgress:
    return ScopeProgress(scope, Proof.INCOMPLETE, reason, at(hours), at(due))


def record(engine: Engine, *readings: ScopeProgress) -> None:
    with engine.begin() as connection:
        record_progress(connection, CRMCOM_CONTACTS, readings)


def test_nothing_read_records_nothing(engine: Engine) -> None:
    record(engine)
    assert rows(engine, WATERMARKS) == []


def test_each_scope_has_its_last_reading(engine: Engine) -> None:
    record(engine, proven("b", 1), incomplete("a", 2))
    record(engine, proven("a", 3))
    assert rows(engine, WATERMARKS) == [
        ("a", "single_response", at(3), None, at(3)),
        ("b", "single_response", at(1), None, at(1)),
    ]


def test_a_later_incomplete_reading_does_not_take_the_proof_back(engine: Engine) -> None:
    record(engine, proven("a", 1))
    record(engine, incomplete("a", 2, reason=Reason.DENIED))
    assert rows(engine, WATERMARKS) == [("a", "incomplete", at(1), "denied", at(2))]


@pytest.mark.parametrize("older", [incomplete("a", 1), proven("a", 1)])
def test_an_older_reading_changes_nothing(engine: Engine, older: ScopeProgress) -> None:
    record(engine, proven("a", 2))
    before = rows(engine, "SELECT * FROM ops.watermarks")
    record(engine, older)
    assert rows(engine, "SELECT * FROM ops.watermarks") == before


def test_of_two_readings_of_a_scope_in_a_batch_the_later_counts(engine: Engine) -> None:
    record(engine, proven("a", 2), incomplete("a", 1))
    assert rows(engine, WATERMARKS) == [("a", "single_response", at(2), None, at(2))]


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ("'single_response', NULL, NULL", "a_proof_has_its_time"),
        ("'incomplete', NULL, NULL", "incomplete_has_a_reason"),
        ("'single_response', now(), 'why'", "incomplete_has_a_reason"),
        ("'guessed', now(), NULL", "watermarks_proof_check"),
    ],
)
def test_the_database_refuses_a_proof_that_is_none(
    engine: Engine, values: str, constraint: str
) -> None:
    columns = "source, entity, scope, read_at, due_at, proof, proven_at, reason"
    insert = f"INSERT INTO ops.watermarks ({columns}) VALUES ('s', 'e', '', now(), now(), {values})"
    with engine.connect() as connection, pytest.raises(IntegrityError, match=constraint):
        connection.execute(text(insert))


def test_proofs_are_counted_by_kind_and_reason(engine: Engine) -> None:
    record(
        engine,
        proven("a", 1),
        proven("b", 1),
        incomplete("c", 1),
        incomplete("d", 1, reason=Reason.DENIED, due=9_999_999),
        incomplete("e", 1, reason=Reason.DENIED, due=2),
        incomplete("f", 1, reason=Reason.NOT_FOUND, due=9_999_999),
    )
    with engine.begin() as connection:
        assert count_proofs(connection, CRMCOM_CONTACTS) == {
            "single_response": 2,
            "incomplete: order not proven": 1,
            "incomplete: denied": 2,
            "incomplete: not found": 1,
        }
        # Those that are due again do not wait any more; what is unknown and unlisted is no gap.
        deferred = count_deferred(connection, CRMCOM_CONTACTS)
        assert deferred == {Reason.DENIED: 1}
        assert count_proofs(connection, CRMCOM_COMMUNICATIONS) == {}
        assert proof_of(connection, CRMCOM_CONTACTS, "a") is Proof.SINGLE_RESPONSE
        assert proof_of(connection, CRMCOM_CONTACTS, "c") is Proof.INCOMPLETE
        assert proof_of(connection, CRMCOM_CONTACTS, "unknown") is None


@pytest.mark.parametrize(
    ("reading", "due", "is_due"),
    [
        (None, Due(NOW), True),
        (None, Due(NOW, as_of=NOW), True),
        (proven("", 1, due=10), Due(NOW), True),
        (proven("", 1, due=10.1), Due(NOW), False),
        (proven("", 1, due=99), Due(NOW, as_of=at(2)), True),
        (proven("", 2, due=1), Due(NOW, as_of=at(2)), False),
    ],
)
def test_a_scope_is_due_by_its_time_or_if_it_was_not_read_since(
    engine: Engine, reading: ScopeProgress | None, due: Due, *, is_due: bool
) -> None:
    record(engine, *([reading] if reading else []))
    with engine.begin() as connection:
        assert is_scope_due(connection, CRMCOM_CONTACTS, "", due) is is_due
        assert is_scope_due(connection, CRMCOM_COMMUNICATIONS, "", due)


def test_a_detail_is_stale_when_it_was_not_proven_since(engine: Engine) -> None:
    record(engine, proven("old", 1), proven("new", 5), incomplete("never", 6))
    with engine.begin() as connection:
        asked = ["old", "new", "never", "unknown"]
        stale = stale_details(connection, CRMCOM_CONTACTS, asked, since=at(5))
        assert stale == {"old", "never", "unknown"}
