"""Updates go from the outbox to their API and come back as what they came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import (
    CRMCOM_APPROVAL_REQUESTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CONTACTS,
    ROSAAS_TENANTS,
)
from sync_pipeline.push.decide import MOST_REFUSALS
from sync_pipeline.warehouse.push_requests import RETRY, decide
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import change, sandbox

VERSION = "SELECT first_name, cause FROM warehouse.contacts WHERE contact_id = :id"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "30", "--crmcom-version", "v2") as client:
        yield client


@pytest.fixture
def rounds(engine: Engine, client: httpx.Client) -> Rounds:
    """Return rounds whose warehouse has read the contacts."""
    rounds = Rounds(engine, client, settings_of(client))
    rounds.pull(CRMCOM_CONTACTS)
    return rounds


def some_contact(rounds: Rounds, place: int = 0) -> str:
    return sorted(rounds.world(CRMCOM_CONTACTS))[place]


def test_an_update_arrives_is_read_back_and_is_in_the_warehouse_as_our_own(
    rounds: Rounds,
) -> None:
    contact_id = some_contact(rounds)
    was = rounds.world(CRMCOM_CONTACTS)[contact_id]["first_name"]
    made = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})

    report = rounds.push()

    assert [dict(one.statuses) for one in report.sources] == [{"confirmed": 1}, {}, {}]
    assert rounds.update(made, "status", "error", "attempts") == ("confirmed", None, 1)
    assert rounds.world(CRMCOM_CONTACTS)[contact_id]["first_name"] == "Zoë"
    assert rounds.rows(VERSION, id=contact_id) == [{"first_name": "Zoë", "cause": "push"}]
    (delivery,) = rounds.rows("SELECT * FROM push.deliveries")
    shown = {n: v for n, v in delivery.items() if n not in {"id", "noted_at", "sent_at"}}
    assert isinstance(delivery["sent_at"], datetime)
    assert shown == {
        "update_id": made,
        "request": {
            "method": "PUT",
            "path": f"/contacts/{contact_id}",
            "body": {"first_name": "Zoë"},
        },
        "answer_status": 200,
        "before": {"first_name": was},
        "after": {"first_name": "Zoë"},
        "outcome": "accepted",
    }
    (run,) = rounds.rows("SELECT * FROM ops.sync_runs WHERE cause = 'push'")
    assert (run["outcome"], run["rows_updated"], run["rows_read"]) == ("succeeded", 1, 1)


def test_the_next_pull_finds_nothing_new(rounds: Rounds) -> None:
    contact_id = some_contact(rounds)
    rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    rounds.push()
    rounds.pull(CRMCOM_CONTACTS)
    assert rounds.rows(VERSION, id=contact_id) == [{"first_name": "Zoë", "cause": "push"}]
    history = "SELECT count(*) FROM warehouse.contacts_history"
    assert rounds.rows(history) == [{"count": 1}]


def test_a_pull_that_sees_our_write_first_knows_it_by_the_ledger(rounds: Rounds) -> None:
    ours, theirs = some_contact(rounds), some_contact(rounds, 1)
    for contact_id in (ours, theirs):
        made = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
        fields = {"first_name": "Zoë" if contact_id == ours else "Theirs"}
        change(
            rounds.client,
            {
                "entity": "contacts",
                "source": "crmcom",
                "action": "update",
                "id": contact_id,
                "fields": fields,
            },
        )
        written = "INSERT INTO push.ledger SELECT 'crmcom', 'contacts', :id, 'first_name', "
        written += "push.value_hash('\"Zoë\"'), clock_timestamp(), :made RETURNING 1"
        rounds.execute(written.removesuffix(" RETURNING 1"), id=contact_id, made=made)
    rounds.pull(CRMCOM_CONTACTS)
    assert rounds.rows(VERSION, id=ours) == [{"first_name": "Zoë", "cause": "push"}]
    assert rounds.rows(VERSION, id=theirs) == [{"first_name": "Theirs", "cause": "source"}]
    # What somebody else changes back to our value later is theirs.
    for name in ("Another", "Zoë"):
        change(
            rounds.client,
            {
                "entity": "contacts",
                "source": "crmcom",
                "action": "update",
                "id": ours,
                "fields": {"first_name": name},
            },
        )
        rounds.pull(CRMCOM_CONTACTS)
    assert rounds.rows(VERSION, id=ours) == [{"first_name": "Zoë", "cause": "source"}]


def test_what_is_there_already_is_confirmed_without_a_write(rounds: Rounds) -> None:
    contact_id = some_contact(rounds)
    change(
        rounds.client,
        {
            "entity": "contacts",
            "source": "crmcom",
            "action": "update",
            "id": contact_id,
            "fields": {"first_name": "Zoë"},
        },
    )
    made = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    rounds.push()
    assert rounds.update(made, "status", "error") == ("confirmed", None)
    assert rounds.writes() == []


@pytest.mark.parametrize(
    ("policy", "state", "error", "value"),
    [
        ("hold", "conflict", "the source has another value of first_name", "Theirs"),
        ("hold,first_name=ours", "confirmed", None, "Ours"),
        (
            "ours,crmcom/contacts/first_name=theirs",
            "discarded",
            "what the source has is kept: first_name",
            "Theirs",
        ),
    ],
)
def test_a_field_that_changed_at_the_source_meanwhile_goes_by_its_policy(
    rounds: Rounds, policy: str, state: str, error: str | None, value: str
) -> None:
    contact_id = some_contact(rounds)
    made = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Ours"})
    change(
        rounds.client,
        {
            "entity": "contacts",
            "source": "crmcom",
            "action": "update",
            "id": contact_id,
            "fields": {"first_name": "Theirs"},
        },
    )
    rounds.push(PUSH_CONFLICT_POLICY=policy)
    assert rounds.update(made, "status", "error") == (state, error)
    assert rounds.world(CRMCOM_CONTACTS)[contact_id]["first_name"] == value
    # Whatever was decided, the warehouse has seen what the source holds.
    assert [row["first_name"] for row in rounds.rows(VERSION, id=contact_id)] == [value]


def test_two_updates_of_one_field_arrive_in_order_and_our_own_write_is_no_conflict(
    rounds: Rounds,
) -> None:
    contact_id = some_contact(rounds)
    first = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "First"})
    rounds.push()
    was = rounds.world(CRMCOM_CONTACTS)[some_contact(rounds, 1)]["first_name"]
    base = {"first_name": was}
    second = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Second"})
    third = rounds.request(CRMCOM_CONTACTS, contact_id, {"last_name": "Third"})
    rounds.push()
    assert base
    assert rounds.states() == dict.fromkeys((first, second, third), "confirmed")
    sent = [entry["fields"] for entry in rounds.writes()]
    assert sent == [{"first_name": "First"}, {"first_name": "Second"}, {"last_name": "Third"}]


def test_a_refusal_is_kept_with_its_reason_and_given_up_in_the_end(rounds: Rounds) -> None:
    contact_id = some_contact(rounds)
    made = rounds.request(CRMCOM_CONTACTS, contact_id, {"language": "fo"})
    other = rounds.request(CRMCOM_CONTACTS, some_contact(rounds, 1), {"last_name": "Fine"})
    rounds.push()
    assert rounds.update(other, "status") == ("confirmed",)
    status, error, due_at = rounds.update(made, "status", "error", "next_attempt_at")
    assert status == "rejected"
    assert "status 400" in str(error)
    assert "FO" not in str(error)
    assert contact_id not in str(error)
    assert isinstance(due_at, datetime)
    assert due_at > datetime.now(UTC)
    for _ in range(MOST_REFUSALS):
        rounds.make_due()
        rounds.push()
    assert rounds.update(made, "status", "refusals") == ("dead", MOST_REFUSALS)


def test_waiting_for_an_api_is_no_refusal_and_a_retry_begins_anew(rounds: Rounds) -> None:
    made = rounds.request(CRMCOM_CONTACTS, some_contact(rounds), {"language": "fo"})
    with rounds.engine.begin() as connection:
        # As often as an outage of a day has it taken.
        connection.execute(text("UPDATE push.updates SET attempts = 30"))
    rounds.push()
    assert rounds.update(made, "status", "refusals") == ("rejected", 1)
    with rounds.engine.begin() as connection:
        decide(connection, [made], RETRY, by="somebody")
    rounds.push()
    assert rounds.update(made, "status", "refusals") == ("rejected", 1)


def test_a_version_without_the_field_refuses_it_at_once(rounds: Rounds) -> None:
    made = rounds.request(CRMCOM_CONTACTS, some_contact(rounds), {"title": "Dr"})
    rounds.push()
    assert rounds.update(made, "status", "error") == ("dead", "CRM.COM v2 takes no title")
    assert rounds.writes() == []


def test_marks_and_decisions_arrive(rounds: Rounds) -> None:
    rounds.pull(CRMCOM_COMMUNICATIONS, CRMCOM_APPROVAL_REQUESTS)
    messages = rounds.world(CRMCOM_COMMUNICATIONS)
    message = next(key for key, row in messages.items() if row["is_viewed"] is False)
    requests = rounds.world(CRMCOM_APPROVAL_REQUESTS)
    approval = next(key for key, row in requests.items() if row["state"] == "PENDING")
    decided = next(key for key, row in requests.items() if row["state"] == "REJECTED")
    rounds.request(CRMCOM_COMMUNICATIONS, message, {"is_viewed": True})
    rounds.request(CRMCOM_APPROVAL_REQUESTS, approval, {"state": "APPROVED"})
    again = rounds.request(CRMCOM_APPROVAL_REQUESTS, decided, {"state": "APPROVED"})
    rounds.push()
    assert [*rounds.states().values()] == ["confirmed", "confirmed", "rejected"]
    assert rounds.world(CRMCOM_COMMUNICATIONS)[message]["is_viewed"] is True
    assert rounds.world(CRMCOM_APPROVAL_REQUESTS)[approval]["state"] == "APPROVED"
    assert "status 400" in str(rounds.update(again, "error"))
    stored = "SELECT is_viewed, cause FROM warehouse.communications WHERE communication_id = :id"
    assert rounds.rows(stored, id=message) == [{"is_viewed": True, "cause": "push"}]
    stored = "SELECT state, cause FROM warehouse.approval_requests WHERE approval_request_id = :id"
    assert rounds.rows(stored, id=approval) == [{"state": "APPROVED", "cause": "push"}]


def test_tenants_take_reports_and_what_cannot_be_read_is_delivered(rounds: Rounds) -> None:
    rounds.pull(ROSAAS_TENANTS)
    rows = rounds.world(ROSAAS_TENANTS)
    creating = next((key for key, row in rows.items() if row["status_code"] == 3), None)
    if creating is None:
        creating = next(iter(rows))
        change(
            rounds.client,
            {
                "entity": "tenants",
                "action": "update",
                "id": creating,
                "fields": {"status": "Creating"},
            },
        )
        rounds.pull(ROSAAS_TENANTS)
    active = next(key for key, row in rows.items() if row["status_code"] == 7)
    rounds.request(
        ROSAAS_TENANTS,
        creating,
        {"status": "CreatedAsActive", "metadata": {"a": [1]}, "upgrade_applied": True},
    )
    no = rounds.request(ROSAAS_TENANTS, active, {"status": "Deleted"})
    rounds.push()
    assert [*rounds.states().values()] == ["delivered", "rejected"]
    assert "3008" in str(rounds.update(no, "error"))
    row = rounds.world(ROSAAS_TENANTS)[creating]
    assert (row["status"], row["metadata"]) == ("CreatedAsActive", {"a": [1]})
    stored = "SELECT status, metadata, cause FROM warehouse.tenants WHERE tenant_name = :id"
    told = {"status": "CreatedAsActive", "metadata": {"a": [1]}, "cause": "push"}
    assert rounds.rows(stored, id=creating) == [told]


def test_what_was_accepted_and_cannot_be_read_is_not_sent_again_with_the_rest(
    rounds: Rounds,
) -> None:
    rounds.pull(ROSAAS_TENANTS)
    tenants = rounds.world(ROSAAS_TENANTS)
    active = next(key for key, row in tenants.items() if row["status_code"] == 7)
    changes = {"upgrade_applied": True, "status": "Deleted", "metadata": {"a": 1}}
    made = rounds.request(ROSAAS_TENANTS, active, changes)
    for _ in range(2):
        rounds.make_due()
        rounds.push()
        assert rounds.update(made, "status") == ("rejected",)
    sent = Counter(str(entry["path"]).rpartition("/")[2] for entry in rounds.writes())
    assert sent == {"upgrade": 1, "metadata": 1, "deleted": 2}


def test_a_contact_is_created_in_rocs_once(rounds: Rounds) -> None:
    rounds.pull(ROCS_CONTACTS)
    before = rounds.world(ROCS_CONTACTS)
    values = {"first_name": "Åse", "external_id": "x-1", "email": "ase@example.org"}
    first = rounds.request(ROCS_CONTACTS, "new", values)
    rounds.push()
    (created,) = rounds.world(ROCS_CONTACTS).keys() - before.keys()
    assert rounds.update(first, "status", "created_id") == ("confirmed", created)
    stored = "SELECT first_name, external_id, cause FROM warehouse.contacts WHERE contact_id = :id"
    kept = {"first_name": "Åse", "external_id": "x-1", "cause": "push"}
    assert rounds.rows(stored, id=created) == [kept]
    rounds.pull(ROCS_CONTACTS)
    assert rounds.rows(stored, id=created) == [kept]
    # The same again finds it; another of the same external id is no one's to overwrite.
    second = rounds.request(ROCS_CONTACTS, "new", values)
    third = rounds.request(ROCS_CONTACTS, "new", {"first_name": "Eva", "external_id": "x-1"})
    rounds.push()
    assert rounds.update(second, "status", "created_id") == ("confirmed", created)
    assert rounds.update(third, "status") == ("conflict",)
    assert len(rounds.writes()) == 1


def test_a_contact_that_a_pull_sees_before_the_push_reads_it_back_is_our_own_too(
    rounds: Rounds,
) -> None:
    # One contact that somebody else made, and one of which the push could not load its reading.
    for external_id in ("theirs", "ours"):
        fields = {"external_id": external_id}
        asked = {"entity": "contacts", "source": "rocs", "action": "insert", "fields": fields}
        change(rounds.client, asked)
    made = rounds.request(ROCS_CONTACTS, "new", {"external_id": "theirs"})
    rounds.push()
    world = {row["external_id"]: key for key, row in rounds.world(ROCS_CONTACTS).items()}
    assert rounds.update(made, "status", "created_id") == ("confirmed", world["theirs"])
    ours = rounds.request(ROCS_CONTACTS, "new", {"external_id": "ours"})
    sent = "UPDATE push.updates SET sent_at = now(), created_id = :created WHERE id = :id"
    rounds.execute(sent, created=world["ours"], id=ours)
    rounds.pull(ROCS_CONTACTS)
    causes = "SELECT contact_id, cause FROM warehouse.contacts WHERE external_id = ANY(:ids)"
    found = {row["contact_id"]: row["cause"] for row in rounds.rows(causes, ids=["theirs", "ours"])}
    assert found == {world["theirs"]: "source", world["ours"]: "push"}


def test_a_contact_whose_creation_was_answered_with_another_id_is_found_by_its_external_id(
    client: httpx.Client, engine: Engine
) -> None:
    rounds = Rounds(engine, client, settings_of(client, PUSH_GRACE_SECONDS="0.3"))
    rounds.pull(ROCS_CONTACTS)
    before = rounds.world(ROCS_CONTACTS)
    made = rounds.request(ROCS_CONTACTS, "new", {"first_name": "Åse", "external_id": "x-1"})
    client.post("/_sandbox/faults", content="applied_id=1").raise_for_status()
    rounds.push()
    assert rounds.update(made, "status") == ("sending",)
    client.post("/_sandbox/faults", content="0").raise_for_status()
    assert rounds.settle(rounds.push, within_s=60)
    (created,) = rounds.world(ROCS_CONTACTS).keys() - before.keys()
    assert rounds.update(made, "status", "created_id") == ("confirmed", created)
    assert len(rounds.writes()) == 1


def test_nothing_is_sent_where_pushing_is_off(rounds: Rounds) -> None:
    made = rounds.request(CRMCOM_CONTACTS, some_contact(rounds), {"first_name": "Zoë"})
    rounds.push(PUSH_ENABLED="off")
    assert rounds.update(made, "status", "attempts") == ("pending", 0)
    assert rounds.writes() == []
