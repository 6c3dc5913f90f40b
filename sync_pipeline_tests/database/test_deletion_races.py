"""Deletion beside other readings, and when it is cut short: what was seen last is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.warehouse import missed
from sync_pipeline.warehouse.absences import (
    Absence,
    Candidates,
    Confirmation,
    RecordAnswer,
    absences_to_confirm,
    forget_absences,
    note_confirmations,
)
from sync_pipeline.warehouse.deletion import delete_confirmed, hold_confirmed
from sync_pipeline.warehouse.load import Loaded
from sync_pipeline.warehouse.missed import Missed, ProvenList, note_absences, note_missed
from sync_pipeline.warehouse.progress import BEFORE_ALL
from sync_pipeline_tests.database.readings import (
    START,
    at,
    commit_contacts,
    in_another_session,
    load_contacts,
    named,
    rows,
)
from sync_pipeline_tests.database.test_pull_runs import pulling_child
from sync_pipeline_tests.pull_vendors import NOT_FOUND, SELF_SERVICE, Vendors
from sync_pipeline_tests.pulls import Pulls
from sync_pipeline_tests.scripted_server import Received, Scripted

STANDING = "SELECT contact_id, cause, deleted_at, observed_at FROM warehouse.contacts ORDER BY 1"
VERSIONS = """
    SELECT first_name, cause, deleted_at, valid_from, valid_to
    FROM warehouse.contacts_versions ORDER BY valid_from
"""
ALL = Candidates(CRMCOM_CONTACTS, BEFORE_ALL, can_ask=True)


@dataclass(frozen=True, slots=True)
class Held:
    """The keys that a list named."""

    keys: frozenset[str]

    def holds(self, marks: Sequence[str]) -> list[bool]:
        return [mark in self.keys for mark in marks]


def read_list(hours: float, *keys: str, scope: str = "") -> ProvenList:
    return ProvenList(scope, at(hours), Held(frozenset(keys)))


def candidates(engine: Engine) -> list[tuple[object, ...]]:
    query = "SELECT record_id, scope, missed_at, missed_again_at FROM ops.absences ORDER BY 1"
    return rows(engine, query)


def confirm(connection: Connection, record_id: str, *, hours: float) -> None:
    """Make a candidate of a contact, and let the source say at that hour that it is gone."""
    note_missed(connection, CRMCOM_CONTACTS, [Missed(record_id, record_id, at(hours))])
    gone = Confirmation(record_id, RecordAnswer.GONE, at(hours), at(hours))
    note_confirmations(connection, CRMCOM_CONTACTS, [gone])


def delete(connection: Connection) -> int:
    hold_confirmed(connection, ALL)
    return delete_confirmed(connection, ALL, run_id="closing")


def deleted_at(engine: Engine, record_id: str, *, hours: float) -> None:
    with engine.begin() as connection:
        confirm(connection, record_id, hours=hours)
        assert delete(connection) == 1


def test_a_deletion_and_a_revival_are_versions_in_the_order_of_time(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    deleted_at(engine, "a", hours=2)

    assert commit_contacts(engine, named("a", "Anna", hours=3)) == Loaded(updated=1)

    assert rows(engine, VERSIONS) == [
        ("Anna", "source", None, at(1), at(2)),
        ("Anna", "deleted", at(2), at(2), at(3)),
        ("Anna", "revived", None, at(3), None),
    ]


@pytest.mark.parametrize("hours", [1.5, 2])
def test_a_reading_from_before_the_deletion_revives_nothing(engine: Engine, hours: float) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    deleted_at(engine, "a", hours=2)

    assert commit_contacts(engine, named("a", "Late", hours=hours)) == Loaded(outdated=1)

    assert rows(engine, STANDING) == [("a", "deleted", at(2), at(2))]


def test_a_row_that_was_read_since_it_was_confirmed_stays(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    with engine.begin() as connection:
        confirm(connection, "a", hours=2)
        load_contacts(connection, [named("a", "New", hours=3)])
        assert delete(connection) == 0

    assert rows(engine, STANDING) == [("a", "source", None, at(3))]
    assert candidates(engine) == []


def test_a_reading_that_waits_for_a_deletion_revives_what_it_saw(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    with engine.begin() as connection:
        confirm(connection, "a", hours=2)

    def read_again(connection: Connection) -> Loaded:
        forget_absences(connection, CRMCOM_CONTACTS, {"a": at(3)})
        return load_contacts(connection, [named("a", "Anna", hours=3)])

    with engine.connect() as connection:
        assert delete(connection) == 1
        with in_another_session(engine, read_again) as result:
            connection.commit()
            assert result() == Loaded(updated=1)
    assert rows(engine, STANDING) == [("a", "revived", None, at(3))]


def test_a_deletion_that_waits_for_a_reading_leaves_what_that_saw(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    with engine.begin() as connection:
        confirm(connection, "a", hours=2)
    with engine.connect() as connection:
        forget_absences(connection, CRMCOM_CONTACTS, {"a": at(3)})
        with in_another_session(engine, delete) as result:
            connection.commit()
            assert result() == 0
    assert rows(engine, STANDING) == [("a", "source", None, at(1))]


@pytest.fixture
def by_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look through tables two keys at a time."""
    monkeypatch.setattr(missed, "_KEYS_AT_ONCE", 2)


@pytest.mark.usefixtures("by_twos")
def test_a_list_misses_what_was_stored_before_it_began_and_is_not_deleted(engine: Engine) -> None:
    stored = [named(name, name, hours=1) for name in "abcdefg"]
    commit_contacts(engine, *stored, named("new", "New", hours=3))
    deleted_at(engine, "g", hours=2)

    with engine.begin() as connection:
        note_absences(connection, CRMCOM_CONTACTS, [read_list(3, "b", "d")])

    assert candidates(engine) == [(name, "", at(3), None) for name in "acef"]

    # What the next list names is none any more.
    with engine.begin() as connection:
        note_absences(connection, CRMCOM_CONTACTS, [read_list(4, "a", "b", "d", "e", "f", "new")])
    assert [row[0] for row in candidates(engine)] == ["c"]


def test_a_reading_that_had_begun_before_the_first_absence_was_noted_makes_no_second_one(
    engine: Engine,
) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    for hours in (2, 3):
        # Noted now, which is later than either.
        with engine.begin() as connection:
            note_absences(connection, CRMCOM_CONTACTS, [read_list(hours)])

    assert candidates(engine) == [("a", "", at(2), None)]

    after = (datetime.now(UTC) - START) / timedelta(hours=1)
    with engine.begin() as connection:
        note_absences(connection, CRMCOM_CONTACTS, [read_list(after + 1)])
    assert candidates(engine) == [("a", "", at(2), at(after + 1))]


def test_an_older_reading_of_it_is_no_sign_of_a_record_that_was_missed_later(
    engine: Engine,
) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1))
    with engine.begin() as connection:
        note_absences(connection, CRMCOM_CONTACTS, [read_list(3)])
        forget_absences(connection, CRMCOM_CONTACTS, {"a": at(2.5)})

    assert [row[0] for row in candidates(engine)] == ["a"]


def test_a_record_that_was_never_stored_or_is_deleted_is_no_candidate(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Anna", hours=1), named("new", "New", hours=5))
    deleted_at(engine, "a", hours=2)

    missed = [Missed(name, name, at(3)) for name in ("a", "new", "unknown")]
    with engine.begin() as connection:
        note_missed(connection, CRMCOM_CONTACTS, missed)

    assert candidates(engine) == []


def test_those_that_were_never_asked_for_come_first_and_none_comes_twice(engine: Engine) -> None:
    commit_contacts(engine, *(named(name, name, hours=1) for name in "abc"))
    with engine.begin() as connection:
        note_missed(connection, CRMCOM_CONTACTS, [Missed(n, n, at(2)) for n in "abc"])
        denied = Confirmation("a", RecordAnswer.DENIED, at(3), None)
        note_confirmations(connection, CRMCOM_CONTACTS, [denied])
        asked = [
            absences_to_confirm(connection, ALL, asked_before=at(hours), most=2) for hours in (3, 4)
        ]

    assert asked == [[Absence(n, n, at(2)) for n in "bc"]] * 2
    with engine.begin() as connection:
        one = Candidates(CRMCOM_CONTACTS, BEFORE_ALL, can_ask=True, only=("a",))
        named_one = absences_to_confirm(connection, one, asked_before=at(4), most=2)
    assert named_one == [Absence("a", "a", at(2))]


@contextmanager
def held_up(vendors: Vendors, *answers: Scripted, late: int) -> Iterator[threading.Event]:
    """Answer for contact b in this order, the one numbered ``late`` only after the block."""
    is_asked, is_free = threading.Event(), threading.Event()
    numbers = iter(range(1, 100))

    def answer(_request: Received) -> Scripted:
        number = next(numbers)
        if number == late:
            is_asked.set()
            is_free.wait(60)
        return answers[min(number, len(answers)) - 1]

    vendors.server.respond("GET", f"{SELF_SERVICE}/b", answer)
    try:
        yield is_asked
    finally:
        is_free.set()


def in_background(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_pull_of_just_that_contact_meanwhile_outdoes_the_absence(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    there = Scripted.json({"id": "b", "first_name": "Name b"})
    with held_up(vendors, NOT_FOUND, NOT_FOUND, there, late=2) as is_asked:
        sweep = in_background(lambda: pull(CRMCOM_CONTACTS))
        assert is_asked.wait(60)
        assert pull(CRMCOM_CONTACTS, "b").row["rows_unchanged"] == 1
    sweep.join()

    deletions = "SELECT sum(rows_deleted) FROM ops.sync_runs"
    assert pull.rows(deletions) == [(0,)]
    assert pull.rows("SELECT deleted_at FROM warehouse.contacts WHERE contact_id = 'b'") == [
        (None,)
    ]
    assert pull.rows("SELECT * FROM ops.absences") == []


def test_a_run_that_is_killed_before_it_closes_leaves_its_candidates_to_the_next_one(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    with (
        held_up(vendors, NOT_FOUND, late=2) as is_asked,
        pulling_child(pull, vendors.settings()) as child,
    ):
        assert is_asked.wait(60)
        child.kill()
        child.wait()
    candidate = "SELECT record_id, answer, confirmed_at FROM ops.absences"
    assert pull.rows(candidate) == [("b", None, None)]

    report = pull(CRMCOM_CONTACTS)

    assert (report.row["rows_deleted"], report.row["absences_left"]) == (1, 0)
    assert pull.rows(candidate) == []
    outcomes = "SELECT outcome, rows_deleted FROM ops.sync_runs ORDER BY started_at"
    assert pull.rows(outcomes) == [("succeeded", 0), ("abandoned", 0), ("succeeded", 1)]
