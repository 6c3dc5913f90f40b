"""Cycles without end: what stands still is not written to, and two that differ come to agree."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.pushing import push_once
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import change, sandbox

AUTOMATIC = "rocs_corrections:crmcom/contacts=automatic"
CYCLES = 100


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "25", "--crmcom-version", "v2") as client:
        yield client


@pytest.fixture
def rounds(engine: Engine, client: httpx.Client) -> Rounds:
    """Return rounds whose warehouse has read both sides, and whose model asks by itself."""
    settings = settings_of(client, PUSH_MODELS=AUTOMATIC, PUSH_MAX_SHARE="1")
    rounds = Rounds(engine, client, settings)
    rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
    return rounds


def linked(rounds: Rounds) -> tuple[str, str]:
    """Return the id of a person in ROCS and in CRM.COM."""
    there = rounds.world(CRMCOM_CONTACTS)
    return next(
        (key, str(row["external_id"]))
        for key, row in sorted(rounds.world(ROCS_CONTACTS).items())
        if row["external_id"] in there and row["email"]
    )


def test_on_a_world_that_stands_still_cycle_after_cycle_sends_nothing_more(rounds: Rounds) -> None:
    rounds.push()
    rounds.push()
    written = len(rounds.writes())
    rounds.client.delete("/_sandbox/traffic").raise_for_status()
    for _ in range(CYCLES):
        rounds.push()
    traffic = rounds.client.get("/_sandbox/traffic").json()
    assert sum(one["requests"] for one in traffic.values()) == 0
    rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
    rounds.push()
    assert len(rounds.writes()) == written
    assert set(rounds.states().values()) <= {"confirmed", "superseded", "delivered"}


def test_what_both_sides_changed_ends_by_the_policy_in_agreement(rounds: Rounds) -> None:
    rocs_id, crmcom_id = linked(rounds)
    rounds.push()
    for source, key in (("rocs", rocs_id), ("crmcom", crmcom_id)):
        fields = {"email": f"{source}@example.org"}
        asked = {"entity": "contacts", "source": source, "action": "update", "id": key}
        change(rounds.client, asked | {"fields": fields})
    # The warehouse knows of the one change alone, so that the other is a conflict.
    rounds.pull(ROCS_CONTACTS)
    rounds.push(PUSH_MODELS=AUTOMATIC, PUSH_MAX_SHARE="1", PUSH_CONFLICT_POLICY="ours")
    for _ in range(3):
        rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
        rounds.push()
    emails = rounds.world(ROCS_CONTACTS)[rocs_id], rounds.world(CRMCOM_CONTACTS)[crmcom_id]
    assert [row["email"] for row in emails] == ["rocs@example.org"] * 2
    written = len(rounds.writes())
    rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
    rounds.push()
    assert len(rounds.writes()) == written


def test_a_dry_run_shows_each_field_and_sends_nothing(rounds: Rounds) -> None:
    contact_id = min(rounds.world(CRMCOM_CONTACTS))
    was = rounds.world(CRMCOM_CONTACTS)[contact_id]
    made = rounds.request(
        CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë", "last_name": was["last_name"]}
    )
    change(
        rounds.client,
        {"entity": "contacts", "source": "crmcom", "action": "update", "id": contact_id}
        | {"fields": {"company_name": "Theirs"}},
    )
    conflicting = rounds.request(CRMCOM_CONTACTS, contact_id, {"company_name": "Ours"})
    settings = settings_of(rounds.client, PUSH_MODELS="none")
    dry = push_once(rounds.engine, settings, is_dry=True)
    record = f"crmcom/contacts/{contact_id}"
    facts = {"update": made, "record": record}
    assert sorted(dry.rows, key=lambda row: str(row["field"])) == [
        facts
        | {"field": "first_name", "there": was["first_name"], "wanted": "Zoë"}
        | {"plan": "write"},
        facts
        | {"field": "last_name", "there": was["last_name"], "wanted": was["last_name"]}
        | {"plan": "there"},
    ]
    assert rounds.states() == {made: "pending", conflicting: "pending"}
    assert rounds.writes() == []
    off = push_once(rounds.engine, settings_of(rounds.client, PUSH_ENABLED="off"))
    assert "PUSH_ENABLED is off for crmcom: a dry run, nothing is sent" in off.said
    assert off.rows == dry.rows
    assert rounds.writes() == []


def test_a_cycle_that_would_change_too_many_records_stops_before_its_first_write(
    rounds: Rounds,
) -> None:
    for contact_id in rounds.world(CRMCOM_CONTACTS):
        rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    settings = settings_of(rounds.client, PUSH_MODELS="none")
    stopped = push_once(rounds.engine, settings)
    assert stopped.has_failed
    assert "crmcom/contacts: 25 of 25 records would be changed" in " ".join(stopped.said)
    assert rounds.writes() == []
    some = push_once(rounds.engine, settings, limit=3)
    assert (some.has_failed, some.updates, len(rounds.writes())) == (False, 3, 3)
