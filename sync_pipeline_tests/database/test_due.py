"""Who is due and who goes first: five queues of the database, and how a run walks through them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, ROSAAS_TENANTS
from sync_pipeline.pull.horizon import horizon
from sync_pipeline.warehouse.due import (
    Depth,
    DueContact,
    DueQuery,
    Queue,
    depth_of,
    due_contacts,
)
from sync_pipeline.warehouse.progress import (
    DEFERRED,
    Coverage,
    Due,
    Proof,
    Reason,
    ScopeProgress,
    record_progress,
)
from sync_pipeline.warehouse.registry import note_access, register_contacts
from sync_pipeline_tests.database.readings import at

NOW = at(100)
BOUND = timedelta(hours=24)
HORIZON = horizon(NOW, BOUND)


def read(
    scope: str, hours: float, *, due: float = 99, wanted: float = 99, reason: Reason | None = None
) -> ScopeProgress:
    proof = Proof.INCOMPLETE if reason else Proof.SINGLE_RESPONSE
    coverage = Coverage.GIVEN_UP if reason in DEFERRED else Coverage.WHOLE
    times = at(hours), at(due), coverage, None, at(max(wanted, due))
    return ScopeProgress(scope, proof, reason, *times)


def prefer(connection: Connection, contact_id: str, priority: int) -> None:
    connection.execute(
        text("UPDATE ops.contact_registry SET priority = :p WHERE contact_id = :c"),
        {"p": priority, "c": contact_id},
    )


def walk(connection: Connection, due: Due, queue: Queue, most: int = 9) -> Iterator[DueContact]:
    """Yield a queue's contacts, chunk by chunk."""
    last: DueContact | None = None
    asked = DueQuery(CRMCOM_CONTACTS, due, HORIZON)
    while chunk := due_contacts(connection, asked, queue, after=last, most=most):
        assert len(chunk) <= most
        yield from chunk
        last = chunk[-1]


def queues(connection: Connection, due: Due, most: int = 9) -> dict[Queue, list[str]]:
    return {
        queue: [contact.contact_id for contact in walk(connection, due, queue, most)]
        for queue in Queue
    }


def test_each_queue_has_its_order(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = ["new-2", "new-1", "old", "older", "seldom", "often", "hint-2", "hint-1"]
        ids += ["low", "high", "low-too", "denied"]
        register_contacts(connection, [*ids, "not due"], origin="file", seen_at=at(0))
        readings = [
            read("old", 81),
            read("older", 80),
            read("seldom", 90, wanted=120),
            read("often", 95, wanted=99.5),
            read("hint-1", 80, due=999),
            read("hint-2", 90, due=999),
            read("low", 70),
            read("low-too", 71),
            read("high", 99, due=100),
            read("denied", 50, due=200, reason=Reason.DENIED),
            read("not due", 99, due=101),
            read("registered nowhere", 1),
        ]
        record_progress(connection, CRMCOM_CONTACTS, readings)
        for contact_id, priority in (("low", 1), ("low-too", 1), ("high", 9), ("not due", 9)):
            prefer(connection, contact_id, priority)
        hinted = {"hint-1": at(96), "hint-2": at(97), "denied": at(98), "seldom": at(90)}
        note_access(connection, {}, changed=hinted)

        found = queues(connection, Due(NOW), most=1)
        depth = depth_of(connection, DueQuery(CRMCOM_CONTACTS, Due(NOW), HORIZON))
    assert found == {
        Queue.HINTED: ["hint-1", "hint-2"],
        Queue.PREFERRED: ["high", "low", "low-too"],
        Queue.UNREAD: ["new-1", "new-2"],
        Queue.OVERDUE: ["older", "old"],
        Queue.WANTED: ["often", "seldom"],
    }
    assert depth == Depth(11, 2, at(70))


def test_a_hint_is_followed_once_in_each_stream_and_forgotten_after_the_bound(
    engine: Engine,
) -> None:
    def hinted(connection: Connection, now: datetime) -> list[list[str]]:
        return [
            [
                found.contact_id
                for found in due_contacts(
                    connection,
                    DueQuery(stream, Due(now), horizon(now, BOUND)),
                    Queue.HINTED,
                    after=None,
                    most=9,
                )
            ]
            for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS)
        ]

    with engine.begin() as connection:
        register_contacts(connection, ["a", "b", "new"], origin="file", seen_at=at(0))
        for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
            record_progress(connection, stream, [read("a", 90, due=999), read("b", 90, due=999)])
        note_access(connection, {"a": "granted"}, changed={"a": at(95), "new": at(95)})
        # An older hint that comes later takes nothing back.
        note_access(connection, {}, changed={"a": at(94)})
        assert hinted(connection, NOW) == [["a", "new"], ["a", "new"]]
        record_progress(connection, CRMCOM_CONTACTS, [read("a", 95, due=999)])
        assert hinted(connection, NOW) == [["new"], ["a", "new"]]
        assert hinted(connection, at(95) + BOUND) == [[], []]


def test_what_was_given_up_ages_from_when_it_is_due_again(engine: Engine) -> None:
    with engine.begin() as connection:
        register_contacts(connection, ["a"], origin="file", seen_at=at(0))
        for hours, due in ((10.0, 11.0), (12.0, 99.0)):
            given_up = read("a", hours, due=due, reason=Reason.DENIED)
            record_progress(connection, CRMCOM_CONTACTS, [given_up])
        # Due, but no older than others: a contact that is denied for ever keeps none of them back.
        assert queues(connection, Due(NOW))[Queue.WANTED] == ["a"]


def test_news_make_a_reading_of_the_whole_no_younger(engine: Engine) -> None:
    with engine.begin() as connection:
        register_contacts(connection, ["a"], origin="file", seen_at=at(0))
        record_progress(connection, CRMCOM_CONTACTS, [read("a", 50)])
        news = ScopeProgress(
            "a", Proof.SINGLE_RESPONSE, None, at(98), at(99), Coverage.NEWS, at(98), at(99)
        )
        record_progress(connection, CRMCOM_CONTACTS, [news])
        assert queues(connection, Due(NOW))[Queue.OVERDUE] == ["a"]


@dataclass(frozen=True)
class Known:
    """What is known of one contact: priority, hint, and its last reading if there was one."""

    priority: int
    hint: int | None
    reading: tuple[int, int, int, Reason | None] | None

    def progress(self, contact_id: str) -> list[ScopeProgress]:
        if self.reading is None:
            return []
        hours, due, wanted, reason = self.reading
        return [read(contact_id, hours, due=due, wanted=wanted, reason=reason)]

    def queue(self, as_of: int | None) -> Queue | None:
        """Return where the contact waits, by the words of the documentation."""
        is_new = self.reading is None
        hours, due, _, reason = self.reading or (-1, -1, -1, None)
        is_held = reason in DEFERRED and at(due) > NOW
        is_time = at(due) <= NOW if as_of is None else hours < as_of and not is_held
        is_open = not is_held and (as_of is None or hours < as_of)
        if self.hint is not None and at(self.hint) > HORIZON.hinted_since and self.hint > hours:
            return Queue.HINTED if is_open else None
        if not is_time:
            return None
        if self.priority > 0:
            return Queue.PREFERRED
        aged_from = due if reason in DEFERRED else hours
        if is_new:
            return Queue.UNREAD
        return Queue.OVERDUE if at(aged_from) <= HORIZON.overdue_before else Queue.WANTED


HOURS = st.integers(70, 105)
READINGS = st.tuples(st.integers(70, 99), HOURS, HOURS, st.sampled_from([None, *Reason]))
CONTACTS = st.lists(
    st.builds(Known, st.integers(-1, 2), st.none() | HOURS, st.none() | READINGS), max_size=12
)


def test_every_due_contact_waits_in_one_queue_and_is_named_once(engine: Engine) -> None:
    @settings(max_examples=60)
    @given(CONTACTS, st.none() | HOURS, st.integers(1, 5), st.randoms())
    def look(known: list[Known], as_of: int | None, most: int, chance: random.Random) -> None:
        contacts = {f"c-{number:02d}": contact for number, contact in enumerate(known)}
        chance.shuffle(ids := list(contacts))
        due = Due(NOW, None if as_of is None else at(as_of))
        with engine.connect() as connection, connection.begin() as transaction:
            know(connection, {contact_id: contacts[contact_id] for contact_id in ids})
            found = queues(connection, due, most)
            depth = depth_of(connection, DueQuery(CRMCOM_CONTACTS, due, HORIZON))
            transaction.rollback()
        expected = {
            queue: {c for c, k in contacts.items() if k.queue(as_of) is queue} for queue in Queue
        }
        assert {queue: set(names) for queue, names in found.items()} == expected
        names = [name for several in found.values() for name in several]
        assert len(names) == len(set(names)) == depth.due

    look()


def know(connection: Connection, contacts: dict[str, Known]) -> None:
    register_contacts(connection, list(contacts), origin="file", seen_at=at(0))
    readings = [r for contact_id, known in contacts.items() for r in known.progress(contact_id)]
    record_progress(connection, CRMCOM_CONTACTS, readings)
    for contact_id, known in contacts.items():
        prefer(connection, contact_id, known.priority)
    hints = {contact_id: at(known.hint) for contact_id, known in contacts.items() if known.hint}
    note_access(connection, {}, changed=hints)


@pytest.mark.parametrize("queue", Queue)
def test_a_contact_that_is_read_meanwhile_shifts_no_other_out(engine: Engine, queue: Queue) -> None:
    with engine.begin() as connection:
        ids = [f"c-{number}" for number in range(7)]
        register_contacts(connection, ids, origin="file", seen_at=at(0))
        if queue is not Queue.UNREAD:
            hours = 70 if queue is Queue.OVERDUE else 90
            record_progress(connection, CRMCOM_CONTACTS, [read(name, hours) for name in ids])
        if queue is Queue.HINTED:
            note_access(connection, {}, changed=dict.fromkeys(ids, at(95)))
        if queue is Queue.PREFERRED:
            for name in ids:
                prefer(connection, name, 1)
        seen: list[str] = []
        for contact in walk(connection, Due(NOW), queue, 2):
            seen.append(contact.contact_id)
            record_progress(connection, CRMCOM_CONTACTS, [read(seen[-1], 99.5, due=999)])
        assert seen == ids
        assert queues(connection, Due(NOW)) == {queue: [] for queue in Queue}


def test_a_stream_asks_for_due_contacts_only_if_it_is_known_to_be_read_by_them() -> None:
    with pytest.raises(ValueError, match="set its `is_fan_out`"):
        DueQuery(ROSAAS_TENANTS, Due(NOW), HORIZON)
