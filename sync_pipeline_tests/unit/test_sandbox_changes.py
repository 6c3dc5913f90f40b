"""A sandbox that changes: what is asked of it, what comes by itself, and what a restart keeps."""

import json
from collections import Counter
from pathlib import Path

import httpx
import pytest

from sync_pipeline_tests.sandbox_process import (
    Json,
    bearer,
    change,
    rocs_bearer,
    rosaas_bearer,
    sandbox,
    world,
)

ENTITIES = (
    "contacts",
    "communications",
    "approval_requests",
    "tenants",
    "plans",
    "specifications",
    "contact_lists",
    "campaigns",
)
TENANTS = "/api/management/apps/v1/tenants"
VIEWED_AT = "2026-02-03T04:05:06+00:00"


def whole_world(client: httpx.Client) -> dict[str, list[Json]]:
    return {entity: world(client, entity) for entity in ENTITIES}


def backoffice_ids(client: httpx.Client) -> list[str]:
    headers = {"api_key": "sandbox-secret-key"}
    answer = client.get("/backoffice/v1/contacts", params={"size": 100}, headers=headers).json()
    assert answer["paging"]["total"] == len(answer["content"])
    return [row["id"] for row in answer["content"]]


def test_an_update_shows_at_the_api_in_the_truth_and_in_the_log(client: httpx.Client) -> None:
    before = world(client, "contacts", "crmcom")[3]
    key = before["contact_id"]
    fields = {"first_name": " Ada ", "email": "ADA@Example.com", "phone": "+4740611111"}
    asked = {"source": "crmcom", "entity": "contacts", "action": "update", "id": key}
    [entry] = change(client, asked | {"fields": fields})
    after = world(client, "contacts", "crmcom")[3]
    assert after == before | {
        "first_name": "Ada",
        "email": "ada@example.com",
        "phone": "+4740611111",
        "phone_country": "NO",
        "attributes": after["attributes"],
    }
    assert entry == client.get("/_sandbox/log").json()[entry["seq"] - 1]
    assert {name: entry["after"][name] for name in entry["before"] if name != "attributes"} == {
        "first_name": "Ada",
        "email": "ada@example.com",
        "phone": "+4740611111",
        "phone_country": "NO",
    }
    shown = client.get(f"/self-service/v2/contacts/{key}", headers=bearer(client)).json()
    assert shown["first_name"].strip() == "Ada"
    assert shown["email"].strip().lower() == "ada@example.com"
    assert shown["phone"]["country_code"] == "NOR"


def test_what_is_inserted_stands_at_the_end_and_backdated_before_it(client: httpx.Client) -> None:
    asked = {"source": "crmcom", "entity": "contacts", "action": "insert"}
    [last] = change(client, asked)
    [backdated] = change(client, asked | {"backdated": True, "fields": {"last_name": "Late"}})
    ids = backoffice_ids(client)
    assert ids[-1] == last["id"]
    assert ids.index(backdated["id"]) == backdated["place"] < len(ids) - 1
    assert ids == [row["contact_id"] for row in world(client, "contacts", "crmcom")]
    assert backdated["after"]["last_name"] == "Late"


def test_a_deleted_contact_is_gone_with_what_hangs_under_it(client: httpx.Client) -> None:
    owners = Counter(row["contact_id"] for row in world(client, "communications", "crmcom"))
    key = next(iter(owners))
    asked = {"source": "crmcom", "entity": "contacts", "action": "delete", "id": key}
    change(client, asked)
    assert key not in backoffice_ids(client)
    left = Counter(row["contact_id"] for row in world(client, "communications", "crmcom"))
    assert left == Counter({owner: many for owner, many in owners.items() if owner != key})
    headers = bearer(client)
    for path in (f"contacts/{key}", f"contacts/{key}/communications"):
        answer = client.get(f"/self-service/v2/{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (
            400,
            "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION",
        )


def test_messages_stay_in_order_of_creation(client: httpx.Client) -> None:
    rows = world(client, "communications", "crmcom")
    many = Counter(row["contact_id"] for row in rows)
    key = next(key for key, count in many.items() if 5 < count < 50)
    asked = {"source": "crmcom", "entity": "communications", "action": "insert"}
    first = {"contact_id": key, "source_created_at": "2018-01-01T00:00:00+00:00", "subject": "old"}
    applied = change(
        client,
        asked | {"fields": first},
        asked | {"fields": {"contact_id": key}},
        asked | {"fields": {"contact_id": key}, "backdated": True},
    )
    mine = [row for row in world(client, "communications", "crmcom") if row["contact_id"] == key]
    assert mine[0]["communication_id"] == applied[0]["id"]
    assert mine[-1]["communication_id"] == applied[1]["id"]
    assert applied[2]["id"] in [row["communication_id"] for row in mine[1:-1]]
    created = [row["source_created_at"] for row in mine]
    assert created == sorted(created)
    path = f"/self-service/v2/contacts/{key}/communications"
    params: Json = {"size": 100, "order": "ASC"}
    shown = client.get(path, params=params, headers=bearer(client)).json()
    assert [row["id"] for row in shown["content"]] == [row["communication_id"] for row in mine]


def test_a_message_is_viewed_later(client: httpx.Client) -> None:
    row = next(row for row in world(client, "communications", "rocs") if not row["is_viewed"])
    asked = {"source": "rocs", "entity": "communications", "action": "update"}
    fields = {"is_viewed": True, "viewed_at": VIEWED_AT}
    change(client, asked | {"id": row["communication_id"], "fields": fields})
    now = next(
        other
        for other in world(client, "communications", "rocs")
        if other["communication_id"] == row["communication_id"]
    )
    assert now == row | fields | {"attributes": now["attributes"]}


def test_a_tenants_status_is_said_alike_in_every_answer(client: httpx.Client) -> None:
    change(
        client,
        {"entity": "tenants", "action": "update", "id": "7", "fields": {"status": "Inactive"}},
    )
    headers = rosaas_bearer(client)
    listed = client.get(TENANTS, headers=headers).json()["data"]
    assert [row["status"] for row in listed if row["systemName"] == "7"] == [10]
    assert client.get(f"{TENANTS}/7/status", headers=headers).json()["data"] == {
        "isActive": False,
        "status": 10,
    }
    row = next(row for row in world(client, "tenants") if row["tenant_name"] == "7")
    told = (row["status"], row["status_code"], row["is_running"], row["step"])
    assert told == ("Inactive", 10, False, 3)


def test_rocs_finds_a_contact_by_its_new_address_only(client: httpx.Client) -> None:
    row = next(row for row in world(client, "contacts", "rocs") if row["email"])
    key = row["contact_id"]
    asked = {"source": "rocs", "entity": "contacts", "action": "update", "id": key}
    fields: Json = {"email": "new@kunde.example", "email_opt_out": True, "sms_opt_out": None}
    change(client, asked | {"fields": fields})
    path, headers = "/rocs/CustomerAPI/v1/Contacts", rocs_bearer(client)
    found = client.get(path, params={"email": "new@kunde.example"}, headers=headers).json()
    assert str(found["id"]) == key
    before = client.get(path, params={"email": row["email"]}, headers=headers).json()
    assert before is None or str(before["id"]) != key
    said = [
        (one["channelType"].upper(), one["optin"])
        for one in found["contactPermissions"]
        if one["permissionGroupType"].upper() == one["permissionType"].upper() == "GLOBAL"
    ]
    assert [optin for channel, optin in said if channel == "EMAIL"] == [False]
    assert [optin for channel, optin in said if channel == "SMS"] == []


WRONG: tuple[tuple[Json, str], ...] = (
    ({"entity": "people", "action": "insert"}, "there is no 'people' of source None"),
    ({"entity": "contacts", "action": "insert"}, "source is missing: contacts are of more than"),
    ({"entity": "plans", "action": "drop", "id": "x"}, "action is one of insert, update, delete"),
    ({"entity": "plans", "action": "update"}, "id is missing"),
    ({"entity": "plans", "action": "delete", "id": "x"}, "there is no record 'x' in rosaas/plans"),
    ({"entity": "plans", "action": "insert", "id": "starter"}, "there is a record 'starter'"),
    ({"entity": "plans", "action": "update", "id": "starter", "fields": {"x": 1}}, "'x' is no col"),
    (
        {"entity": "plans", "action": "update", "id": "starter", "fields": {"display_order": "1"}},
        "display_order should be int, not '1'",
    ),
    (
        {"entity": "plans", "action": "update", "id": "starter", "fields": {"plan": "other"}},
        "plan cannot change",
    ),
    ({"entity": "approval_requests", "action": "insert"}, "needs fields.contact_id"),
)


@pytest.mark.parametrize(("asked", "said"), WRONG)
def test_what_is_wrong_with_a_change_is_said(client: httpx.Client, asked: Json, said: str) -> None:
    before = client.get("/_sandbox/log").json()
    answer = client.post("/_sandbox/changes", json=[asked])
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert answer.json()["applied"] == []
    assert client.get("/_sandbox/log").json() == before


def test_changes_before_a_wrong_one_are_made_and_named(client: httpx.Client) -> None:
    right = {"entity": "plans", "action": "update", "id": "growth", "fields": {"display_order": 9}}
    answer = client.post("/_sandbox/changes", json=[right, {"entity": "plans"}])
    assert answer.status_code == 400
    assert [entry["after"] for entry in answer.json()["applied"]] == [{"display_order": 9}]
    orders = {row["plan"]: row["display_order"] for row in world(client, "plans")}
    assert orders["growth"] == 9


@pytest.mark.parametrize("body", ["", "{}", "3", '{"random": -1}', '{"random": "x"}', "[1]"])
def test_a_body_that_is_no_list_of_changes_is_refused(client: httpx.Client, body: str) -> None:
    assert client.post("/_sandbox/changes", content=body).status_code == 400


def test_a_restart_keeps_every_change_and_cuts_off_a_torn_one(tmp_path: Path) -> None:
    options = ("--contacts", "60", "--state", str(tmp_path))
    with sandbox(*options) as client:
        made = client.post("/_sandbox/changes", json={"random": 600}).json()["applied"]
        worlds, log = whole_world(client), client.get("/_sandbox/log").json()
    assert [entry["seq"] for entry in log] == [entry["seq"] for entry in made] == [*range(1, 601)]
    with (tmp_path / "changes-1-60.jsonl").open("a") as file:
        file.write('{"seq": 601, "cause": "asked", "is_app')
    with sandbox(*options) as client:
        assert whole_world(client) == worlds
        assert client.get("/_sandbox/log").json() == log
        one = client.post("/_sandbox/changes", json={"random": 1}).json()["applied"]
        assert client.get("/_sandbox/log", params={"after": 600}).json() == one
    with sandbox(*options, "--seed", "2") as client:
        assert client.get("/_sandbox/log").json() == []
    with sandbox(*options) as client:
        assert len(client.get("/_sandbox/log").json()) == 601


def test_random_changes_are_repeatable_but_for_instants_and_reach_every_entity() -> None:
    def drawn() -> list[Json]:
        with sandbox("--contacts", "60") as client:
            made = client.post("/_sandbox/changes", json={"random": 800}).json()["applied"]
            instants = {"source_created_at", "source_updated_at", "viewed_at", "clicked_at"}
            for entry in made:
                del entry["at"]
                for side in ("before", "after"):
                    kept = (entry[side] or {}).items()
                    entry[side] = {name: value for name, value in kept if name not in instants}
            return list(made)

    first = drawn()
    assert drawn() == first
    acts = Counter(entry["action"] for entry in first)
    assert acts["update"] > 4 * acts["insert"] > 4 * acts["delete"] > 0
    assert {entry["entity"] for entry in first} == set(ENTITIES)


def test_changes_come_by_themselves_only_when_told() -> None:
    with sandbox("--contacts", "60", "--changes-per-minute", "60000") as client:
        while not (log := client.get("/_sandbox/log").json()):
            pass
        assert {entry["cause"] for entry in log} == {"random"}
    with sandbox("--contacts", "60") as client:
        worlds = whole_world(client)
        assert whole_world(client) == worlds
        assert json.loads(client.get("/_sandbox/log").content) == []
