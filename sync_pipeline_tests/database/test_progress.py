"""Watermarks: how readings were proven, and which contacts are due in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.warehouse.progress import (
    BEFORE_ALL,
    DEFERRED,
    Due,
    DueContact,
    Proof,
    Reason,
    ScopeProgress,
    count_deferred,
    count_due_contacts,
    count_proofs,
    due_contacts,
    is_scope_due,
    proof_of,
    record_progress,
    stale_details,
)
from sync_pipeline.warehouse.registry import register_contacts
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
    insert = f"INSERT INTO ops.watermarks ({columns}) VALUES ('s', 'e', '', now(), now(), {values})"  # noqa: S608 -- constants
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
        # Those that are due again do not wait any more.
        deferred = count_deferred(connection, CRMCOM_CONTACTS)
        assert deferred == {Reason.DENIED: 1, Reason.NOT_FOUND: 1}
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


def test_due_contacts_come_by_priority_and_then_the_longest_due(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = ["never-2", "never-1", "late", "later", "hinted", "not due"]
        register_contacts(connection, ids, origin="file", seen_at=at(0))
        readings = [proven("late", 1, due=5), proven("later", 1, due=4), proven("hinted", 1, due=9)]
        record_progress(connection, CRMCOM_CONTACTS, [*readings, proven("not due", 1, due=11)])
        connection.execute(
            text("UPDATE ops.contact_registry SET priority = 5 WHERE contact_id = 'hinted'")
        )
        found = due_contacts(connection, CRMCOM_CONTACTS, Due(NOW), after=None, most=9)
    assert found == [
        DueContact("hinted", at(9), -5),
        DueContact("never-1", BEFORE_ALL),
        DueContact("never-2", BEFORE_ALL),
        DueContact("later", at(4)),
        DueContact("late", at(5)),
    ]


@dataclass(frozen=True)
class Known:
    """What is known of one contact: its priority, and its last reading if there was one."""

    priority: int
    reading: tuple[int, int, Reason | None] | None

    def progress(self, contact_id: str) -> list[ScopeProgress]:
        if self.reading is None:
            return []
        read, due, reason = self.reading
        if reason is None:
            return [proven(contact_id, read, due=due)]
        return [incomplete(contact_id, read, due=due, reason=reason)]

    def is_due(self, as_of: int | None) -> bool:
        if self.reading is None:
            return True
        read, due, reason = self.reading
        is_time = at(due) <= NOW
        return is_time if as_of is None else read < as_of and (reason not in DEFERRED or is_time)


READINGS = st.tuples(st.integers(0, 4), st.integers(8, 12), st.sampled_from([None, *Reason]))
CONTACTS = st.lists(st.builds(Known, st.integers(-1, 1), st.none() | READINGS), max_size=12)


def test_chunks_name_every_due_contact_once_and_in_order(engine: Engine) -> None:
    @settings(max_examples=40)
    @given(CONTACTS, st.none() | st.integers(0, 5), st.integers(1, 5), st.randoms())
    def walk(known: list[Known], as_of: int | None, most: int, chance: random.Random) -> None:
        contacts = {f"c-{number:02d}": contact for number, contact in enumerate(known)}
        chance.shuffle(ids := list(contacts))
        due = Due(NOW, None if as_of is None else at(as_of))
        with engine.connect() as connection, connection.begin() as transaction:
            _know(connection, {contact_id: contacts[contact_id] for contact_id in ids})
            total = count_due_contacts(connection, CRMCOM_CONTACTS, due)
            chunks = list(_chunks(connection, due, most))
            transaction.rollback()
        found = [contact for chunk in chunks for contact in chunk]
        expected = {c for c, contact in contacts.items() if contact.is_due(as_of)}
        assert sorted(c.contact_id for c in found) == sorted(expected)
        assert total == len(found)
        assert found == sorted(found, key=lambda c: (c.rank, c.due, c.contact_id))
        assert all(len(chunk) <= most for chunk in chunks)

    walk()


def test_a_contact_that_is_read_meanwhile_shifts_no_other_out(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = [f"c-{number}" for number in range(7)]
        register_contacts(connection, ids, origin="file", seen_at=at(0))
        seen: list[str] = []
        for chunk in _chunks(connection, Due(NOW), 2):
            seen += [contact.contact_id for contact in chunk]
            readings = [proven(contact.contact_id, 10, due=20) for contact in chunk]
            record_progress(connection, CRMCOM_CONTACTS, readings)
    assert seen == ids


def _know(connection: Connection, contacts: dict[str, Known]) -> None:
    register_contacts(connection, list(contacts), origin="file", seen_at=at(0))
    readings = [r for contact_id, known in contacts.items() for r in known.progress(contact_id)]
    record_progress(connection, CRMCOM_CONTACTS, readings)
    for contact_id, known in contacts.items():
        connection.execute(
            text("UPDATE ops.contact_registry SET priority = :p WHERE contact_id = :c"),
            {"p": known.priority, "c": contact_id},
        )


def _chunks(connection: Connection, due: Due, most: int) -> Iterator[Sequence[DueContact]]:
    last: DueContact | None = None
    while chunk := due_contacts(connection, CRMCOM_CONTACTS, due, after=last, most=most):
        assert last not in chunk
        yield chunk
        last = chunk[-1]
