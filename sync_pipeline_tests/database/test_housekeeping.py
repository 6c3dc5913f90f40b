"""What is removed after RETENTION_DAYS, and what never."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.operate.housekeeping import Removed, remove_what_is_old
from sync_pipeline.settings import Settings
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import START, rows

NOW = START + timedelta(days=1000)
STATES = "SELECT status, waits_for IS NULL FROM push.states ORDER BY 1"
LEFT = """
    SELECT u.status, d.outcome FROM push.deliveries AS d
    INNER JOIN push.updates AS u ON u.id = d.update_id ORDER BY 1, 2
"""


def attempt(engine: Engine, update_id: int, *, days_ago: float, outcome: str) -> None:
    """Have an attempt at an update that was noted so long ago."""
    noted = "INSERT INTO push.deliveries (update_id, noted_at, outcome) VALUES (:id, :at, :outcome)"
    values = {"id": update_id, "at": NOW - timedelta(days=days_ago), "outcome": outcome}
    with engine.begin() as connection:
        connection.execute(text(noted), values)


@pytest.fixture
def attempts(engine: Engine) -> Engine:
    """Return a warehouse with an update in each state, with an old attempt and a younger one."""
    states = [str(status) for status, _ in rows(engine, STATES)]
    put_contacts(engine, *states)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE push.updates DISABLE TRIGGER USER"))
    for status in states:
        update_id = ask(engine, {"email": "x@example.com"}, status)
        settled = "UPDATE push.updates SET status = :status, changes = :changes WHERE id = :id"
        changes = "{}" if status == "superseded" else '{"email": "x@example.com"}'
        with engine.begin() as connection:
            parameters = {"status": status, "changes": changes, "id": update_id}
            connection.execute(text(settled), parameters)
        attempt(engine, update_id, days_ago=90.1, outcome="old")
        attempt(engine, update_id, days_ago=89.9, outcome="young")
    return engine


def test_old_attempts_at_updates_that_are_decided_are_removed_and_no_others(
    attempts: Engine,
) -> None:
    states = rows(attempts, STATES)
    final = [status for status, is_final in states if is_final]
    assert final == ["confirmed", "declined", "delivered", "discarded", "superseded"]
    # Few at once: one transaction after the other.
    removed = remove_what_is_old(attempts, Settings(), now=NOW, at_once=2)
    assert removed == Removed(len(final), 0, NOW - timedelta(days=90))
    assert rows(attempts, LEFT) == [
        (status, outcome)
        for status, is_final in states
        for outcome in (["young"] if is_final else ["old", "young"])
    ]
    assert remove_what_is_old(attempts, Settings(), now=NOW).deliveries == 0
    assert rows(attempts, "SELECT count(*) FROM push.updates") == [(len(states),)]


def test_the_setting_says_for_how_long(attempts: Engine) -> None:
    assert remove_what_is_old(attempts, Settings(retention_days=365), now=NOW).deliveries == 0
    assert remove_what_is_old(attempts, Settings(retention_days=1), now=NOW).deliveries == 10


def test_old_records_of_the_quarantine_that_a_reading_settled_are_removed_and_no_others(
    engine: Engine,
) -> None:
    put = text("""
        INSERT INTO ops.quarantine (
            source, entity, record_id, payload_raw, reason, error_code, observed_at,
            resolved_at, resolution
        )
        SELECT 'crmcom', 'contacts', how || age, '', '', 'x', :now,
            CASE WHEN how <> 'open' THEN CAST(:now AS timestamptz) - make_interval(days => age) END,
            nullif(how, 'open')
        FROM unnest(ARRAY['loaded', 'loaded as kept', 'outdated', 'discarded: ours', 'open'])
            AS how, unnest(ARRAY[89, 91]) AS age
    """)
    with engine.begin() as connection:
        connection.execute(put, {"now": NOW})
    removed = remove_what_is_old(engine, Settings(), now=NOW, at_once=2)
    assert removed == Removed(0, 3, NOW - timedelta(days=90))
    assert {name for (name,) in rows(engine, "SELECT record_id FROM ops.quarantine")} == {
        "loaded89", "loaded as kept89", "outdated89",
        "discarded: ours89", "discarded: ours91", "open89", "open91",
    }  # fmt: skip
