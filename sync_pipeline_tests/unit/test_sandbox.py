"""The sandbox as a client meets it: a real process on loopback, spoken to over HTTP."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from sync_pipeline_tests.sandbox_process import Json, sandbox

# Contact 4,242 has more communications than the vendor counts.
CONTACTS = 4_300
UNAUTHORISED = {
    "status": 401,
    "message": "The provided API Key or Token is invalid.",
    "error": "CRM.EXCEPTIONS.UNAUTHORIZEDEXCEPTION",
    "parameters": [],
}
CRMCOM = "/self-service/v1"
BACKOFFICE = "/backoffice/v1/contacts"
TENANTS = "/api/management/apps/v1/tenants"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", str(CONTACTS)) as running:
        yield running


@pytest.fixture(scope="module")
def environment(client: httpx.Client) -> dict[str, str]:
    answer: dict[str, str] = client.get("/_sandbox/env").json()
    return answer


def log_in(client: httpx.Client, **changes: str) -> httpx.Response:
    body = {"provider": "EMAIL", "username": "service@sandbox.example"}
    body |= {"password": "sandbox-password"} | changes
    body = {name: value for name, value in body.items() if value}
    headers = {"api_key": "sandbox-api-key"}
    return client.post(f"{CRMCOM}/contacts/authenticate", json=body, headers=headers)


@pytest.fixture(scope="module")
def token(client: httpx.Client) -> str:
    return str(log_in(client).json()["access_token"])


@pytest.fixture(scope="module")
def contact_ids(client: httpx.Client) -> list[str]:
    """In order of creation, as the Back-Office lists them."""
    headers = {"api_key": "sandbox-secret-key"}
    ids: list[str] = []
    for page in range(1, CONTACTS // 100 + 1):
        answer = client.get(BACKOFFICE, params={"size": 100, "page": page}, headers=headers).json()
        assert answer["paging"] == {
            "page": page,
            "size": 100,
            "total": CONTACTS,
            "has_more": page < CONTACTS // 100,
        }
        ids += [item["id"] for item in answer["content"]]
    return ids


def communications(
    client: httpx.Client, token: str, contact_id: str, **params: str | int
) -> httpx.Response:
    path = f"{CRMCOM}/contacts/{contact_id}/communications"
    return client.get(path, params=params, headers={"Authorization": token})


def every_page(client: httpx.Client, token: str, contact_id: str, order: str) -> list[Json]:
    rows: list[Json] = []
    page = 1
    while True:
        params: dict[str, str | int] = {
            "size": 100,
            "page": page,
            "sort": "CREATED_DATE",
            "order": order,
        }
        answer = communications(client, token, contact_id, **params).json()
        rows += answer["content"]
        if len(answer["content"]) < 100:
            return rows
        page += 1


def claims(token: str) -> Json:
    part = token.split(".")[1]
    answer: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return answer


def rosaas_token(client: httpx.Client) -> str:
    body = {"clientId": "sandbox-client", "clientSecret": "sandbox-client-secret"}
    answer = client.post("/api/identity/apps/v1/auth", json=body).json()
    assert answer["metadata"] == {"errors": [], "success": True}
    return str(answer["data"]["token"]["accessToken"])


# The process


def test_two_processes_serve_the_same_bytes_and_another_seed_serves_others() -> None:
    entities = ("contacts", "communications", "tenants", "plans", "contact_lists", "campaigns")
    paths = [f"/_sandbox/world/{entity}" for entity in entities]

    def served(seed: str) -> list[bytes]:
        with sandbox("--contacts", "25", "--seed", seed) as client:
            bearer = str(log_in(client).json()["access_token"])
            bodies = [client.get(path).content for path in paths]
            for contact in json.loads(bodies[0]):
                if contact["source"] != "crmcom":
                    continue
                path = f"{CRMCOM}/contacts/{contact['contact_id']}"
                headers = {"Authorization": f"Bearer {bearer}"}
                bodies.append(client.get(path, headers=headers).content)
                listed = communications(client, bearer, contact["contact_id"], size=100)
                bodies.append(listed.content)
            headers = {"Authorization": f"Bearer {rosaas_token(client)}"}
            bodies.append(client.get(TENANTS, headers=headers).content)
            return bodies

    first, again, other = served("1"), served("1"), served("2")
    assert again == first
    assert [body for body in other[:5] + other[-1:] if body in first] == []


def test_nothing_else_of_the_package_is_imported() -> None:
    code = (
        "import sys; import sync_pipeline.sandbox.__main__; "
        "print([name for name in sys.modules if name.startswith('sync_pipeline.') "
        "and not name.startswith('sync_pipeline.sandbox')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_print_env_names_what_points_at_the_sandbox_and_ends() -> None:
    command = [sys.executable, "-m", "sync_pipeline.sandbox", "--port", "9", "--print-env"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == [
        "CRMCOM_BASE_URL=http://127.0.0.1:9/self-service/v1",
        "CRMCOM_API_KEY=sandbox-api-key",
        "CRMCOM_USERNAME=service@sandbox.example",
        "CRMCOM_PASSWORD=sandbox-password",
        "CRMCOM_BACKOFFICE_URL=http://127.0.0.1:9/backoffice/v1",
        "CRMCOM_SECRET_KEY=sandbox-secret-key",
        "ROSAAS_BASE_URL=http://127.0.0.1:9",
        "ROSAAS_CLIENT_ID=sandbox-client",
        "ROSAAS_CLIENT_SECRET=sandbox-client-secret",
        "ROCS_BASE_URL=http://127.0.0.1:9/rocs",
        "ROCS_TOKEN_URL=http://127.0.0.1:9/rocs-login/oauth2/token",
        "ROCS_CLIENT_ID=sandbox-rocs-client",
        "ROCS_CLIENT_SECRET=sandbox-rocs-secret",
        "ROCS_RESOURCE=https://rocs.sandbox.example",
        "ROCS_ACTIVITY_PATH=/CommunicationAPI/v1/Activities",
        "ROCS_LISTS_PATH=/ListAPI/v1/Lists",
        "ROCS_CAMPAIGNS_PATH=/CampaignAPI/v1/Campaigns",
        "ROCS_DYNAMIC_PATH=/CustomerAPI/v1/DynamicFields",
        (
            "ROCS_PUSH_FIELDS=attributes.contactInterests=array,"
            "attributes.dynamic_fields.loyaltyTier=string,"
            "attributes.dynamic_fields.shoeSize=number,"
            "attributes.dynamic_fields.isMember=boolean,"
            "attributes.dynamic_fields.Favorittbutikk=object,"
            "attributes.dynamic_fields.ref=any"
        ),
    ]


def test_a_taken_port_is_refused_in_one_line(client: httpx.Client) -> None:
    command = [sys.executable, "-m", "sync_pipeline.sandbox", "--port", str(client.base_url.port)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{client.base_url.port}" in answer.stderr


def test_info_says_what_world_this_is(client: httpx.Client, environment: dict[str, str]) -> None:
    address = str(client.base_url).rstrip("/")
    assert client.get("/_sandbox/info").json() == {
        "version": 1,
        "seed": 1,
        "contacts": CONTACTS,
        "latency_ms": 0.0,
        "address": address,
    }
    assert environment["ROSAAS_BASE_URL"] == address
    assert environment["CRMCOM_BASE_URL"] == f"{address}/self-service/v1"


# Logging in to CRM.COM, and which header carries what


def test_login_answers_in_the_vendors_shape_with_two_expiries(client: httpx.Client) -> None:
    answer = log_in(client).json()
    assert answer["refresh_token"] == ""
    assert int(answer["exp"]) == claims(answer["access_token"])["exp"] + 3600
    assert isinstance(answer["exp"], str)
    assert answer["contact"]["is_verified"] == "false"
    header = answer["access_token"].split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "HS512"}


@pytest.mark.parametrize("changes", [{"password": ""}, {"provider": "PHONE"}])
def test_login_without_a_password_asks_for_a_one_time_password(
    client: httpx.Client, changes: dict[str, str]
) -> None:
    answer = log_in(client, **changes)
    assert answer.status_code == 200
    assert set(answer.json()) == {"obfuscated_value", "auth_otp"}


def test_wrong_credentials_are_refused(client: httpx.Client) -> None:
    path = f"{CRMCOM}/contacts/authenticate"
    body = {"provider": "EMAIL", "username": "service@sandbox.example", "password": "no"}
    answers = [
        log_in(client, password="wrong-word"),  # noqa: S106 -- a wrong one
        log_in(client, username="nobody@sandbox.example"),
        client.post(path, json=body),
        client.post(path, json=body, headers={"api_key": "sandbox-secret-key"}),
        client.get(BACKOFFICE, headers={"api_key": "sandbox-api-key"}),
        client.get(BACKOFFICE),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, UNAUTHORISED)] * 6


def test_each_call_takes_one_header_scheme_and_refuses_the_others(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    listed = communications(client, token, contact_ids[17]).json()["content"]
    paths = (
        f"{CRMCOM}/contacts/{contact_ids[17]}",
        f"{CRMCOM}/contacts/{contact_ids[17]}/communications",
        f"{CRMCOM}/communications/{listed[0]['id']}",
    )
    schemes: tuple[dict[str, str], ...] = (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": token},
        {"auth_token": token},
        {},
        {"Authorization": f"Bearer {token}x", "auth_token": f"{token}x"},
    )
    statuses = [
        [client.get(path, headers=headers).status_code for headers in schemes] for path in paths
    ]
    assert statuses == [
        [200, 401, 401, 401, 401],
        [401, 200, 401, 401, 401],
        [401, 401, 200, 401, 401],
    ]
    assert client.get(paths[0]).json() == UNAUTHORISED


@pytest.mark.parametrize("identifier", ["no-such-id", "789dacae-cf71-414f-9483-ca88acaa46432"])
def test_an_unknown_record_is_a_400_that_names_it(
    client: httpx.Client, token: str, identifier: str
) -> None:
    answers = {
        "contact": [
            client.get(
                f"{CRMCOM}/contacts/{identifier}", headers={"Authorization": f"Bearer {token}"}
            ),
            communications(client, token, identifier),
        ],
        "communication": [
            client.get(f"{CRMCOM}/communications/{identifier}", headers={"auth_token": token})
        ],
    }
    for entity, given in answers.items():
        for answer in given:
            assert answer.status_code == 400
            assert answer.json() == {
                "status": 400,
                "message": "Record not found.",
                "error": "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION",
                "parameters": [entity, identifier],
            }


# The lists of CRM.COM


def test_the_backoffice_lists_every_contact_once_in_the_order_of_the_world(
    client: httpx.Client, contact_ids: list[str]
) -> None:
    world = client.get("/_sandbox/world/contacts").json()
    assert contact_ids == [row["contact_id"] for row in world if row["source"] == "crmcom"]
    assert len(set(contact_ids)) == CONTACTS
    too_large = client.get(
        BACKOFFICE, params={"size": 500}, headers={"api_key": "sandbox-secret-key"}
    )
    assert len(too_large.json()["content"]) == 100


def test_pages_hold_each_communication_once_in_either_order(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    ascending = every_page(client, token, contact_ids[137], "ASC")
    descending = every_page(client, token, contact_ids[137], "DESC")
    assert descending == ascending[::-1]
    assert len({row["id"] for row in ascending}) == len(ascending) >= 2_000
    assert {row["contact_id"] for row in ascending} == {contact_ids[137]}
    created = [
        client.get(f"{CRMCOM}/communications/{row['id']}", headers={"auth_token": token}).json()
        for row in ascending[:60]
    ]
    instants = [row["created_on"] for row in created]
    assert instants == sorted(instants)


def test_default_page_is_the_ten_newest_and_size_is_cut_at_a_hundred(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    newest = every_page(client, token, contact_ids[17], "DESC")
    default = communications(client, token, contact_ids[17], nonsense="1").json()
    assert default == {
        "content": newest[:10],
        "paging": {"page": 1, "size": 10, "total": len(newest)},
    }
    cut = communications(client, token, contact_ids[17], size=5_000).json()
    assert cut["content"] == newest[:100]
    last = -(-len(newest) // 100)
    short = communications(client, token, contact_ids[17], size=100, page=last).json()
    assert short["paging"]["size"] == len(short["content"]) == len(newest) - 100 * (last - 1)
    beyond = communications(client, token, contact_ids[17], size=100, page=last + 1).json()
    assert beyond["content"] == []


def test_a_total_beyond_ten_thousand_is_null(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    answer = communications(client, token, contact_ids[4_242], size=100, page=100).json()
    assert answer["paging"] == {"page": 100, "size": 100, "total": None}


def test_an_empty_list_is_null_for_some_contacts_and_an_array_for_others(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    empty = [
        communications(client, token, contact_ids[index]).json() for index in range(4, 200, 10)
    ]
    assert {json.dumps(answer["content"]) for answer in empty} == {"null", "[]"}
    assert all(answer["paging"] == {"page": 1, "size": 0, "total": 0} for answer in empty)


def test_filters_keep_only_what_they_ask_for(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    rows = every_page(client, token, contact_ids[17], "DESC")
    filters: dict[str, dict[str, str]] = {
        "channel": {"channel": "SMS"},
        "is_viewed": {"viewed": "TRUE"},
        "is_archived": {"archived": "true"},
    }
    for field, params in filters.items():
        wanted = [row for row in rows if row[field] in ("SMS", True)]
        answer = communications(client, token, contact_ids[17], size=100, **params).json()
        assert answer["content"] == wanted[:100]
        assert answer["paging"]["total"] == len(wanted)
    unknown = communications(client, token, contact_ids[17], order="UP")
    assert unknown.status_code == 404
    assert communications(client, token, contact_ids[17], page=0).status_code == 400


def test_list_item_and_single_form_carry_the_same_message(
    client: httpx.Client, token: str, contact_ids: list[str]
) -> None:
    listed = communications(client, token, contact_ids[17]).json()["content"][0]
    single = client.get(
        f"{CRMCOM}/communications/{listed['id']}", headers={"auth_token": token}
    ).json()
    assert single["contact"]["id"] == listed["contact_id"]
    shared = set(listed) - {"id", "contact_id"}
    assert {name: single[name] for name in shared} == {name: listed[name] for name in shared}
    assert "id" not in single
    assert "created_on" not in listed


# RoSaaS


def test_rosaas_refuses_bad_credentials_with_400_and_a_bad_token_with_an_empty_401(
    client: httpx.Client,
) -> None:
    path = "/api/identity/apps/v1/auth"
    wrong = client.post(path, json={"clientId": "sandbox-client", "clientSecret": "no"})
    assert wrong.status_code == 400
    error = {"message": "The client credentials are not valid", "sysCode": "2002", "parameter": ""}
    assert wrong.json() == {"metadata": {"errors": [error], "success": False}}
    missing = client.post(path, json={"clientId": "sandbox-client"}).json()
    assert missing["metadata"]["errors"][0]["sysCode"] == "1001"
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": rosaas_token(client)}):
        answer = client.get(TENANTS, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")


def test_every_tenant_is_listed_and_found_by_its_name_in_any_case(client: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {rosaas_token(client)}"}
    world = client.get("/_sandbox/world/tenants").json()
    listed = client.get(TENANTS, headers=headers).json()["data"]
    assert [item["systemName"] for item in listed] == [row["tenant_name"] for row in world]
    for item, row in zip(listed, world, strict=True):
        path = f"{TENANTS}/{quote(row['tenant_name'].upper(), safe='')}"
        detail = client.get(path, headers=headers).json()["data"]
        assert detail["systemName"] == row["tenant_name"]
        assert (detail["status"], item["status"]) == (row["status_code"],) * 2
        assert (item["tenantId"], item["subscriptionId"]) == (
            row["tenant_id"],
            row["subscription_id"],
        )
        assert detail["specifications"] == row["specifications"]
        assert isinstance(detail["metadata"], str | None)


def test_an_unknown_tenant_is_null_with_200(client: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {rosaas_token(client)}"}
    answer = client.get(f"{TENANTS}/nobody", headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {"data": None, "metadata": {"errors": [], "success": True}}


# ROCS


def test_rocs_gives_a_token_for_a_form_and_its_contacts_for_the_token(
    client: httpx.Client,
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-rocs-client",
        "client_secret": "sandbox-rocs-secret",
        "resource": "https://rocs.sandbox.example",
    }
    token = client.post("/rocs-login/oauth2/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    path = "/rocs/CustomerAPI/v1/Contacts"
    answer = client.get(path, params={"pageSize": 1}, headers=headers).json()
    assert answer["totalCount"] == CONTACTS * 3 // 5
    identifier = answer["items"][0]["id"]
    assert client.get(path, params={"id": identifier}, headers=headers).json() == answer["items"][0]
    refused = client.get(path)
    assert (refused.status_code, refused.content) == (401, b"")


# The truth


def test_the_world_is_streamed_as_one_array_of_canonical_rows() -> None:
    with sandbox("--contacts", "40") as client:
        rows = client.get("/_sandbox/world/communications").json()
        contacts = client.get("/_sandbox/world/contacts").json()
        assert client.get("/_sandbox/world/nothing").status_code == 404
    assert [row["source"] for row in contacts] == ["crmcom"] * 40 + ["rocs"] * 24
    sources = [row["source"] for row in rows]
    assert sources == sorted(sources)
    assert sources.count("rocs") == 68
    assert len(rows) > 150
    rows = [row for row in rows if row["source"] == "crmcom"]
    odd = [row for row in rows if "content" in row["attributes"]]
    assert [row["contact_id"] for row in odd] == [contacts[5]["contact_id"]]
    assert odd[0]["attributes"]["content"].count("\\u0000") == 2
    assert odd[0]["content"] == odd[0]["attributes"]["content"].replace("\\u0000", "")
    assert odd[0]["source_created_at"].endswith("+00:00")


def test_an_empty_world_is_an_empty_array() -> None:
    with sandbox("--contacts", "0") as client:
        assert client.get("/_sandbox/world/contacts").json() == []
        headers = {"api_key": "sandbox-secret-key"}
        assert client.get(BACKOFFICE, headers=headers).json() == {
            "content": [],
            "paging": {"page": 1, "size": 0, "total": 0, "has_more": False},
        }
