"""Whatever an API does with a write: one state for each update, in order, nothing sent for nothing.

The oracle is the sandbox's own log of what arrived and what was applied.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline_tests.push_oracle import breaches
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import Json, sandbox

FIELDS = ("first_name", "last_name", "company_name")
# Longer than a late write takes (5 s).
GRACE_S = 6.0
IMPATIENT = {"CRMCOM_TIMEOUT_S": "0.4", "PUSH_GRACE_SECONDS": str(GRACE_S)}
FAULTS = {
    "late": "late=0.3",
    "unanswered": "applied_timeout=0.3,applied_500=0.2,timeout=0.1",
    "nonsense": "applied_empty=0.2,applied_id=0.2,html=0.1,html200=0.1,cut=0.1",
    "refusals": "429=0.1,503=0.1,500=0.1,token=0.1",
    "all": "late=0.08,applied_timeout=0.08,applied_500=0.05,applied_empty=0.05,applied_id=0.05,"
    "429=0.03,503=0.03,500=0.05,html=0.03,html200=0.03,cut=0.03,token=0.03",
}


def asked_at_random(rounds: Rounds, rng: random.Random, owners: dict[object, int]) -> None:
    """Ask for some updates, several of them of one record and field."""
    records = sorted(rounds.world(CRMCOM_CONTACTS))[:6]
    for _ in range(8):
        names = rng.sample(FIELDS, k=rng.choice((1, 1, 2)))
        changes: Json = {
            name: f"{name} {len(owners)}-{number}" for number, name in enumerate(names)
        }
        made = rounds.request(CRMCOM_CONTACTS, rng.choice(records), changes)
        owners |= dict.fromkeys(changes.values(), made)


def settle(rounds: Rounds) -> None:
    """Push until no update waits for the machine; pauses are cut short, graces are waited for."""
    query = "SELECT count(*) FROM push.updates WHERE status IN ('pending', 'sending', 'rejected')"
    hurry = "UPDATE push.updates SET next_attempt_at = NULL WHERE status <> 'sending'"
    ends_at = time.monotonic() + 240
    while rounds.rows(query) != [{"count": 0}]:
        assert time.monotonic() < ends_at, rounds.rows("SELECT * FROM push.updates")
        rounds.execute(hurry)
        rounds.push(**IMPATIENT)
        due = rounds.rows("SELECT min(next_attempt_at) AS at FROM push.updates")[0]["at"]
        if isinstance(due, datetime):
            time.sleep(max(0.0, min((due - datetime.now(UTC)).total_seconds(), GRACE_S)))


@pytest.mark.parametrize("kind", FAULTS)
def test_every_update_ends_in_one_state_and_nothing_is_sent_out_of_order_or_for_nothing(
    engine: Engine, kind: str
) -> None:
    rng, owners = random.Random(kind), dict[object, int]()  # noqa: S311 -- no secret
    with sandbox("--contacts", "8", "--crmcom-version", "v2") as client:
        rounds = Rounds(engine, client, settings_of(client, **IMPATIENT))
        rounds.pull(CRMCOM_CONTACTS)
        client.post("/_sandbox/faults", content=FAULTS[kind]).raise_for_status()
        for _ in range(3):
            asked_at_random(rounds, rng, owners)
            rounds.push(**IMPATIENT)
        settle(rounds)
        client.post("/_sandbox/faults", content="0").raise_for_status()
        log, truth = rounds.writes(), rounds.world(CRMCOM_CONTACTS)
        rounds.pull(CRMCOM_CONTACTS)

    assert breaches(log, owners) == []
    assert Counter(rounds.states().values()).keys() <= {"confirmed", "superseded"}
    # The freshest value of each field is what its API holds, and the warehouse.
    wanted = "SELECT entity_id, changes FROM push.updates WHERE changes <> '{}' ORDER BY id"
    last: dict[tuple[object, str], object] = {}
    for row in rounds.rows(wanted):
        assert isinstance(row["changes"], dict)
        last |= {(row["entity_id"], name): value for name, value in row["changes"].items()}
    assert {key: truth[str(key[0])][key[1]] for key in last} == last
    stored = {row["contact_id"]: row for row in rounds.rows("SELECT * FROM warehouse.contacts")}
    assert {key: stored[key[0]][key[1]] for key in last} == last
