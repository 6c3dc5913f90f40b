"""CRM.COM over real HTTP, both versions: what is read beside contact and list of communications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

import pytest

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RecordNotFoundError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.calls import path_segment
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline_tests import vendor_samples
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

T = TypeVar("T")
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])
EMPTY = Scripted.json({"content": [], "paging": {"page": 1, "size": 100, "total": 0}})

# Vendor sample, CRM.COM `GET /contacts/{id}/approval_requests`, as printed.
APPROVAL_REQUESTS_SAMPLE = b"""{
"content": [
{
"id": "8dfc2223-edca-f05d-820b-dc96ba9df2c2",
"state": "APPROVED",
"entity": {
"id": "cf010c72-a2cb-48f8-a9fa-1ed99c8d6ec0",
"type": "ORDER",
"reference": "CO1234"
}
}
],
"paging": {
"page": 2,
"size": 20,
"total": 1124
}
}"""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        for version in ("v1", "v2"):
            server.script("POST", login(version), Scripted.json({"access_token": "token-1"}))
        yield server


def login(version: str) -> str:
    return f"/self-service/{version}/contacts/authenticate"


def read(
    server: ScriptedServer, version: str, use: Callable[[CrmcomApi], Awaitable[T]], **changed: str
) -> T:
    async def main() -> T:
        values: dict[str, object] = {
            "base_url": f"{server.url}/self-service/{version}",
            "api_key": "publishable-key",
            "username": "reader@crm.test",
            "password": "s3cret-value",
            "page_size": 50,
        }
        settings = CrmcomSettings.model_validate(values | changed)
        async with open_crmcom(settings, bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


@VERSIONS
def test_vendor_sample_of_approval_requests_comes_as_its_raw_record(
    server: ScriptedServer, version: str
) -> None:
    contact_id = "b2157d75-7959-83dc-fdfa-cacba764d4d4"
    path = f"/self-service/{version}/contacts/{contact_id}/approval_requests"
    server.script("GET", path, Scripted(200, APPROVAL_REQUESTS_SAMPLE))
    page = read(server, version, lambda api: api.approval_requests_page(contact_id, 2))
    start = APPROVAL_REQUESTS_SAMPLE.index(b'{\n"id"')
    end = APPROVAL_REQUESTS_SAMPLE.index(b"\n],")
    assert page.records == (APPROVAL_REQUESTS_SAMPLE[start:end],)
    assert (page.total, page.has_more) == (1124, None)
    (request,) = server.of("GET", path)
    assert request.query == {"sort": "CREATED_DATE", "order": "ASC", "page": "2", "size": "50"}


@VERSIONS
def test_vendor_sample_of_one_communication_comes_as_its_raw_record(
    server: ScriptedServer, version: str
) -> None:
    path = f"/self-service/{version}/communications/CAD1E31269B76D7A65ACCE45B2E68DFD"
    server.script("GET", path, Scripted(200, vendor_samples.COMMUNICATION + b"\n"))
    answer = read(
        server, version, lambda api: api.communication("c-1", "CAD1E31269B76D7A65ACCE45B2E68DFD")
    )
    assert answer.record == vendor_samples.COMMUNICATION
    assert answer.sent_at.tzinfo is not None
    assert server.of("GET", path)[0].query == {}


@pytest.mark.parametrize(
    "text",
    ["6A24D2B5E44F44B28451FE021FCAD51E", "b2157d75-7959-83dc-fdfa-cacba764d4d4", "0042", "a/b?c"],
)
def test_ids_of_both_shapes_are_text_and_stay_one_segment(
    server: ScriptedServer, text: str
) -> None:
    prefix, segment = "/self-service/v1", path_segment(text)
    record = Scripted.json({"id": text})
    server.script("GET", f"{prefix}/contacts/{segment}", record)
    server.script("GET", f"{prefix}/communications/{segment}", record)
    server.script("GET", f"{prefix}/contacts/{segment}/communications", EMPTY)
    server.script("GET", f"{prefix}/contacts/{segment}/approval_requests", EMPTY)

    async def use(api: CrmcomApi) -> None:
        await api.contact(text)
        await api.communication(text, text)
        await api.communications_page(text, 1)
        await api.approval_requests_page(text, 1)

    read(server, "v1", use)
    assert len(server.received) == 5


@pytest.mark.parametrize(
    ("version", "asked"),
    [("v1", None), ("v2", {"created_on[gte]": "1583846865", "created_on[lt]": "1583846926"})],
)
def test_creation_time_is_asked_for_where_the_version_knows_the_filter(
    server: ScriptedServer, version: str, asked: dict[str, str] | None
) -> None:
    path = f"/self-service/{version}/contacts/c-1/communications"
    server.script("GET", path, EMPTY)
    # Two hours east of UTC, and within a second: nothing of that second may be missed.
    since = datetime(2020, 3, 10, 15, 27, 45, 900_000, tzinfo=timezone(timedelta(hours=2)))

    async def use(api: CrmcomApi) -> bool:
        until = since + timedelta(minutes=1)
        await api.communications_page("c-1", 1, created_from=since, created_until=until)
        return api.has_creation_filter

    assert read(server, version, use) is (asked is not None)
    common = {"sort": "CREATED_DATE", "order": "ASC", "page": "1", "size": "50"}
    assert server.of("GET", path)[0].query == common | (asked or {})


@VERSIONS
def test_without_a_creation_time_nothing_is_filtered(server: ScriptedServer, version: str) -> None:
    path = f"/self-service/{version}/contacts/c-1/communications"
    server.script("GET", path, EMPTY)
    read(server, version, lambda api: api.communications_page("c-1", 1))
    assert "created_on[gte]" not in server.of("GET", path)[0].query


def test_paging_that_does_not_echo_the_request_is_no_obstacle(server: ScriptedServer) -> None:
    path = "/self-service/v2/contacts/c-1/approval_requests"
    body = {"content": [{"id": "1"}], "paging": {"page": 9, "size": 1, "total": None}}
    server.script("GET", path, Scripted.json(body, 201))
    page = read(server, "v2", lambda api: api.approval_requests_page("c-1", 1))
    assert (page.records, page.total, page.has_more) == ((b'{"id": "1"}',), None, None)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Scripted.json({"error": "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION"}, 400), RecordNotFoundError),
        (Scripted(404), RecordNotFoundError),
        (Scripted(403), AccessDeniedError),
        (Scripted(204), WrongAnswerError),
        (Scripted(200, b"busy", {"Content-Type": "application/json"}), WrongAnswerError),
        (
            Scripted.json({"status": 500, "message": None, "error": None, "parameters": None}, 500),
            TransientSourceError,
        ),
    ],
)
def test_a_communication_that_cannot_be_read_says_why(
    server: ScriptedServer, answer: Scripted, kind: type[SourceError]
) -> None:
    server.script("GET", "/self-service/v1/communications/m-1", answer)
    with pytest.raises(SourceError) as caught:
        read(server, "v1", lambda api: api.communication("c-1", "m-1"))
    assert type(caught.value) is kind
    assert caught.value.path == "/communications/{id}"


# The v2 login answer by its schema; its own samples spell the end in two more ways.
V2_LOGIN: dict[str, object] = {
    "access_token": "token-1",
    "refresh_token": "",
    "contact": {"id": "c-0", "type": "PERSON", "first_name": "Jo", "is_verified": True},
    "organisations": [{"id": "o-1", "type": "BUSINESS", "name": "Shop"}],
    "communities": [],
    "obfuscated_value": None,
    "auth_otp": None,
    "existing_contact": None,
}


@pytest.mark.parametrize("key", ["expiration_date", "expiration", "exp"])
@pytest.mark.parametrize("write", [int, str])
def test_v2_login_is_renewed_before_its_end_under_any_of_its_names(
    server: ScriptedServer, key: str, write: Callable[[int], object]
) -> None:
    end = write(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
    server.script("POST", login("v2"), Scripted.json(V2_LOGIN | {key: end}))
    path = "/self-service/v2/contacts/c-1/approval_requests"
    server.script("GET", path, EMPTY)

    async def use(api: CrmcomApi) -> None:
        await asyncio.gather(*(api.approval_requests_page("c-1", page) for page in range(1, 21)))

    read(server, "v2", use)
    assert server.count("POST", login("v2")) == 1
    sent = {request.headers["authorization"] for request in server.of("GET", path)}
    assert sent == {"Bearer token-1"}


def test_v2_login_without_a_token_that_asks_for_a_code_says_so(server: ScriptedServer) -> None:
    asks = V2_LOGIN | {"access_token": None, "obfuscated_value": "j***@x.org", "auth_otp": "9f"}
    server.script("POST", login("v2"), Scripted.json(asks))
    with pytest.raises(CredentialRefusedError, match="asks for a one-time password") as caught:
        read(server, "v2", lambda api: api.contact("c-1"))
    assert "j***" not in str(caught.value)


def test_login_with_neither_token_nor_code_is_a_wrong_answer(server: ScriptedServer) -> None:
    server.script("POST", login("v2"), Scripted.json(V2_LOGIN | {"access_token": None}))
    with pytest.raises(WrongAnswerError, match="a login answer with a token was due"):
        read(server, "v2", lambda api: api.contact("c-1"))


@pytest.mark.parametrize("header", ["authorization", "auth_token"])
def test_v2_header_is_found_out_as_well(server: ScriptedServer, header: str) -> None:
    path = "/self-service/v2/communications/m-1"

    def only_there(request: Received) -> Scripted:
        is_there = request.headers.get(header) == "token-1"
        return Scripted.json({"id": "m-1"}) if is_there else Scripted(401)

    server.respond("GET", path, only_there)

    async def use(api: CrmcomApi) -> None:
        for _ in range(5):
            await api.communication("c-1", "m-1")

    read(server, "v2", use)
    tries = {"authorization": 2, "auth_token": 3}
    assert server.count("GET", path) == 4 + tries[header]
    assert server.count("POST", login("v2")) == 1


def test_v2_list_without_content_is_a_wrong_answer_and_null_an_empty_list(
    server: ScriptedServer,
) -> None:
    path = "/self-service/v2/contacts/c-1/approval_requests"
    server.script("GET", path, Scripted.json({"content": None, "paging": None}))
    page = read(server, "v2", lambda api: api.approval_requests_page("c-1", 1))
    assert (page.records, page.total) == ((), None)
    server.script("GET", path, Scripted.json({"paging": None}))
    with pytest.raises(WrongAnswerError):
        read(server, "v2", lambda api: api.approval_requests_page("c-1", 1))
