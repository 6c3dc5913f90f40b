"""ROCS over real HTTP: lists whose form the vendor does not publish, lookups, open objects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from sync_pipeline.errors import (
    RequestRefusedError,
    SettingsError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.answers import Page
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs import ContactKey, RocsApi, open_rocs
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

T = TypeVar("T")
LOGIN = "/a-tenant/oauth2/token"
CONTACTS = "/rocs/CustomerAPI/v1/Contacts"
DYNAMIC = "/rocs/CustomerAPI/v1/DynamicFields"
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
PATHS = {
    "activity_path": "/CommunicationAPI/v1/Activities",
    "lists_path": "/ListAPI/v1/Lists",
    "campaigns_path": "/CampaignAPI/v1/Campaigns",
    "dynamic_path": "/CustomerAPI/v1/DynamicFields",
}
LISTS: dict[str, Callable[[RocsApi, int], Awaitable[Page]]] = {
    CONTACTS: RocsApi.contacts_page,
    "/rocs/CommunicationAPI/v1/Activities": RocsApi.activity_page,
    "/rocs/ListAPI/v1/Lists": RocsApi.contact_lists_page,
    "/rocs/CampaignAPI/v1/Campaigns": RocsApi.campaigns_page,
}

# Vendor sample, ROCS `GET /CustomerAPI/v1/Contacts`: its fields and values as far as published.
CONTACT_SAMPLE = """{
  "id": 11866,
  "contactStatus": "ACTIVE",
  "contactType": "CUSTOMER",
  "dob": "1970-12-30T00:00:00",
  "email": "post@example.no",
  "externalId": "11866",
  "firstname": "Kari",
  "gender": "F",
  "lastname": "Løvik",
  "organizationId": 0,
  "sourceType": "Api",
  "contactAddresses": [
    { "id": 1, "addressType": "Gateadresse", "contactId": 11866, "sourceType": "Api" }
  ],
  "contactInterests": [],
  "contactPermissions": [
    {
      "id": 1, "channelType": "EMAIL", "contactId": 11866, "optin": true, "optinType": "Single",
      "permissionGroupType": "Global", "permissionType": "GLobal", "sourceType": "Api"
    }
  ],
  "organizationEmployees": []
}""".encode()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script("POST", LOGIN, Scripted.json({"access_token": "token-one"}))
        yield server


def read(server: ScriptedServer, use: Callable[[RocsApi], Awaitable[T]], **changed: object) -> T:
    values: dict[str, object] = {
        "base_url": f"{server.url}/rocs",
        "token_url": f"{server.url}{LOGIN}",
        "client_id": "client-7",
        "client_secret": "s3cret-value",
        "resource": "https://rocs.example/api",
        "page_size": 50,
    }

    async def main() -> T:
        settings = RocsSettings.model_validate(values | PATHS | changed)
        async with open_rocs(settings, bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_read_by_page_as_raw_records(server: ScriptedServer, path: str) -> None:
    body = b'{"items": [{"id" : 2, "n": 1.10}, {"id":1}], "totalCount": 52}'
    server.script("GET", path, Scripted(200, body))
    page = read(server, lambda api: LISTS[path](api, 2))
    assert page.records == (b'{"id" : 2, "n": 1.10}', b'{"id":1}')
    assert page.total == 52
    (request,) = server.of("GET", path)
    assert request.query == {"page": "2", "pageSize": "50"}
    declared = [request.headers[name] for name in ("content-type", "accept", "authorization")]
    assert declared == ["application/json", "application/json", "Bearer token-one"]


def test_names_of_the_page_and_of_its_size_are_settings_and_sent_encoded(
    server: ScriptedServer,
) -> None:
    server.script("GET", CONTACTS, Scripted.json([]))
    names = {"page_param": "$page[no]", "size_param": "page size&"}
    read(server, lambda api: api.contacts_page(3), **names)
    assert server.of("GET", CONTACTS)[0].query == {"$page[no]": "3", "page size&": "50"}


@pytest.mark.parametrize(
    ("body", "result_key", "records", "total"),
    [
        ([{"id": 1}, {"id": 2}], None, 2, None),
        ([], None, 0, None),
        ({"items": [{"id": 1}], "totalCount": 7}, None, 1, 7),
        ({"Items": [{"id": 1}], "TotalCount": "7"}, None, 1, 7),
        ({"content": [{"id": 1}], "total": 7}, None, 1, 7),
        ({"value": [{"id": 1}], "count": 7}, None, 1, 7),
        ({"value": ["no"], "content": ["no"], "items": []}, None, 0, None),
        ({"items": [{"id": 1}], "page": {"size": 1}, "totalCount": 7}, None, 1, 7),
        ({"items": [], "totalCount": None, "total": 0}, None, 0, 0),
        ({"items": [{}], "totalCount": 10_000}, None, 1, 10_000),
        ({"items": [{}], "totalCount": -1}, None, 1, None),
        ({"items": None, "totalCount": 0}, None, 0, 0),
        ({"items": None, "totalCount": 52}, None, 0, 52),
        ({"items": ["no"], "Hits": [{"id": 1}]}, "hits", 1, None),
    ],
)
def test_lists_are_read_in_any_of_the_usual_forms(
    server: ScriptedServer, body: object, result_key: str | None, records: int, total: int | None
) -> None:
    server.script("GET", CONTACTS, Scripted.json(body, 201))
    page = read(server, lambda api: api.contacts_page(1), result_key=result_key)
    assert (len(page.records), page.total, page.has_more) == (records, total, None)


@pytest.mark.parametrize(
    ("answer", "result_key", "said"),
    [
        (Scripted(204), None, "a list was due, an empty body came"),
        (Scripted(200, b"null"), None, "a list was due, JSON of another kind, null came"),
        (Scripted.json({"rows": []}), None, "a list was due, an object without one came"),
        (Scripted.json({"items": None}), None, "JSON of another kind, null came"),
        (Scripted.json({"items": {}}), None, "JSON of another kind, an object came"),
        (Scripted.json([]), "hits", "an object with a list in `hits` was due"),
        (Scripted.json({"items": []}), "hits", "an object without one came"),
        (Scripted(200, b"<html>sign in</html>"), None, "an HTML page came"),
        (
            Scripted(200, b"maintenance", {"Content-Type": "application/json"}),
            None,
            "text that is not JSON came",
        ),
        (Scripted(200, b'{"items": [{"id": 1}'), None, "JSON that breaks off at byte 20 came"),
    ],
)
def test_a_list_that_cannot_be_read_is_never_an_empty_one(
    server: ScriptedServer, answer: Scripted, result_key: str | None, said: str
) -> None:
    server.script("GET", CONTACTS, answer)
    with pytest.raises(WrongAnswerError) as caught:
        read(server, lambda api: api.contacts_page(1), result_key=result_key)
    assert said in str(caught.value)
    # Asked once more, in case it was the only one of its kind.
    assert server.count("GET", CONTACTS) == 2


@pytest.mark.parametrize(
    ("by", "value"),
    [("id", "11866"), ("email", "a+b&c=d@x.no"), ("externalId", "00 42"), ("mobile", "+47 1#2")],
)
def test_a_contact_is_found_by_any_one_identifier(
    server: ScriptedServer, by: ContactKey, value: str
) -> None:
    server.script("GET", CONTACTS, Scripted(200, CONTACT_SAMPLE))
    answer = read(server, lambda api: api.find_contact(by, value))
    assert answer is not None
    assert answer.record == CONTACT_SAMPLE
    assert answer.sent_at.tzinfo is not None
    (request,) = server.of("GET", CONTACTS)
    assert request.query == {by: value}
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(404),
        Scripted.json({"message": "unknown"}, 404),
        Scripted(204),
        Scripted(200),
        Scripted(200, b"null"),
        Scripted(200, b" [] "),
        Scripted.json([None]),
    ],
)
def test_an_unknown_record_is_none(server: ScriptedServer, answer: Scripted) -> None:
    server.script("GET", CONTACTS, answer)
    server.script("GET", DYNAMIC, answer)

    async def use(api: RocsApi) -> list[object]:
        return [await api.find_contact("id", "1"), await api.dynamic_fields("1")]

    assert read(server, use) == [None, None]


def test_a_list_with_one_object_is_that_object(server: ScriptedServer) -> None:
    server.script("GET", CONTACTS, Scripted(200, b'\xef\xbb\xbf[ {"id" : 1} ]'))
    answer = read(server, lambda api: api.find_contact("id", "1"))
    assert answer is not None
    assert answer.record == b'{"id" : 1}'


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (Scripted.json([{"id": 1}, {"id": 2}]), "a list of 2 came"),
        (Scripted.json("no"), "JSON of another kind, a string came"),
        (Scripted.json([[]]), "JSON of another kind, an array came"),
        (Scripted(200, b"<!doctype html>"), "an HTML page came"),
        (Scripted(200, b"busy"), "text that is not JSON came"),
    ],
)
def test_a_lookup_that_gives_no_single_object_is_a_wrong_answer_about_that_record(
    server: ScriptedServer, answer: Scripted, came: str
) -> None:
    server.script("GET", CONTACTS, answer)
    with pytest.raises(WrongAnswerError) as caught:
        read(server, lambda api: api.find_contact("email", "zoe@x.no"))
    assert str(caught.value) == (
        f"ROCS /CustomerAPI/v1/Contacts?email={{id}} (status 200): one object was due, {came}"
    )


def test_a_server_error_of_a_lookup_is_tried_again_and_then_about_that_record(
    server: ScriptedServer,
) -> None:
    text = Scripted.json({"message": "zoe@x.no is no e-mail address"}, 500)
    server.script("GET", CONTACTS, text)
    with pytest.raises(TransientSourceError) as caught:
        read(server, lambda api: api.find_contact("email", "zoe@x.no"))
    assert str(caught.value) == (
        "ROCS /CustomerAPI/v1/Contacts?email={id} (status 500): … is no e-mail address"
    )
    assert server.count("GET", CONTACTS) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Scripted(404), "(status 404): no such address: check ROCS_BASE_URL"),
        (Scripted(404, b"<html>"), "(status 404): no such address: check ROCS_BASE_URL"),
        (Scripted(301, b"", {"Location": "/"}), "ROCS_BASE_URL may be wrong"),
    ],
)
def test_a_list_at_a_wrong_address_names_the_variable(
    server: ScriptedServer, answer: Scripted, message: str
) -> None:
    server.script("GET", CONTACTS, answer)
    with pytest.raises(WrongAnswerError) as caught:
        read(server, lambda api: api.contacts_page(1))
    assert message in str(caught.value)


def test_dynamic_fields_are_the_object_as_it_came(server: ScriptedServer) -> None:
    body = b'{"loyaltyTier": "Gold", "shoeSize": 42.50, "loyaltyTier ": null}'
    server.script("GET", DYNAMIC, Scripted(200, body))
    answer = read(server, lambda api: api.dynamic_fields("a&b 1"))
    assert answer is not None
    assert answer.record == body
    assert server.of("GET", DYNAMIC)[0].query == {"id": "a&b 1"}


@pytest.mark.parametrize(
    ("variable", "use"),
    [
        ("ROCS_ACTIVITY_PATH", lambda api: api.activity_page(1)),
        ("ROCS_LISTS_PATH", lambda api: api.contact_lists_page(1)),
        ("ROCS_CAMPAIGNS_PATH", lambda api: api.campaigns_page(1)),
        ("ROCS_DYNAMIC_PATH", lambda api: api.dynamic_fields("1")),
    ],
)
def test_what_has_no_path_is_not_asked_for_and_named(
    server: ScriptedServer, variable: str, use: Callable[[RocsApi], Awaitable[object]]
) -> None:
    with pytest.raises(SettingsError, match=variable):
        read(server, use, **dict.fromkeys(PATHS))
    assert server.received == []


def test_an_empty_identifier_never_asks_for_the_list(server: ScriptedServer) -> None:
    with pytest.raises(RequestRefusedError, match="the id is empty"):
        read(server, lambda api: api.find_contact("email", ""))
    assert server.count("GET", CONTACTS) == 0


def test_paths_of_your_own_are_used(server: ScriptedServer) -> None:
    server.script("GET", "/rocs/my-api/People", Scripted.json([{"id": 1}]))

    async def use(api: RocsApi) -> int:
        found = await api.find_contact("id", "1")
        return len((await api.contacts_page(1)).records) + (found is not None)

    assert read(server, use, contacts_path="/my-api/People") == 2


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 418, 500])
def test_no_error_shows_a_secret_or_a_person(server: ScriptedServer, status: int) -> None:
    private = ("s3cret-value", "client-7", "token-one", "zoe@x.no")

    def echo(_: Received) -> Scripted:
        return Scripted.json([{"message": " ".join(private)}] * 2, status)

    server.respond("GET", CONTACTS, echo)
    with pytest.raises(SourceError) as caught:
        read(server, lambda api: api.find_contact("email", "zoe@x.no"))
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!s}"
    assert not [value for value in private if value in shown]
