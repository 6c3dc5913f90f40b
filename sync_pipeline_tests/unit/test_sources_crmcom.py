"""CRM.COM over real HTTP: logins, header schemes, lists, records."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RecordNotFoundError,
    SettingsError,
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
LOGIN = "/self-service/v1/contacts/authenticate"
CONTACT = "/self-service/v1/contacts/c-1"
COMMUNICATIONS = "/self-service/v1/contacts/c-1/communications"
USER_LOGIN = "/backoffice/v1/users/authenticate"
CONTACTS = "/backoffice/v1/contacts"
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
EMPTY = Scripted.json({"content": [], "paging": {"page": 1, "size": 100, "total": 0}})
REFUSED = Scripted.json({"status": 401, "message": "no", "error": "TOKEN"}, 401)

# Vendor samples, CRM.COM `POST /contacts/authenticate` (e-mail, MAC address, MW4), as printed.
SAMPLE_JWT = (
    "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhMjc4ZDNlNS05YjhlLTQzNmUtOTIzMC03MGYzZTJkZjFjYTUiLCJleHAiOjE1"
    "Njg1NTQxMjJ9.LemqPPThkqfakkKS6CdkNvV1Lnc88CWirEpHOPnWjJPQz02zgkKSwfbvrEsl3OmR2LUhDILsOXf4x-GPF"
    "mNJCg"
)
EMAIL_SAMPLE = f"""{{
"access_token": "{SAMPLE_JWT}",
"exp": "1572530655",
"contact": {{
"title": "Mr",
"first_name": "John",
"last_name": "Doe",
"avatar": "avatar",
"is_verified": "false"
}},
"organisations": [
{{
"external_id": "QWERTY12345671234567324ETFTGBY78",
"org_type": "SERVICE_OWNER",
"org_relationship": "MERCHANT",
"name": "CRMdotCOM"
}}
]
}}"""
MAC_ADDRESS_SAMPLE = f"""{{
"access_token": "{SAMPLE_JWT}",
"refresh_token": "",
"exp": "1572530655",
"contact": {{
"id": "",
"title": "Mr",
"first_name": "John",
"last_name": "Doe",
"company_name": "",
"avatar": "avatar",
"is_verified": "false"
}},
"organisations": [
{{
"external_id": "QWERTY12345671234567324ETFTGBY78",
"org_type": "SERVICE_OWNER",
"name": "CRMdotCOM"
}}
]
}}"""
MW4_SAMPLE = MAC_ADDRESS_SAMPLE.replace(
    '"id": ""', '"id": "2f2f9afe-4399-59b7-cbb8-da18c2255064"'
).replace('"company_name": ""', '"company_name": "CRM"')


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.respond("POST", LOGIN, numbered_tokens())
        server.script("GET", COMMUNICATIONS, EMPTY)
        yield server


def numbered_tokens() -> Callable[[Received], Scripted]:
    count = 0

    def log_in(_: Received) -> Scripted:
        nonlocal count
        count += 1
        return Scripted.json({"access_token": f"token-{count}", "refresh_token": ""})

    return log_in


def settings_for(server: ScriptedServer, **changed: object) -> CrmcomSettings:
    values: dict[str, object] = {
        "base_url": f"{server.url}/self-service/v1",
        "api_key": "publishable-key",
        "username": "reader@crm.test",
        "password": "s3cret-value",
        "page_size": 50,
        "backoffice_url": f"{server.url}/backoffice/v1",
        "secret_key": "backoffice-secret",
    }
    return CrmcomSettings.model_validate(values | changed)


def read(server: ScriptedServer, use: Callable[[CrmcomApi], Awaitable[T]], **changed: object) -> T:
    async def main() -> T:
        async with open_crmcom(settings_for(server, **changed), bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that led to it, as a stack trace would show them."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def accepting(*headers: tuple[str, str], answer: Scripted = EMPTY) -> Callable[..., Scripted]:
    """Answer a request that carries one of these headers, refuse any other."""

    def respond(request: Received) -> Scripted:
        fits = any(request.headers.get(name) == value for name, value in headers)
        return answer if fits else REFUSED

    return respond


def test_vendor_sample_list_comes_as_its_raw_record(server: ScriptedServer) -> None:
    server.script("GET", COMMUNICATIONS, Scripted(200, vendor_samples.COMMUNICATIONS))
    page = read(server, lambda api: api.communications_page("c-1", 1))
    assert page.records == (vendor_samples.COMMUNICATION_ITEM,)
    assert (page.total, page.has_more) == (1124, None)
    assert page.sent_at.tzinfo is not None


@pytest.mark.parametrize("sample", [EMAIL_SAMPLE, MAC_ADDRESS_SAMPLE, MW4_SAMPLE])
def test_vendor_sample_logins_give_their_token_without_a_login_loop(
    server: ScriptedServer, sample: str
) -> None:
    # Both ends of the sample's token have passed long ago.
    server.script("POST", LOGIN, Scripted(200, sample.encode()))

    async def use(api: CrmcomApi) -> None:
        for page in (1, 2, 3):
            await api.communications_page("c-1", page)

    read(server, use)
    assert server.count("POST", LOGIN) == 1
    sent = {request.headers["authorization"] for request in server.of("GET", COMMUNICATIONS)}
    assert sent == {f"Bearer {SAMPLE_JWT}"}


def test_login_sends_identity_and_key_and_reads_send_the_token_alone(
    server: ScriptedServer,
) -> None:
    read(server, lambda api: api.communications_page("c-1", 3))
    login, listing = server.received
    assert json.loads(login.body) == {
        "provider": "EMAIL",
        "username": "reader@crm.test",
        "password": "s3cret-value",
    }
    assert login.headers["api_key"] == "publishable-key"
    assert "api_key" not in listing.headers
    assert listing.query == {"page": "3", "size": "50", "sort": "CREATED_DATE", "order": "ASC"}


def test_contact_comes_as_its_raw_bytes(server: ScriptedServer) -> None:
    body = '\ufeff {"id": "c-1", "name": "Ζωή", "n": 1.10}\n'.encode()
    server.script("GET", CONTACT, Scripted(200, body, {"Content-Type": "text/plain"}))
    answer = read(server, lambda api: api.contact("c-1"))
    assert answer.record == '{"id": "c-1", "name": "Ζωή", "n": 1.10}'.encode()


def test_foreign_ids_stay_one_segment_below_the_prefix(server: ScriptedServer) -> None:
    contact_id = "?><;,{}[]-_/ %"
    path = f"/self-service/v1/contacts/{path_segment(contact_id)}"
    server.script("GET", path, Scripted.json({"id": contact_id}))
    assert read(server, lambda api: api.contact(contact_id)).record


@pytest.mark.parametrize(
    ("body", "records", "total", "has_more"),
    [
        ({"content": None, "paging": None}, 0, None, None),
        ({"content": [{}, {}], "paging": {"total": None, "has_more": False}}, 2, None, False),
        ({"content": [{}], "paging": {"total": "7", "has_more": "true"}}, 1, 7, True),
        ({"content": [{}], "paging": {"total": 10_000}}, 1, None, None),
        ({"content": [{}], "paging": {"total": -1, "has_more": None}}, 1, None, None),
        ({"content": [{}], "paging": {"total": True}}, 1, None, None),
        ({"content": [{}], "paging": "none"}, 1, None, None),
        ({"content": [None, 3]}, 2, None, None),
    ],
)
def test_lists_are_read_tolerantly(
    server: ScriptedServer, body: object, records: int, total: int | None, has_more: object
) -> None:
    server.script("GET", COMMUNICATIONS, Scripted.json(body, 201))
    page = read(server, lambda api: api.communications_page("c-1", 1))
    assert (len(page.records), page.total, page.has_more) == (records, total, has_more)


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (Scripted(204), "an empty body came"),
        (Scripted(200, b"<html>sign in</html>"), "an HTML page came"),
        (Scripted(200, b"sign in"), "text that is not JSON came"),
        (Scripted(200, b'{"content": [{"a"'), "JSON that breaks off at byte 17 came"),
        (Scripted.json([]), "JSON of another kind, an array came"),
        (Scripted.json({"content": {}}), "JSON of another kind, an object came"),
        (Scripted.json({"paging": {}}), "an object without it came"),
    ],
)
def test_wrong_lists_are_said_in_words_and_never_shown(
    server: ScriptedServer, answer: Scripted, came: str
) -> None:
    server.script("GET", COMMUNICATIONS, answer)
    with pytest.raises(WrongAnswerError) as caught:
        read(server, lambda api: api.communications_page("c-1", 1))
    assert str(caught.value) == (
        f"CRM.COM /contacts/{{id}}/communications (status {answer.status}): "
        f"an object with a list in `content` was due, {came}"
    )
    # Asked once more, in case it was the only one of its kind.
    assert server.count("GET", COMMUNICATIONS) == 2


@pytest.mark.parametrize(
    "body",
    [[], None, {"status": 500, "message": None, "error": None, "parameters": None}],
)
def test_contact_that_is_no_contact_is_a_wrong_answer(server: ScriptedServer, body: object) -> None:
    server.script("GET", CONTACT, Scripted.json(body))
    with pytest.raises(WrongAnswerError, match="an object was due"):
        read(server, lambda api: api.contact("c-1"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Scripted.json({"error": "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION"}, 400), RecordNotFoundError),
        (Scripted(404), RecordNotFoundError),
        (Scripted(403), AccessDeniedError),
        (Scripted(500, b"oops"), TransientSourceError),
    ],
)
def test_records_that_cannot_be_read_say_why(
    server: ScriptedServer, answer: Scripted, kind: type[SourceError]
) -> None:
    server.script("GET", CONTACT, answer)
    with pytest.raises(SourceError) as caught:
        read(server, lambda api: api.contact("c-1"))
    assert type(caught.value) is kind
    assert (caught.value.api, caught.value.path) == ("CRM.COM", "/contacts/{id}")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_login_names_the_variables_and_is_sent_once(
    server: ScriptedServer, status: int
) -> None:
    answer = {"status": status, "message": "Bad login reader@crm.test", "error": "CRM.LOGIN"}
    server.script("POST", LOGIN, Scripted.json(answer, status))

    async def use(api: CrmcomApi) -> list[BaseException | object]:
        calls = [api.communications_page("c-1", page) for page in range(20)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    failures = read(server, use)
    assert {type(failure) for failure in failures} == {CredentialRefusedError}
    said = str(failures[0])
    assert "CRMCOM_USERNAME, CRMCOM_PASSWORD or CRMCOM_API_KEY" in said
    assert "CRM.LOGIN" in said
    assert "reader" not in said
    assert server.count("POST", LOGIN) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_login_is_tried_again_when_the_api_is_unwell(server: ScriptedServer, status: int) -> None:
    token = Scripted.json({"access_token": "late"})
    server.script("POST", LOGIN, Scripted(status), Scripted(status), token)
    read(server, lambda api: api.communications_page("c-1", 1))
    assert server.count("POST", LOGIN) == 3


def test_one_time_password_is_explained(server: ScriptedServer) -> None:
    answer = {"obfuscated_value": "+357*****66", "auth_otp": "4f6c", "access_token": None}
    server.script("POST", LOGIN, Scripted.json(answer))
    with pytest.raises(CredentialRefusedError) as caught:
        read(server, lambda api: api.contact("c-1"))
    said = str(caught.value)
    assert "one-time password" in said
    assert "CRMCOM_USERNAME" in said
    assert "+357" not in said


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": "a\nb"}, []])
def test_login_without_a_usable_token_is_a_wrong_answer(
    server: ScriptedServer, answer: object
) -> None:
    server.script("POST", LOGIN, Scripted.json(answer))
    with pytest.raises(WrongAnswerError, match="login answer"):
        read(server, lambda api: api.contact("c-1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer token-1"),
        ("authorization", "token-1"),
        ("auth_token", "token-1"),
    ],
)
def test_header_that_works_is_found_once_and_remembered(
    server: ScriptedServer, name: str, value: str
) -> None:
    server.respond("GET", COMMUNICATIONS, accepting((name, value)))

    async def use(api: CrmcomApi) -> None:
        await asyncio.gather(*(api.communications_page("c-1", page) for page in range(20)))

    read(server, use)
    assert server.count("POST", LOGIN) == 1
    tries = [("authorization", "Bearer token-1"), ("authorization", "token-1")]
    refused = tries.index((name, value)) if (name, value) in tries else 2
    assert server.count("GET", COMMUNICATIONS) == 20 + refused


def test_header_is_remembered_for_each_path_of_its_own(server: ScriptedServer) -> None:
    record = Scripted.json({"id": "c-1"})
    server.respond("GET", CONTACT, accepting(("auth_token", "token-1"), answer=record))
    server.respond("GET", COMMUNICATIONS, accepting(("authorization", "token-1")))

    async def use(api: CrmcomApi) -> None:
        for _ in range(2):
            await api.contact("c-1")
            await api.communications_page("c-1", 1)

    read(server, use)
    assert server.count("GET", CONTACT) == 3 + 1
    assert server.count("GET", COMMUNICATIONS) == 2 + 1
    assert server.count("POST", LOGIN) == 1


def test_ended_token_is_renewed_once_for_all(server: ScriptedServer) -> None:
    server.respond("GET", COMMUNICATIONS, accepting(("authorization", "token-1")))

    async def use(api: CrmcomApi) -> None:
        await api.communications_page("c-1", 1)
        server.respond("GET", COMMUNICATIONS, accepting(("authorization", "token-2")))
        await asyncio.gather(*(api.communications_page("c-1", page) for page in range(20)))

    read(server, use)
    assert server.count("POST", LOGIN) == 2


def test_ended_token_is_renewed_on_a_path_whose_header_is_not_known(
    server: ScriptedServer,
) -> None:
    record = Scripted.json({"id": "c-1"})
    server.respond("GET", CONTACT, accepting(("auth_token", "token-2"), answer=record))

    async def use(api: CrmcomApi) -> None:
        await api.communications_page("c-1", 1)
        await api.contact("c-1")

    read(server, use)
    assert server.count("POST", LOGIN) == 2


def test_fan_out_that_is_refused_altogether_walks_the_ladder_twice(server: ScriptedServer) -> None:
    server.script("GET", COMMUNICATIONS, REFUSED)

    async def use(api: CrmcomApi) -> list[object]:
        calls = [api.communications_page("c-1", page) for page in range(20)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    failures = read(server, use)
    assert {type(failure) for failure in failures} == {CredentialRefusedError}
    assert "CRMCOM_HEADER_SCHEME (now auto)" in str(failures[0])
    assert server.count("GET", COMMUNICATIONS) == 3 + 3
    # The first login may have ended meanwhile.
    assert server.count("POST", LOGIN) == 2


def test_forced_header_is_used_alone(server: ScriptedServer) -> None:
    server.script("GET", COMMUNICATIONS, REFUSED)
    with pytest.raises(CredentialRefusedError, match="CRMCOM_HEADER_SCHEME"):
        read(server, lambda api: api.communications_page("c-1", 1), header_scheme="auth_token")
    requests = server.of("GET", COMMUNICATIONS)
    assert [r.headers.get("auth_token") for r in requests] == ["token-1", "token-2"]
    assert all("authorization" not in r.headers for r in requests)


def test_contact_list_is_read_with_the_secret_key_alone(server: ScriptedServer) -> None:
    body = {"content": [{"id": "c-1"}], "paging": {"page": 2, "size": 1, "has_more": True}}
    server.script("GET", CONTACTS, Scripted.json(body))
    page = read(server, lambda api: api.contact_list_page(2))
    assert (page.records, page.total, page.has_more) == ((b'{"id": "c-1"}',), None, True)
    (request,) = server.received
    assert request.query == {"page": "2", "size": "50"}
    assert request.headers["api_key"] == "backoffice-secret"
    assert "authorization" not in request.headers


def test_contact_list_logs_in_when_a_user_is_set(server: ScriptedServer) -> None:
    server.script("POST", USER_LOGIN, Scripted.json({"access_token": "user-token"}))
    server.respond("GET", CONTACTS, accepting(("authorization", "user-token")))
    user = {"backoffice_username": "admin@crm.test", "backoffice_password": "pw-of-admin"}
    read(server, lambda api: api.contact_list_page(1), **user)
    login = server.received[0]
    assert json.loads(login.body)["username"] == "admin@crm.test"
    assert login.headers["api_key"] == "publishable-key"
    assert {r.headers["api_key"] for r in server.of("GET", CONTACTS)} == {"backoffice-secret"}


def test_refused_secret_key_names_its_variable(server: ScriptedServer) -> None:
    server.script("GET", CONTACTS, Scripted(401))
    with pytest.raises(CredentialRefusedError) as caught:
        read(server, lambda api: api.contact_list_page(1))
    assert str(caught.value) == (
        "CRM.COM Back-Office /contacts (status 401): "
        "the API refuses the key: correct CRMCOM_SECRET_KEY"
    )


def test_refused_backoffice_user_names_its_variables(server: ScriptedServer) -> None:
    server.script("POST", USER_LOGIN, Scripted(401))
    user = {"backoffice_username": "admin@crm.test", "backoffice_password": "pw-of-admin"}
    with pytest.raises(CredentialRefusedError, match="CRMCOM_BACKOFFICE_USERNAME"):
        read(server, lambda api: api.contact_list_page(1), **user)


def test_contact_list_without_an_address_names_the_variable(server: ScriptedServer) -> None:
    with pytest.raises(SettingsError, match="CRMCOM_BACKOFFICE_URL"):
        read(
            server,
            lambda api: api.contact_list_page(1),
            backoffice_url=None,
            contact_ids="registry",
        )


def test_key_that_no_header_can_carry_names_its_variable(server: ScriptedServer) -> None:
    with pytest.raises(SettingsError, match="CRMCOM_API_KEY") as caught:
        read(server, lambda api: api.contact("c-1"), api_key="kéy\nvalue")
    assert "value" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418, 500, 503])
def test_no_error_or_log_shows_a_secret_or_a_person(
    server: ScriptedServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    private = (
        "s3cret-value",
        "reader@crm.test",
        "publishable-key",
        "token-1",
        "c-8271",
        "Zoe@x.org",
    )
    echo = {"message": " ".join(private), "error": " ".join(private), "parameters": private}
    path = "/self-service/v1/contacts/c-8271"
    server.script("POST", LOGIN, Scripted.json({"access_token": "token-1"}))
    headers = {"Location": f"https://x.test/{private[3]}"}
    body = [echo] if status == 200 else echo
    server.script("GET", path, Scripted(status, json.dumps(body).encode(), headers))
    with pytest.raises(SourceError) as caught:
        read(server, lambda api: api.contact("c-8271"))
    everything = caplog.text + "".join(f"{error!s} {error!r}" for error in chain(caught.value))
    assert not [value for value in private if value.lower() in everything.lower()]


def test_meter_counts_logins_retries_and_bytes(server: ScriptedServer) -> None:
    server.script("GET", COMMUNICATIONS, Scripted(503), EMPTY)

    async def use(api: CrmcomApi) -> tuple[int, int, int]:
        await api.communications_page("c-1", 1)
        return api.meter.requests, api.meter.retries, api.meter.bytes_read

    requests, retries, bytes_read = read(server, use)
    assert (requests, retries) == (3, 1)
    assert bytes_read > len(EMPTY.body)
