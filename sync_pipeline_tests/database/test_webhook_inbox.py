"""The inbox: twins and repeats, what a pull settles and what it leaves waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import ROCS_CONTACTS, ROSAAS_TENANTS, STREAMS
from sync_pipeline.errors import StreamBusyError
from sync_pipeline.operate.status import stream_states
from sync_pipeline.records import Event
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.inbox import (
    InboxDepth,
    Lost,
    claim_subjects,
    inbox_depths,
    lost_events,
)
from sync_pipeline.warehouse.progress import Proof, Reason, ScopeProgress, record_progress
from sync_pipeline.webhooks.group_commit import store_in
from sync_pipeline.webhooks.settling import set_back, settle
from sync_pipeline_tests.database.readings import rows

LATER = timedelta(seconds=1)


def event(subject: str | None = "acme", raw: bytes = b"{}", **also: str) -> Event:
    return Event("rosaas", also.get("event", "activation"), "activation", subject, raw, "{}")


def store(engine: Engine, *events: Event) -> None:
    store_in(engine)(events)


def execute(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement))


def claim(engine: Engine, most: int = 100) -> tuple[str, ...]:
    with transaction(engine) as connection:
        claimed = claim_subjects(connection, "rosaas", most=most)
    return claimed.subjects if claimed else ()


def kept(engine: Engine) -> list[tuple[object, ...]]:
    return rows(
        engine,
        "SELECT subject, repeats, processed_at IS NOT NULL, attempts, error "
        "FROM ops.webhook_events ORDER BY id",
    )


def settle_now(engine: Engine, *subjects: str, **gaps: Reason) -> None:
    settle(engine, ROSAAS_TENANTS, subjects, began_at=datetime.now(UTC) + LATER, gaps=gaps)


def test_the_same_body_again_counts_as_a_repeat_of_the_one_that_waits(engine: Engine) -> None:
    store(engine, event(), event(), event("zeta"))
    store(engine, event())
    store(engine, event(event="deactivation"), event(raw=b'{"a": 1}'))
    assert kept(engine) == [
        ("acme", 2, False, 0, None),
        ("zeta", 0, False, 0, None),
        ("acme", 0, False, 0, None),
        ("acme", 0, False, 0, None),
    ]


def test_a_repeat_within_a_minute_has_its_subject_read_again(engine: Engine) -> None:
    store(engine, event())
    settle_now(engine, "acme")
    assert claim(engine) == ()
    store(engine, event())
    assert kept(engine) == [("acme", 1, False, 0, None)]
    assert claim(engine) == ("acme",)


def test_the_same_body_after_a_minute_is_another_event(engine: Engine) -> None:
    store(engine, event())
    settle_now(engine, "acme")
    execute(engine, "UPDATE ops.webhook_events SET received_at = received_at - interval '61 s'")
    store(engine, event())
    assert kept(engine) == [("acme", 0, True, 0, None), ("acme", 0, False, 0, None)]


def test_many_events_of_one_subject_are_claimed_once_and_the_longest_waiting_first(
    engine: Engine,
) -> None:
    store(engine, event("c"), event("b"), event("a"), event("c", b'{"n": 2}'))
    assert claim(engine, most=2) == ("b", "c")
    assert claim(engine, most=2) == ("a",)
    assert claim(engine, most=2) == ()


def test_what_came_again_while_it_was_read_waits_for_another_pull(engine: Engine) -> None:
    store(engine, event())
    claim(engine)
    began_at = rows(engine, "SELECT clock_timestamp()")[0][0]
    assert isinstance(began_at, datetime)
    store(engine, event())
    settle(engine, ROSAAS_TENANTS, ["acme"], began_at=began_at, gaps={})
    assert kept(engine) == [("acme", 1, False, 1, None)]
    assert claim(engine) == ("acme",)
    settle_now(engine, "acme")
    assert kept(engine) == [("acme", 1, True, 2, None)]


def test_a_pull_that_failed_leaves_its_events_waiting_with_its_error(engine: Engine) -> None:
    store(engine, event())
    claim(engine)
    set_back(engine, ROSAAS_TENANTS, ["acme"], StreamBusyError("busy"))
    assert kept(engine) == [("acme", 0, False, 1, "busy")]
    # Not at once, and further apart each time.
    assert claim(engine) == ()
    wait = "SELECT round(extract(epoch FROM next_attempt_at - now()) / 60) FROM ops.webhook_events"
    assert rows(engine, wait) == [(1,)]
    execute(engine, "UPDATE ops.webhook_events SET next_attempt_at = now()")
    assert claim(engine) == ("acme",)
    assert rows(engine, wait) == [(2,)]


def failed_before(engine: Engine, number: int) -> tuple[str, ...]:
    """Have a pull of so many subjects fail; all of them are due again."""
    store(engine, *(event(f"a{n:03d}") for n in range(number)))
    names = claim(engine, most=number)
    set_back(engine, ROSAAS_TENANTS, names, StreamBusyError("busy"))
    execute(engine, "UPDATE ops.webhook_events SET next_attempt_at = now()")
    return names


def test_what_failed_before_is_tried_a_few_at_a_time_after_what_is_new(engine: Engine) -> None:
    failed = failed_before(engine, 10)
    store(engine, event("b"), event("A"))
    assert claim(engine) == ("A", "b", *failed[:4])
    assert claim(engine) == failed[4:8]
    assert claim(engine) == failed[8:]
    assert claim(engine) == ()


def test_after_an_outage_the_many_that_failed_are_not_tried_four_by_four(engine: Engine) -> None:
    failed = failed_before(engine, 300)
    store(engine, event("b"))
    assert claim(engine) == ("b", *failed[:30])


def test_of_a_pull_that_failed_the_contacts_that_it_had_read_are_settled(engine: Engine) -> None:
    names = ("7", "8", "9")
    store(engine, *(Event("rocs", "x", "contact", name, b"{}", "{}") for name in names))
    now = datetime.now(UTC)
    read = {"7": now + LATER, "8": now - timedelta(hours=1)}
    with transaction(engine) as connection:
        readings = [
            ScopeProgress(name, Proof.SINGLE_RESPONSE, None, at, at) for name, at in read.items()
        ]
        record_progress(connection, ROCS_CONTACTS, readings)
    set_back(engine, ROCS_CONTACTS, names, StreamBusyError("busy"))
    assert kept(engine) == [
        ("7", 0, True, 0, None),
        ("8", 0, False, 0, "busy"),
        ("9", 0, False, 0, "busy"),
    ]


def test_a_tenant_that_was_read_waits_on_where_its_work_could_not_be_confirmed(
    engine: Engine,
) -> None:
    store(engine, event())
    at = datetime.now(UTC) + LATER
    with transaction(engine) as connection:
        reading = ScopeProgress("acme", Proof.SINGLE_RESPONSE, None, at, at)
        record_progress(connection, ROSAAS_TENANTS, [reading])
    set_back(engine, ROSAAS_TENANTS, ["acme"], StreamBusyError("busy"))
    assert kept(engine) == [("acme", 0, False, 0, "busy")]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.NOT_FOUND, ("acme", 0, True, 1, "not found")),
        (Reason.DENIED, ("acme", 0, True, 1, "denied")),
        (Reason.UNAVAILABLE, ("acme", 0, False, 1, "unavailable")),
        (Reason.WRONG_ANSWER, ("acme", 0, False, 1, "wrong answer")),
    ],
)
def test_only_what_another_attempt_may_mend_waits_for_one(
    engine: Engine, reason: Reason, expected: tuple[object, ...]
) -> None:
    store(engine, event())
    claim(engine)
    settle_now(engine, "acme", acme=reason)
    assert kept(engine) == [expected]


def test_what_names_no_subject_waits_for_nothing(engine: Engine) -> None:
    store(engine, event(None))
    store(engine, event(None))
    assert kept(engine) == [(None, 1, True, 0, None)]
    assert claim(engine) == ()


def test_what_jsonb_refuses_is_kept_as_bytes_and_stops_no_other(engine: Engine) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    huge = Event("rosaas", "e", "other", "huge", b"huge", '{"a": 1e200000}')
    bad = Event("rosaas", "e", "other", "deep", b"deep", deep)
    store(engine, event(), huge, bad, event("zeta"))
    found = "SELECT subject, payload IS NULL, payload_raw FROM ops.webhook_events ORDER BY id"
    assert rows(engine, found) == [
        ("acme", False, b"{}"),
        ("huge", True, b"huge"),
        ("deep", True, b"deep"),
        ("zeta", False, b"{}"),
    ]


def test_the_depth_counts_what_waits_and_since_when(engine: Engine) -> None:
    store(engine, event(), event("zeta"), event(None))
    set_back(engine, ROSAAS_TENANTS, ["acme"], StreamBusyError("busy"))
    ((oldest,),) = rows(engine, "SELECT received_at FROM ops.webhook_events WHERE subject = 'acme'")
    assert isinstance(oldest, datetime)
    with transaction(engine) as connection:
        assert inbox_depths(connection) == [InboxDepth("rosaas", 2, 1, oldest)]


def test_status_shows_what_webhooks_told_that_was_not_read_yet(engine: Engine) -> None:
    store(engine, event(), event("zeta"))
    oldest = rows(engine, "SELECT min(received_at) FROM ops.webhook_events")[0][0]
    states = stream_states(engine, Settings())
    assert {str(row["stream"]): (row["events"], row["oldest_event"]) for row in states} == (
        dict.fromkeys(STREAMS, (None, None)) | {"rosaas/tenants": (2, oldest)}
    )


def test_the_share_of_changes_of_which_no_webhook_told_is_counted(engine: Engine) -> None:
    week_ago = datetime.now(UTC) - timedelta(days=7)
    with transaction(engine) as connection:
        # Nobody receives webhooks: there is nothing to compare.
        assert lost_events(connection, since=week_ago) == Lost(0, 0)
    store(engine, event("told"))
    execute(
        engine,
        """
        INSERT INTO warehouse.tenants_history (
            source, tenant_name, status_code, attributes, content_hash, cause, run_id, loaded_at,
            valid_from, valid_to
        )
        SELECT 'rosaas', name, code, '{}', '', 'source', 'r', now(), v.since, v.until
        FROM unnest(ARRAY['told', 'untold']) AS name
        CROSS JOIN (VALUES
            (10, now() - interval '1 h', now()),
            (7, now(), now() + interval '1 s'),
            (7, now() + interval '1 s', now() + interval '2 s')
        ) AS v (code, since, until)
        """,
    )
    with transaction(engine) as connection:
        assert lost_events(connection, since=week_ago) == Lost(2, 1)


def test_what_was_told_of_tenants_is_a_view_also_without_persons(engine: Engine) -> None:
    store(engine, event(), Event("rocs", "x", "contact", "7", b"{}", "{}"), event(None))
    for schema in ("warehouse", "masked"):
        query = f"SELECT tenant_name, kind, event FROM {schema}.tenant_events"
        assert rows(engine, query) == [("acme", "activation", "activation")]


def test_a_subject_that_failed_a_hundred_times_is_tried_again_within_the_hour(
    engine: Engine,
) -> None:
    store(engine, event(), event("zeta"))
    execute(engine, "UPDATE ops.webhook_events SET attempts = 100 WHERE subject = 'acme'")
    assert claim(engine) == ("acme", "zeta")
    waits = (
        "SELECT subject, round(extract(epoch FROM next_attempt_at - clock_timestamp()) / 60) "
        "FROM ops.webhook_events ORDER BY id"
    )
    assert [(name, int(str(minutes))) for name, minutes in rows(engine, waits)] == [
        ("acme", 60),
        ("zeta", 1),
    ]
