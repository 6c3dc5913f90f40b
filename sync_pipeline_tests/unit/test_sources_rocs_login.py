"""ROCS's login over real HTTP: Azure's client credentials, v1 and v2, on a host of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from urllib.parse import parse_qsl, quote_plus

import pytest

from sync_pipeline.errors import (
    CredentialRefusedError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs import RocsApi, open_rocs
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

T = TypeVar("T")
LOGIN = "/a-tenant/oauth2/token"
CONTACTS = "/CustomerAPI/v1/Contacts"
HUSH_HUSH = "s3cret/+& ø=value"
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
# Microsoft's documentation, Azure v1, client credentials: every number is a text.
V1_SAMPLE: dict[str, object] = {
    "token_type": "Bearer",
    "expires_in": "3599",
    "expires_on": "1388452167",
    "not_before": "1388448267",
    "resource": "https://service.contoso.com/",
    "access_token": "token-one",
}
# Microsoft's documentation, Azure v2, client credentials.
V2_SAMPLE: dict[str, object] = {
    "token_type": "Bearer",
    "expires_in": 3599,
    "access_token": "token-one",
}
# Microsoft's documentation, an error of the token endpoint.
AZURE_ERROR = {
    "error": "invalid_client",
    "error_description": (
        "AADSTS70002: Error validating credentials. AADSTS50012: Invalid client secret is "
        "provided.\r\nTrace ID: 3939d04c-d7ba-42bf-9cb7-1e5854cdce9e\r\nCorrelation ID: "
        "a8125194-2dc8-4078-90ba-7b6592a7f231\r\nTimestamp: 2016-04-11 18:00:12Z"
    ),
    "error_codes": [70002, 50012],
    "timestamp": "2016-04-11 18:00:12Z",
    "trace_id": "3939d04c-d7ba-42bf-9cb7-1e5854cdce9e",
    "correlation_id": "a8125194-2dc8-4078-90ba-7b6592a7f231",
    "error_uri": "https://login.example/error?code=70002",
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script("GET", CONTACTS, Scripted.json([]))
        yield server


@pytest.fixture
def login() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script("POST", LOGIN, Scripted.json(V1_SAMPLE))
        yield server


def read(
    server: ScriptedServer,
    login: ScriptedServer,
    use: Callable[[RocsApi], Awaitable[T]],
    **changed: object,
) -> T:
    values: dict[str, object] = {
        "base_url": server.url,
        "token_url": f"{login.url}{LOGIN}",
        "client_id": "client-7",
        "client_secret": HUSH_HUSH,
        "resource": "https://rocs.example/api",
    }

    async def main() -> T:
        settings = RocsSettings.model_validate(values | changed)
        async with open_rocs(settings, bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


async def twenty_pages(api: RocsApi) -> list[object]:
    calls = [api.contacts_page(page) for page in range(1, 21)]
    return list(await asyncio.gather(*calls, return_exceptions=True))


@pytest.mark.parametrize(
    ("audience", "sample"),
    [
        ({"resource": "https://rocs.example/api"}, V1_SAMPLE),
        ({"resource": None, "scope": "https://rocs.example/api/.default"}, V2_SAMPLE),
    ],
)
def test_the_client_is_sent_as_a_form_to_the_token_host_alone(
    server: ScriptedServer,
    login: ScriptedServer,
    audience: dict[str, str | None],
    sample: dict[str, object],
) -> None:
    login.script("POST", LOGIN, Scripted.json(sample))
    assert read(server, login, lambda api: api.contacts_page(1), **audience).records == ()
    (sent,) = login.received
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.headers["accept"] == "application/json"
    assert dict(parse_qsl(sent.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "client-7",
        "client_secret": HUSH_HUSH,
    } | {name: value for name, value in audience.items() if value}
    (read_request,) = server.received
    assert (read_request.method, read_request.headers["authorization"]) == (
        "GET",
        "Bearer token-one",
    )


@pytest.mark.parametrize(
    "stated",
    [
        V1_SAMPLE,
        V2_SAMPLE,
        {"access_token": "token-one"},
        {"access_token": "token-one", "expires_in": "", "expires_on": "later"},
        {"Access_Token": "token-one", "expires_in": "9" * 5000},
    ],
)
def test_one_login_serves_twenty_at_once(
    server: ScriptedServer, login: ScriptedServer, stated: dict[str, object]
) -> None:
    login.script("POST", LOGIN, Scripted.json(stated))
    failures = [page for page in read(server, login, twenty_pages) if isinstance(page, Exception)]
    assert failures == []
    assert login.count("POST", LOGIN) == 1


def test_a_token_that_ended_unsaid_is_renewed_once_for_all(
    server: ScriptedServer, login: ScriptedServer
) -> None:
    tokens = [Scripted.json({"access_token": f"token-{n}"}) for n in (1, 2)]
    login.script("POST", LOGIN, *tokens)

    def only_the_second(request: Received) -> Scripted:
        is_second = request.headers["authorization"] == "Bearer token-2"
        return Scripted.json([]) if is_second else Scripted(401)

    server.respond("GET", CONTACTS, only_the_second)
    failures = [page for page in read(server, login, twenty_pages) if isinstance(page, Exception)]
    assert failures == []
    assert login.count("POST", LOGIN) == 2


def test_a_token_that_the_api_refuses_names_the_variables(
    server: ScriptedServer, login: ScriptedServer
) -> None:
    server.script("GET", CONTACTS, Scripted(401))
    with pytest.raises(CredentialRefusedError, match="ROCS_CLIENT_SECRET, ROCS_RESOURCE"):
        read(server, login, lambda api: api.contacts_page(1))
    assert login.count("POST", LOGIN) == 2
    assert server.count("GET", CONTACTS) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_client_names_the_variables_and_is_sent_once(
    server: ScriptedServer, login: ScriptedServer, status: int
) -> None:
    login.script("POST", LOGIN, Scripted.json(AZURE_ERROR, status))
    failures = read(server, login, twenty_pages)
    assert {type(failure) for failure in failures} == {CredentialRefusedError}
    said = str(failures[0])
    assert said.startswith(
        f"ROCS login {LOGIN} (status {status}, invalid_client): the API refuses the client: "
        "correct ROCS_CLIENT_ID, ROCS_CLIENT_SECRET, ROCS_RESOURCE or ROCS_TOKEN_URL ("
    )
    assert "Invalid client secret is provided" in said
    assert "3939d04c" not in said
    assert (login.count("POST", LOGIN), server.received) == (1, [])


def test_a_refused_scope_is_named_as_such(server: ScriptedServer, login: ScriptedServer) -> None:
    login.script("POST", LOGIN, Scripted.json({"error": "invalid_scope"}, 400))
    with pytest.raises(CredentialRefusedError, match="ROCS_SCOPE"):
        read(server, login, lambda api: api.contacts_page(1), resource=None, scope="x/.default")


@pytest.mark.parametrize("status", [302, 400, 401, 404, 500])
@pytest.mark.parametrize("is_json", [True, False])
def test_no_failed_login_shows_the_client(
    server: ScriptedServer, login: ScriptedServer, status: int, *, is_json: bool
) -> None:
    echo = f"{HUSH_HUSH} client-7 {HUSH_HUSH.upper()} {quote_plus(HUSH_HUSH)}"
    error = {"error": f"bad {echo}", "error_description": f"AADSTS7000215: {echo}"}
    body = json.dumps(error, ensure_ascii=False).encode() if is_json else echo.encode()
    login.script("POST", LOGIN, Scripted(status, body, {"Location": "/elsewhere"}))
    with pytest.raises(SourceError) as caught:
        read(server, login, lambda api: api.contacts_page(1))
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}".lower()
    assert HUSH_HUSH.lower() not in shown
    assert quote_plus(HUSH_HUSH).lower() not in shown
    assert "client-7" not in shown


def test_a_wrong_token_address_names_its_variable(
    server: ScriptedServer, login: ScriptedServer
) -> None:
    login.script("POST", LOGIN, Scripted(404))
    with pytest.raises(WrongAnswerError, match="no such address: check ROCS_TOKEN_URL"):
        read(server, login, lambda api: api.contacts_page(1))


def test_a_login_is_tried_again_while_azure_is_unwell(
    server: ScriptedServer, login: ScriptedServer
) -> None:
    login.script("POST", LOGIN, Scripted(503), Scripted(500), Scripted.json(V1_SAMPLE))
    read(server, login, lambda api: api.contacts_page(1))
    login.script("POST", LOGIN, Scripted(503))
    with pytest.raises(TransientSourceError):
        read(server, login, lambda api: api.contacts_page(1))
    assert login.count("POST", LOGIN) == 6


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(204),
        Scripted(200, b"<html>sign in</html>"),
        Scripted.json([]),
        Scripted.json({"token_type": "Bearer"}),
        Scripted.json({"access_token": 7}),
        Scripted.json({"access_token": "a\nb"}),
    ],
)
def test_a_login_without_a_usable_token_is_a_wrong_answer(
    server: ScriptedServer, login: ScriptedServer, answer: Scripted
) -> None:
    login.script("POST", LOGIN, answer)
    with pytest.raises(WrongAnswerError, match="a login answer"):
        read(server, login, lambda api: api.contacts_page(1))


def test_logins_and_reads_share_one_meter(server: ScriptedServer, login: ScriptedServer) -> None:
    async def use(api: RocsApi) -> int:
        await api.contacts_page(1)
        return api.meter.requests

    assert read(server, login, use) == 2
