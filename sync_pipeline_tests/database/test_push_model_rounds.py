"""The shipped push model against the sandbox: pull, plan and push until nothing is left to say."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.settings import PushModel
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import change, sandbox

MODEL = PushModel("rocs_corrections", "crmcom/contacts", is_automatic=True)
STATES = "SELECT DISTINCT status FROM push.updates"
WRITES = "SELECT count(*) AS writes FROM push.deliveries WHERE request IS NOT NULL"
PAIRS = """
    SELECT c.contact_id, r.contact_id AS rocs_id
    FROM warehouse.contacts AS c
    INNER JOIN warehouse.contacts AS r ON r.source = 'rocs' AND r.external_id = c.contact_id
    WHERE c.source = 'crmcom' AND r.email IS NOT NULL ORDER BY 1
"""


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "12", "--crmcom-version", "v2") as client:
        yield client


@pytest.fixture
def rounds(engine: Engine, client: httpx.Client) -> Rounds:
    """Return rounds with the model switched to automatic, ours where both sides changed."""
    ours = {"push_models": (MODEL,), "push_conflict_policy": {"": "ours"}}
    return Rounds(engine, client, settings_of(client).model_copy(update=ours))


def cycle(rounds: Rounds) -> None:
    rounds.pull(ROCS_CONTACTS)
    rounds.pull(CRMCOM_CONTACTS)
    rounds.push()


def edit(rounds: Rounds, source: str, contact_id: str, email: str) -> None:
    asked = {"entity": "contacts", "source": source, "action": "update", "id": contact_id}
    change(rounds.client, {**asked, "fields": {"email": email}})


def test_a_world_that_stands_still_is_written_to_once_in_a_hundred_cycles(rounds: Rounds) -> None:
    cycle(rounds)
    ((pair, *_),) = [rounds.rows(PAIRS)]
    edit(rounds, "rocs", str(pair["rocs_id"]), "moved@example.com")
    cycle(rounds)
    before = rounds.rows(WRITES)
    assert rounds.rows(STATES) == [{"status": "confirmed"}]
    # Model and push are what could go round in circles; a pull of a still world changes no row.
    for _ in range(100):
        rounds.push()
    for _ in range(3):
        cycle(rounds)
    assert rounds.rows(WRITES) == before
    contact = rounds.world(CRMCOM_CONTACTS)[str(pair["contact_id"])]
    assert contact["email"] == "moved@example.com"


def test_a_change_on_both_sides_ends_in_agreement(rounds: Rounds) -> None:
    cycle(rounds)
    ((pair, *_),) = [rounds.rows(PAIRS)]
    ours, theirs = str(pair["rocs_id"]), str(pair["contact_id"])
    edit(rounds, "rocs", ours, "ours@example.com")
    edit(rounds, "crmcom", theirs, "theirs@example.com")
    for _ in range(2):
        cycle(rounds)
    assert rounds.world(CRMCOM_CONTACTS)[theirs]["email"] == "ours@example.com"
    assert rounds.rows(STATES) == [{"status": "confirmed"}]
    edit(rounds, "crmcom", theirs, "later@example.com")
    for _ in range(2):
        cycle(rounds)
    # What ROCS did not change since is not written over what CRM.COM changed.
    assert rounds.world(CRMCOM_CONTACTS)[theirs]["email"] == "later@example.com"
