"""Writes at the sandbox's APIs: what arrives, what is refused, and what the log says of it."""

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

CONTACTS = "/rocs/CustomerAPI/v1/Contacts"
TENANTS = "/api/management/apps/v1/tenants"


def last_entry(client: httpx.Client) -> Json:
    entry: Json = client.get("/_sandbox/log").json()[-1]
    return entry


def raw(client: httpx.Client) -> Json:
    """The first version's form for a contact's update: the token without a scheme."""
    return {"Authorization": bearer(client, "v1")["Authorization"].removeprefix("Bearer ")}


def true_contact(client: httpx.Client, key: str, source: str = "crmcom") -> Json:
    return next(row for row in world(client, "contacts", source) if row["contact_id"] == key)


def test_each_version_of_crmcom_writes_under_its_own_names(client: httpx.Client) -> None:
    rows = [row for row in world(client, "contacts", "crmcom") if row["type"] == "PERSON"]
    first, second = rows[0]["contact_id"], rows[1]["contact_id"]
    one: Json = {"email_address": "one@example.com", "preferred_language_code": "GRE"}
    one |= {"title": "Mx", "email_opt_out": "true", "email": "ignored@example.com"}
    answer = client.put(f"/self-service/v1/contacts/{first}", json=one, headers=raw(client))
    assert (answer.status_code, answer.json()) == (200, {"id": first})
    assert true_contact(client, first) == rows[0] | {
        "email": "one@example.com",
        "language": "el",
        "title": "Mx",
        "email_opt_out": True,
        "attributes": true_contact(client, first)["attributes"],
    }
    born = {"year": 1990, "month": 2, "day": 3}
    two: Json = {"email": "two@example.com", "language_code": "de", "title": "ignored"}
    two |= {"phone": {"type": "MOBILE", "country_code": "GBR", "number": "07400 123456"}}
    two |= {"demographics": {"gender": "OTHER", "date_of_birth": born}, "sms_opt_out": False}
    two |= {"custom_fields": [{"key": "shoe_size", "value": "44"}]}
    answer = client.put(f"/self-service/v2/contacts/{second}", json=two, headers=bearer(client))
    assert (answer.status_code, answer.json()) == (200, {"id": second})
    after = true_contact(client, second)
    assert after == rows[1] | {
        "email": "two@example.com",
        "language": "de",
        "phone": "+447400123456",
        "phone_country": "GB",
        "gender": "OTHER",
        "birth_on": "1990-02-03",
        "sms_opt_out": False,
        "attributes": after["attributes"],
    }
    assert after["attributes"]["custom_fields"] == [{"key": "shoe_size", "value": "44"}]
    entry = last_entry(client)
    asked = {name: entry[name] for name in ("cause", "method", "path", "entity", "id", "status")}
    assert asked == {
        "cause": "api",
        "method": "PUT",
        "path": f"/self-service/v2/contacts/{second}",
        "entity": "contacts",
        "id": second,
        "status": 200,
    }
    assert (entry["fields"], entry["is_applied"]) == (two, True)
    assert entry["before"]["email"] == rows[1]["email"]
    assert entry["after"]["email"] == "two@example.com"


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("v2", {"email_opt_out": "true"}),
        ("v2", {"phone": {"country_code": "GBR", "number": "07400123456"}}),
        ("v2", {"demographics": {"date_of_birth": {"year": 1990, "month": 2, "day": 30}}}),
        ("v2", {"custom_fields": {"shoe_size": "44"}}),
        ("v2", {"language_code": "XX"}),
        ("v1", {"first_name": 3}),
        ("v1", {"sms_opt_out": "perhaps"}),
    ],
)
def test_crmcom_refuses_a_value_of_the_wrong_kind(
    client: httpx.Client, version: str, body: Json
) -> None:
    key = world(client, "contacts", "crmcom")[5]["contact_id"]
    before = true_contact(client, key)
    headers = bearer(client) if version == "v2" else raw(client)
    path = f"/self-service/{version}/contacts/{key}"
    answer = client.put(path, json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "CRM.EXCEPTIONS.INVALIDPARAMETEREXCEPTION"
    assert true_contact(client, key) == before
    entry = last_entry(client)
    assert (entry["path"], entry["status"], entry["is_applied"]) == (path, 400, False)


def test_a_consent_is_answered_with_another_id(client: httpx.Client) -> None:
    key = world(client, "contacts", "crmcom")[6]["contact_id"]
    path = f"/self-service/v1/contacts/{key}/consents"
    answer = client.put(path, json={"consent_state": "WITHDRAWN"}, headers=raw(client))
    assert answer.status_code == 200
    assert answer.json()["id"] != key
    assert true_contact(client, key)["consent_state"] == "WITHDRAWN"
    path = path.replace("v1", "v2")
    gone = client.put(path, json={"consent_state": "ACCEPTED"}, headers=bearer(client))
    assert gone.status_code == 404


def test_a_message_is_marked_and_the_second_version_wants_both_marks(client: httpx.Client) -> None:
    row = next(row for row in world(client, "communications", "crmcom") if not row["is_viewed"])
    path = f"/self-service/v2/communications/{row['communication_id']}/actions"
    headers = bearer(client)
    assert client.put(path, json={"viewed": True}, headers=headers).status_code == 400
    assert client.post(path, json={}, headers=headers).status_code == 405
    answer = client.put(path, json={"viewed": True, "archived": True}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"id": row["communication_id"]})
    now = client.get(path.removesuffix("/actions"), headers=headers).json()
    assert (now["is_viewed"], now["is_archived"], now["viewed_on"] > 0) == (True, True, True)
    unseen = {"viewed": "false"}
    path = path.replace("v2", "v1")
    assert client.put(path, json=unseen, headers=raw(client)).status_code == 200
    assert last_entry(client)["after"] == {"is_viewed": False, "viewed_at": None}


def test_an_approval_is_given_once(client: httpx.Client) -> None:
    rows = world(client, "approval_requests")
    row = next(row for row in rows if row["state"] == "PENDING")
    path = f"/self-service/v2/approval_requests/{row['approval_request_id']}/actions"
    body = {"action": "ACCEPT", "comments": "fine"}
    answer = client.post(path, json=body, headers=bearer(client))
    assert (answer.status_code, answer.json()) == (200, {"id": row["approval_request_id"]})
    assert last_entry(client)["after"] | {"attributes": None} == {
        "state": "APPROVED",
        "attributes": None,
    }
    assert client.post(path, json=body, headers=bearer(client)).status_code == 400
    shown = client.get(
        f"/self-service/v2/contacts/{row['contact_id']}/approval_requests", headers=bearer(client)
    ).json()["content"]
    mine = next(one for one in shown if one["id"] == row["approval_request_id"])
    assert (mine["state"], mine["comments"]) == ("APPROVED", "fine")


def test_who_may_not_read_may_not_write_and_an_unknown_record_is_a_400(
    client: httpx.Client,
) -> None:
    path = "/self-service/v2/contacts/nobody"
    assert client.put(path, json={}, headers={}).status_code == 401
    unknown = client.put(path, json={}, headers=bearer(client))
    assert (unknown.status_code, unknown.json()["error"]) == (
        400,
        "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION",
    )
    with sandbox("--contacts", "5", "--denied", "1") as closed:
        key = world(closed, "contacts", "crmcom")[0]["contact_id"]
        for method in ("GET", "PUT"):
            path = f"/self-service/v2/contacts/{key}"
            answer = closed.request(method, path, json={}, headers=bearer(closed))
            assert answer.status_code == 403


def test_a_contact_of_rocs_is_created_replaced_and_deleted(client: httpx.Client) -> None:
    headers = rocs_bearer(client)
    sent: Json = {"firstname": "Kari", "email": "Kari@kunde.example", "gender": "F"}
    sent |= {"dob": "1985-06-17T02:00:00", "phoneMobile": "+47 406 12345", "customerNumber": "7"}
    permission = {"channelType": "EMAIL", "permissionGroupType": "Global", "optin": True}
    sent["contactPermissions"] = [permission | {"permissionType": "GLobal"}]
    answer = client.post(CONTACTS, json=sent, headers=headers)
    assert answer.status_code == 200
    key = answer.json()["id"]
    empty = dict.fromkeys(true_contact(client, str(key), "rocs"))
    wanted = empty | {
        "source": "rocs",
        "contact_id": str(key),
        "first_name": "Kari",
        "email": "kari@kunde.example",
        "gender": "FEMALE",
        "birth_on": "1985-06-17",
        "phone": "+4740612345",
        "email_opt_out": False,
        "attributes": {
            "contactPermissions": sent["contactPermissions"],
            "customerNumber": "7",
            "dob": "1985-06-17T02:00:00",
            "dynamic_fields": {},
        },
    }
    assert true_contact(client, str(key), "rocs") == wanted
    answer = client.put(CONTACTS, json={"id": key, "lastname": "Moe"}, headers=headers)
    assert answer.json() | {"lastname": "Moe"} == {"id": key, "lastname": "Moe"} | {
        name: answer.json()[name] for name in ("externalId",) if name in answer.json()
    }
    left: Json = {"dynamic_fields": {}}
    only = {"source": "rocs", "contact_id": str(key), "last_name": "Moe", "attributes": left}
    assert true_contact(client, str(key), "rocs") == empty | only
    assert client.delete(CONTACTS, params={"id": key}, headers=headers).status_code == 200
    assert client.get(CONTACTS, params={"id": key}, headers=headers).status_code == 404
    assert client.delete(CONTACTS, params={"id": key}, headers=headers).status_code == 404


def test_what_rocs_sends_of_a_contact_can_be_sent_back_unchanged(client: httpx.Client) -> None:
    headers = rocs_bearer(client)
    before = world(client, "contacts", "rocs")
    for row in before:
        shown = client.get(CONTACTS, params={"id": row["contact_id"]}, headers=headers).json()
        assert client.put(CONTACTS, json=shown, headers=headers).status_code == 200
        assert last_entry(client)["before"] == {}
    assert world(client, "contacts", "rocs") == before


def test_dynamic_fields_of_rocs_are_replaced_as_a_whole(client: httpx.Client) -> None:
    headers = rocs_bearer(client)
    path = "/rocs/CustomerAPI/v1/DynamicFields"
    before = world(client, "contacts", "rocs")[0]
    key = before["contact_id"]
    sent: Json = {"size": 41.5, "ny": [{"a": None}, "å"]}
    answer = client.put(path, params={"id": key}, json=sent, headers=headers)
    assert (answer.status_code, answer.json()) == (200, sent)
    assert client.get(path, params={"id": key}, headers=headers).json() == sent
    attributes = before["attributes"] | {"dynamic_fields": sent}
    assert true_contact(client, key, "rocs") == before | {"attributes": attributes}
    statuses = [
        client.put(path, params={"id": "5"}, json=sent, headers=headers).status_code,
        client.put(path, params={"id": "x"}, json=sent, headers=headers).status_code,
        client.put(path, params={"id": key}, json=[], headers=headers).status_code,
        client.post(path, params={"id": key}, json=sent, headers=headers).status_code,
        client.put(path, params={"id": key}, json=sent).status_code,
    ]
    assert statuses == [404, 500, 500, 405, 401]
    assert true_contact(client, key, "rocs") == before | {"attributes": attributes}


@pytest.mark.parametrize("body", ["", "[]", '{"id": 1, "firstname": "x"}', '{"email": 3}'])
def test_rocs_answers_what_it_cannot_create_with_500(client: httpx.Client, body: str) -> None:
    before = world(client, "contacts", "rocs")
    answer = client.post(CONTACTS, content=body, headers=rocs_bearer(client))
    assert (answer.status_code, answer.text) == (500, "An error has occurred.")
    assert world(client, "contacts", "rocs") == before


MOVES = (
    ("RecordCreated", "", 200, "SendingCreationRequest"),
    ("Creating", "created", 200, "CreatedAsActive"),
    ("Activating", "active", 200, "Active"),
    ("Deactivating", "inactive", 200, "Inactive"),
    ("Deleting", "deleted", 200, "Deleted"),
    ("Activating", "failure", 200, "Failure"),
    ("Inactive", "ActivationRequest", 200, "SendingActivationRequest"),
    ("Active", "DeactivationRequest", 200, "SendingDeactivationRequest"),
    ("Active", "active", "3002", "Active"),
    ("Inactive", "inactive", "3003", "Inactive"),
    ("Deleted", "deleted", "3003", "Deleted"),
    ("Active", "inactive", "3008", "Active"),
    ("Active", "failure", "3008", "Active"),
)


@pytest.mark.parametrize(("start", "call", "told", "end"), MOVES)
def test_a_tenant_moves_only_where_the_contract_lets_it(
    client: httpx.Client, start: str, call: str, told: int | str, end: str
) -> None:
    change(
        client,
        {"entity": "tenants", "action": "update", "id": "7", "fields": {"status": start}},
    )
    path = f"{TENANTS}/7/{call}".rstrip("/")
    answer = client.post(path, json={}, headers=rosaas_bearer(client))
    if isinstance(told, int):
        assert (answer.status_code, answer.json()) == (
            200,
            {"metadata": {"errors": [], "success": True}},
        )
    else:
        assert answer.status_code == 400
        assert [error["sysCode"] for error in answer.json()["metadata"]["errors"]] == [told]
    tenants = {row["tenant_name"]: row["status"] for row in world(client, "tenants")}
    assert tenants["7"] == end


def test_metadata_of_a_tenant_is_replaced_whole(client: httpx.Client) -> None:
    headers = rosaas_bearer(client)
    path = f"{TENANTS}/7/metadata"
    sent: Json = {"seats": 3, "owner": {"name": "Zoë"}}
    assert client.post(path, json=sent, headers=headers).status_code == 200
    assert client.get(path, headers=headers).json()["Data"] == sent
    assert client.post(path, content="{", headers=headers).status_code == 400
    unknown = client.post(f"{TENANTS}/nobody/metadata", json=sent, headers=headers)
    [error] = unknown.json()["metadata"]["errors"]
    told = (unknown.status_code, error["sysCode"], error["parameter"])
    assert told == (400, "1005", "TenantName")
    assert client.get(path, headers=headers).json()["Data"] == sent


def test_an_applied_upgrade_is_logged(client: httpx.Client) -> None:
    path = f"{TENANTS}/7/subscription/upgrade"
    assert client.post(path, headers=rosaas_bearer(client)).status_code == 200
    entry = last_entry(client)
    assert (entry["path"], entry["id"], entry["after"]) == (path, "7", {})
