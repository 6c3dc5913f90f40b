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


def edit(rounds: Rounds, source: str, key: str, email: str) -> None:
    """Have somebody change an e-mail address at its source."""
    asked = {"entity": "contacts", "source": source, "action": "update", "id": key}
    change(rounds.client, asked | {"fields": {"email": email}})


def cycle(rounds: Rounds, **environ: str) -> None:
    """Pull both sides; let the model ask for what differs, and push it."""
    rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
    rounds.push(**environ)


def emails(rounds: Rounds, rocs_id: str, crmcom_id: str) -> list[str]:
    """Return the addresses of a person at both ends."""
    there = rounds.world(ROCS_CONTACTS)[rocs_id], rounds.world(CRMCOM_CONTACTS)[crmcom_id]
    return [str(row["email"]) for row in there]


def test_a_hundred_cycles_over_a_world_that_stands_still_ask_for_nothing_and_write_nothing(
    rounds: Rounds,
) -> None:
    rocs_id, crmcom_id = linked(rounds)
    edit(rounds, "rocs", rocs_id, "moved@example.org")
    cycle(rounds)
    assert emails(rounds, rocs_id, crmcom_id) == ["moved@example.org"] * 2
    assert set(rounds.states().values()) <= {"confirmed", "delivered"}
    asked, written = rounds.states(), len(rounds.writes())
    for _ in range(CYCLES):
        cycle(rounds)
    assert (rounds.states(), len(rounds.writes())) == (asked, written)
    # Without a pull not even a reading is asked for.
    rounds.client.delete("/_sandbox/traffic").raise_for_status()
    rounds.push()
    traffic = rounds.client.get("/_sandbox/traffic").json()
    assert sum(one["requests"] for one in traffic.values()) == 0


@pytest.mark.parametrize("is_seen", [True, False], ids=["both are seen", "one is seen"])
def test_what_both_sides_changed_ends_by_the_policy_in_agreement(
    rounds: Rounds, *, is_seen: bool
) -> None:
    rocs_id, crmcom_id = linked(rounds)
    rounds.push()
    edit(rounds, "rocs", rocs_id, "rocs@example.org")
    edit(rounds, "crmcom", crmcom_id, "crmcom@example.org")
    ours = {"PUSH_MODELS": AUTOMATIC, "PUSH_MAX_SHARE": "1", "PUSH_CONFLICT_POLICY": "ours"}
    if is_seen:
        cycle(rounds, **ours)
    else:
        rounds.pull(ROCS_CONTACTS)
        rounds.push(**ours)
    for _ in range(3):
        cycle(rounds, **ours)
    assert emails(rounds, rocs_id, crmcom_id) == ["rocs@example.org"] * 2
    written = len(rounds.writes())
    # What ROCS did not change since is not written over what CRM.COM changes later.
    edit(rounds, "crmcom", crmcom_id, "later@example.org")
    for _ in range(2):
        cycle(rounds, **ours)
    assert emails(rounds, rocs_id, crmcom_id) == ["rocs@example.org", "later@example.org"]
    assert len(rounds.writes()) == written


@pytest.mark.parametrize(("policy", "state"), [("hold", "conflict"), ("theirs", "discarded")])
def test_what_both_sides_changed_is_left_alone_where_the_policy_says_so(
    rounds: Rounds, policy: str, state: str
) -> None:
    rocs_id, crmcom_id = linked(rounds)
    rounds.push()
    edit(rounds, "rocs", rocs_id, "rocs@example.org")
    edit(rounds, "crmcom", crmcom_id, "crmcom@example.org")
    environ = {"PUSH_MODELS": AUTOMATIC, "PUSH_MAX_SHARE": "1", "PUSH_CONFLICT_POLICY": policy}
    asked = rounds.states()
    for _ in range(3):
        cycle(rounds, **environ)
    assert emails(rounds, rocs_id, crmcom_id) == ["rocs@example.org", "crmcom@example.org"]
    assert [s for key, s in rounds.states().items() if key not in asked] == [state]


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
