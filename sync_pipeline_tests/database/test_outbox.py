"""The outbox: who may send what next, in which order, and what the database does not let happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.ledger import own_writes
from sync_pipeline.warehouse.outbox import Claim, Delivery, Desk, Ending, desk_opened
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import START, at, rows, rows_by_name
from sync_pipeline_tests.database.view_rows import put

ALL = "SELECT id, status, changes FROM push.updates ORDER BY id"


@pytest.fixture
def outbox(engine: Engine) -> Engine:
    """Return an engine on a warehouse with two contacts of CRM.COM."""
    put_contacts(engine, "c1", "c2")
    return engine


@pytest.fixture
def desk(outbox: Engine) -> Iterator[Desk]:
    with desk_opened(outbox) as desk:
        yield desk


def claim(desk: Desk, hours: float = 0) -> Claim:
    (claimed,) = desk.claim(now=at(hours))
    return claimed


def test_an_update_is_asked_for_by_what_the_warehouse_holds(outbox: Engine) -> None:
    made = ask(outbox, '{"email": "zoe@example.com", "phone": null}')
    shown = "id, source, entity, entity_id, changes, base, base_at, status, attempts, record"
    assert rows_by_name(outbox, f"SELECT {shown} FROM push.updates") == [
        {
            "id": made,
            "source": "crmcom",
            "entity": "contacts",
            "entity_id": "c1",
            "changes": {"email": "zoe@example.com", "phone": None},
            "base": {"email": "ann@example.com", "phone": None},
            "base_at": START,
            "status": "pending",
            "attempts": 0,
            "record": "crmcom/contacts/c1",
        }
    ]


def test_a_claim_is_sending_for_all_to_see_and_nobody_elses(outbox: Engine, desk: Desk) -> None:
    first = ask(outbox, '{"email": "zoe@example.com"}')
    ask(outbox, '{"first_name": "Zoe"}')
    claimed = claim(desk)
    assert (claimed.update.id, claimed.update.status, claimed.is_orphan) == (
        first,
        "sending",
        False,
    )
    assert rows(outbox, "SELECT status FROM push.updates ORDER BY id") == [
        ("sending",),
        ("pending",),
    ]
    with desk_opened(outbox) as other:
        assert other.claim(now=at(0), most=10) == []
    assert desk.claim(now=at(0), most=10) == []


def test_a_fresher_update_takes_a_field_from_those_that_wait(outbox: Engine) -> None:
    first = ask(outbox, '{"email": "a@example.com", "first_name": "A"}')
    second = ask(outbox, '{"email": "b@example.com"}')
    assert rows(outbox, ALL) == [
        (first, "pending", {"first_name": "A"}),
        (second, "pending", {"email": "b@example.com"}),
    ]
    third = ask(outbox, '{"email": "c@example.com", "first_name": "C"}')
    assert rows(outbox, ALL) == [
        (first, "superseded", {}),
        (second, "superseded", {}),
        (third, "pending", {"email": "c@example.com", "first_name": "C"}),
    ]
    kept = "SELECT superseded_by, superseded_changes, base FROM push.updates ORDER BY id"
    assert rows(outbox, kept) == [
        (
            {"email": second, "first_name": third},
            {"email": "a@example.com", "first_name": "A"},
            {},
        ),
        ({"email": third}, {"email": "b@example.com"}, {}),
        ({}, {}, {"email": "ann@example.com", "first_name": "Ann"}),
    ]


def test_a_tenant_may_be_called_as_what_is_to_be_created_elsewhere(outbox: Engine) -> None:
    put(outbox, "tenants", {"source": "rosaas", "tenant_name": "new"})
    first, second = (
        ask(outbox, {"metadata": {"seats": seats}}, "new", stream="rosaas/tenants")
        for seats in (1, 2)
    )
    assert rows(outbox, ALL) == [
        (first, "superseded", {}),
        (second, "pending", {"metadata": {"seats": 2}}),
    ]
    assert rows(outbox, "SELECT DISTINCT record FROM push.updates") == [("rosaas/tenants/new",)]


def test_nothing_is_taken_from_an_update_that_is_being_sent(outbox: Engine, desk: Desk) -> None:
    first = ask(outbox, '{"email": "a@example.com"}')
    claimed = claim(desk)
    second = ask(outbox, '{"email": "b@example.com"}')
    assert [status for _, status, _ in rows(outbox, ALL)] == ["sending", "pending"]
    assert desk.settle([Ending(claimed, "confirmed")]) == ["confirmed"]
    assert claim(desk).update.id == second > first


def test_an_older_value_is_not_sent_again_once_a_fresher_one_waits(
    outbox: Engine, desk: Desk
) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    claimed = claim(desk)
    second = ask(outbox, '{"email": "b@example.com"}')
    assert desk.settle([Ending(claimed, "rejected")]) == ["superseded"]
    assert claim(desk).update.id == second


def test_a_rejected_update_is_due_again_when_its_time_has_come(outbox: Engine, desk: Desk) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    ending = Ending(claim(desk), "rejected", error="no", next_attempt_at=at(1))
    assert desk.settle([ending]) == ["rejected"]
    assert desk.claim(now=at(0.5)) == []
    assert claim(desk, hours=1).update.attempts == 2


def test_what_a_lost_worker_had_is_to_be_looked_at(outbox: Engine) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    with desk_opened(outbox) as lost:
        claim(lost)
    with desk_opened(outbox) as desk:
        taken = claim(desk, hours=1)
    assert (taken.is_orphan, taken.maybe_sent_at, taken.update.attempts) == (True, at(1), 2)


def test_a_worker_that_lost_its_session_neither_sends_nor_settles(outbox: Engine) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    with desk_opened(outbox) as paused, desk_opened(outbox) as other:
        held = claim(paused)
        assert paused.still_holds([held]) == [True]
        rows(outbox, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        taken = _claim_when_free(other)
        assert taken.is_orphan
        for _ in range(2):
            with pytest.raises(WarehouseError):
                paused.still_holds([held])
            with pytest.raises(WarehouseError):
                paused.settle([Ending(held, "confirmed")])
        assert other.settle([Ending(taken, "confirmed")]) == ["confirmed"]


def test_what_a_lost_worker_had_may_be_sent_for_as_long_as_its_last_look_holds(
    outbox: Engine,
) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    with desk_opened(outbox) as lost:
        claim(lost)
    window = timedelta(seconds=30)
    with desk_opened(outbox, window=window) as desk:
        taken = claim(desk, hours=1)
        assert (taken.is_orphan, taken.maybe_sent_at) == (True, at(1) + window)


@pytest.mark.filterwarnings("error")
def test_a_desk_that_is_closed_lets_whoever_uses_it_come_to_an_end(outbox: Engine) -> None:
    update_id = ask(outbox, '{"email": "a@example.com"}')
    waiting = "SELECT FROM pg_locks WHERE NOT granted"
    with ThreadPoolExecutor() as threads, ExitStack() as stack:
        desk = stack.enter_context(desk_opened(outbox))
        held = claim(desk)
        with outbox.begin() as somebody:
            somebody.execute(text("SELECT FROM push.updates FOR UPDATE"))
            settling = threads.submit(desk.settle, [Ending(held, "confirmed")])
            while not rows(outbox, waiting):
                assert not settling.done()
            closing = threads.submit(stack.close)
        assert settling.result() == ["confirmed"]
        closing.result()
        with pytest.raises(WarehouseError):
            desk.still_holds([held])
    assert rows(outbox, "SELECT id, status FROM push.updates") == [(update_id, "confirmed")]


def _claim_when_free(desk: Desk) -> Claim:
    while not (claims := desk.claim(now=at(1))):
        pass
    return claims[0]


def test_what_came_of_an_update_is_written_down_at_once(outbox: Engine, desk: Desk) -> None:
    made = ask(outbox, '{"email": "zoe@example.com"}')
    delivery = Delivery(
        "confirmed", at(0), {"method": "PUT"}, 200, {"email": "a@b.c"}, {"email": "zoe@example.com"}
    )
    ending = Ending(
        claim(desk),
        "confirmed",
        deliveries=[delivery],
        written={"email": "zoe@example.com"},
        written_at=at(0),
    )
    desk.settle([ending])
    kept = "update_id, sent_at, request, answer_status, before, after, outcome"
    assert rows(outbox, f"SELECT {kept} FROM push.deliveries") == [
        (made, at(0), {"method": "PUT"}, 200, delivery.before, delivery.after, "confirmed")
    ]
    query = (
        "SELECT field, value_hash = push.value_hash('\"zoe@example.com\"'), written_at, update_id "
        "FROM push.ledger"
    )
    assert rows(outbox, query) == [("email", True, at(0), made)]


def test_what_an_older_update_wrote_is_no_conflict(outbox: Engine, desk: Desk) -> None:
    ask(outbox, '{"email": "a@example.com", "first_name": "A"}')
    older = claim(desk)
    ask(outbox, '{"email": "b@example.com", "first_name": "B"}')
    written = {"email": "a@example.com", "first_name": "A"}
    desk.settle([Ending(older, "confirmed", written=written, written_at=at(1))])
    update = claim(desk, hours=2).update
    assert update.base == {"email": "ann@example.com", "first_name": "Ann"}
    with outbox.connect() as connection:
        found = own_writes(connection, update, {"email": "a@example.com", "first_name": "X"})
    assert found == {"email"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE push.updates SET status = 'confirmed'",
        "UPDATE push.updates SET status = 'nonsense'",
        (
            "INSERT INTO push.updates (source, entity, entity_id, changes, base, base_at, "
            "requested_by, status) VALUES ('x', 'x', 'x', '{}', '{}', now(), 'x', 'sending')"
        ),
    ],
)
def test_no_step_is_possible_that_the_table_lacks(outbox: Engine, statement: str) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    with pytest.raises(DBAPIError, match="an update cannot go from"), outbox.begin() as connection:
        connection.execute(text(statement))


def test_an_update_in_doubt_stays_with_nobody_until_its_grace_is_over(
    outbox: Engine, desk: Desk
) -> None:
    ask(outbox, '{"email": "a@example.com"}')
    sent = Delivery("no answer", sent_at=at(0))
    until = at(0) + timedelta(seconds=60)
    ending = Ending(claim(desk), "sending", next_attempt_at=until, deliveries=[sent])
    assert desk.settle([ending]) == ["sending"]
    ask(outbox, '{"email": "b@example.com"}')
    assert desk.claim(now=at(0), most=10) == []
    (again,) = desk.claim(now=until, most=10)
    assert (again.is_orphan, again.maybe_sent_at, again.update.changes) == (
        True,
        at(0),
        {"email": "a@example.com"},
    )


def test_workers_side_by_side_take_every_update_once_and_each_record_in_order(
    outbox: Engine,
) -> None:
    contacts = [f"c{number}" for number in range(3, 13)]
    put_contacts(outbox, *contacts)
    strict = "ALTER DATABASE %I SET default_transaction_isolation = serializable"
    with outbox.begin() as connection:
        statement = f"DO $$BEGIN EXECUTE format('{strict}', current_database()); END$$"
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    # Three fields, so that of each record three updates wait.
    wanted = [
        ask(outbox, {field: "x"}, contact_id)
        for field in ("title", "first_name", "last_name")
        for contact_id in contacts
    ]
    taken: list[tuple[str, int]] = []
    start = threading.Barrier(4)

    def work() -> None:
        with desk_opened(outbox) as desk:
            start.wait()
            while rows(outbox, "SELECT FROM push.updates WHERE status <> 'confirmed'"):
                claims = desk.claim(now=at(0), most=3)
                taken.extend((claim.record, claim.update.id) for claim in claims)
                assert all(desk.settle([Ending(claim, "confirmed") for claim in claims]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(update_id for _, update_id in taken) == sorted(wanted)
    for contact_id in contacts:
        of_record = [i for record, i in taken if record == f"crmcom/contacts/{contact_id}"]
        assert of_record == sorted(of_record)
