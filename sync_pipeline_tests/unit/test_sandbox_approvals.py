"""Approval requests of the sandbox: what each version says of them, filters, and the truth."""

from collections import Counter

import pytest

from sync_pipeline.sandbox.world import World
from sync_pipeline_tests.sandbox_calls import Crmcom, Json, true_rows

# Its contact has three, among them every oddity but a word that nobody documents.
CONTACT = 2


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 1_000)


@pytest.fixture(scope="module")
def v1(world: World) -> Crmcom:
    return Crmcom(world, "v1")


@pytest.fixture(scope="module")
def v2(world: World) -> Crmcom:
    return Crmcom(world, "v2")


def path_of(world: World, index: int) -> str:
    return f"contacts/{world.contact_id(index)}/approval_requests"


def every_item(api: Crmcom) -> list[Json]:
    """All of the world, in the order of the world."""
    found: list[Json] = []
    for index in range(api.world.contacts):
        status, answer = api.get(path_of(api.world, index), order="ASC")
        assert status == 200
        found += answer["content"] or []
    return found


REQUESTS: tuple[Json, ...] = (
    {
        "id": "67de89cf-1115-7dd2-2e15-0461c155b177",
        "state": "PENDING",
        "comments": "Approved by phone",
        "entity": {
            "id": "b8cde44e-f065-c6bf-543e-b10298792fd8",
            "type": "ORGANISATIONS",
            "reference": "0286400",
            "stage_id": "c41c1aca-ddfc-f411-5336-ecd404a769d0",
        },
    },
    {
        "id": "D82D5D56E860076311E7BF3E1E07B4A7",
        "state": "PENDING",
        "comments": "",
        "entity": {
            "id": "d6a17cf7-d2b6-5c19-a0a6-efb83c09f86a",
            "type": "REWARD_OFFERS",
            "reference": "Δώρο 887692",
            "stage_id": None,
        },
    },
    {
        "id": "971C6E7770D38B30E93C6C3F7D73FCF2",
        "state": "APPROVED",
        "comments": "Όχι τώρα, ευχαριστώ 🙏",
        "entity": {
            "id": "f026006c-986e-5574-dd87-6681c825e767",
            "type": "ORDERS",
            "reference": "ORD-383025",
        },
    },
)


def test_the_later_version_tells_stage_and_comments(v2: Crmcom) -> None:
    status, answer = v2.get(path_of(v2.world, CONTACT), order="ASC")
    assert status == 200
    assert answer == {"content": [*REQUESTS], "paging": {"page": 1, "size": 3, "total": 3}}


def test_the_first_version_tells_neither_and_says_some_types_in_the_singular(v1: Crmcom) -> None:
    _, answer = v1.get(path_of(v1.world, CONTACT), order="ASC")
    assert answer["content"] == [
        {
            "id": request["id"],
            "state": request["state"],
            "entity": {
                "id": entity["id"],
                "type": "ORDER" if entity["type"] == "ORDERS" else entity["type"],
                "reference": entity["reference"],
            },
        }
        for request in REQUESTS
        for entity in [request["entity"]]
    ]


def test_truth_is_what_a_reader_of_each_version_holds(world: World) -> None:
    columns = [
        {
            "source": "crmcom",
            "approval_request_id": request["id"],
            "contact_id": world.contact_id(CONTACT),
            "state": request["state"],
            "entity_type": entity["type"],
            "entity_id": entity["id"],
            "entity_reference": entity["reference"],
        }
        for request in REQUESTS
        for entity in [request["entity"]]
    ]
    told: list[Json] = [
        {
            "comments": "Approved by phone",
            "entity": {"stage_id": "c41c1aca-ddfc-f411-5336-ecd404a769d0"},
        },
        {"comments": "", "entity": {"stage_id": None}},
        {"comments": "Όχι τώρα, ευχαριστώ 🙏"},
    ]
    first = {
        version: true_rows(world, "approval_requests", version)[:3] for version in ("v1", "v2")
    }
    assert first == {
        "v1": [{**row, "attributes": {}} for row in columns],
        "v2": [
            {**row, "attributes": attributes} for row, attributes in zip(columns, told, strict=True)
        ],
    }


def test_both_versions_list_the_requests_of_the_world(v1: Crmcom, v2: Crmcom) -> None:
    rows = true_rows(v1.world, "approval_requests", "v1")
    ids = [row["approval_request_id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert [item["id"] for item in every_item(v1)] == ids
    assert [item["id"] for item in every_item(v2)] == ids


def test_every_oddity_is_met_among_a_thousand_contacts(v1: Crmcom, v2: Crmcom) -> None:
    rows = true_rows(v1.world, "approval_requests", "v2")
    of_contact = Counter(row["contact_id"] for row in rows)
    assert set(of_contact.values()) == {1, 2, 3}
    assert len(of_contact) < v1.world.contacts
    states = Counter(row["state"] for row in rows)
    assert set(states) == {"PENDING", "APPROVED", "REJECTED", "CANCELLED"}
    assert 5 < states["CANCELLED"] < len(rows) / 20
    plural = {"ORDERS", "SERVICE_REQUESTS", "REWARD_OFFERS", "ORGANISATIONS"}
    singular = {word.removesuffix("S") for word in plural}
    assert {row["entity_type"] for row in rows} == plural
    assert {item["entity"]["type"] for item in every_item(v1)} == plural | singular
    assert {item["entity"]["type"] for item in every_item(v2)} == plural
    assert None in {row["entity_reference"] for row in rows}
    assert {None, "", "line one\nline two "} <= {row["attributes"]["comments"] for row in rows}
    assert {"entity" in row["attributes"] for row in rows} == {True, False}
    assert {item["id"] for item in every_item(v1)} == {row["approval_request_id"] for row in rows}


def test_pages_come_newest_first_and_an_empty_list_is_null_or_an_array(v2: Crmcom) -> None:
    path = path_of(v2.world, CONTACT)
    newest = [request["id"] for request in reversed(REQUESTS)]
    pages = [v2.get(path, size=2, page=page)[1] for page in (1, 2, 3)]
    assert [[item["id"] for item in page["content"]] for page in pages] == [
        newest[:2],
        newest[2:],
        [],
    ]
    empty = [
        v2.get(path_of(v2.world, index))[1]["content"]
        for index in range(200)
        if not v2.world.approval_requests(index)
    ]
    assert None in empty
    assert [] in empty


def test_filters_keep_only_what_they_ask_for(v2: Crmcom) -> None:
    path = path_of(v2.world, CONTACT)

    def ids(**params: str | int) -> list[str]:
        answer = v2.get(path, order="ASC", **params)[1]
        return [item["id"] for item in answer["content"] or []]

    first, second, third = (request["id"] for request in REQUESTS)
    assert ids(state="PENDING") == [first, second]
    assert ids(entity_types="ORDERS") == [third]
    assert ids(state="PENDING", entity_types="REWARD_OFFERS") == [second]
    assert ids(state="REJECTED") == []
    # Nothing tells when a request was made, so nothing can be asked of it.
    assert ids(**{"created_on[gte]": 4_000_000_000}) == [first, second, third]
    assert v2.get(path, state="OPEN")[0] == 404
    assert v2.get(path, sort="POSTED_DATE")[0] == 404
    assert v2.get(path, sort="SCHEDULED_DATE")[0] == 200
    assert v2.get(path, size="many")[0] == 400


def test_the_token_has_one_header_in_each_version(v1: Crmcom, v2: Crmcom) -> None:
    statuses = []
    for api in (v1, v2):
        headers: tuple[dict[str, str], ...] = (
            {"auth_token": api.token},
            {"Authorization": f"Bearer {api.token}"},
            {"Authorization": api.token},
            {},
        )
        path = path_of(api.world, CONTACT)
        statuses.append([api.send("GET", path, headers=given)[0] for given in headers])
    assert statuses == [[200, 401, 401, 401], [401, 200, 401, 401]]


def test_an_unknown_contact_is_a_400_that_names_it(v1: Crmcom) -> None:
    status, answer = v1.get("contacts/no-such-id/approval_requests")
    assert status == 400
    assert answer["parameters"] == ["contact", "no-such-id"]
