"""RoSaaS over real HTTP: envelopes, tokens, refused clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import jwt
import pytest

from sync_pipeline.errors import (
    CredentialRefusedError,
    RequestRefusedError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.settings import RosaasSettings
from sync_pipeline.sources.answers import Page
from sync_pipeline.sources.calls import path_segment
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas
from sync_pipeline_tests.scripted_server import Scripted, ScriptedServer

T = TypeVar("T")
AUTH = "/api/identity/apps/v1/auth"
TENANTS = "/api/management/apps/v1/tenants"
LISTS: dict[str, Callable[[RosaasApi], Awaitable[Page]]] = {
    TENANTS: RosaasApi.tenants,
    "/api/management/apps/v1/plans": RosaasApi.plans,
    "/api/management/apps/v1/specifications": RosaasApi.specifications,
}
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)


def enveloped(data: object) -> dict[str, object]:
    return {"data": data, "metadata": {"errors": [], "success": True}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        token = {"info": {}, "token": {"accessToken": "token-one"}}
        server.script("POST", AUTH, Scripted.json(enveloped(token)))
        yield server


def read(server: ScriptedServer, use: Callable[[RosaasApi], Awaitable[T]]) -> T:
    async def main() -> T:
        settings = RosaasSettings.model_validate(
            {"base_url": server.url, "client_id": "product-7", "client_secret": "s3cret-value"}
        )
        async with open_rosaas(settings, bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


@pytest.mark.parametrize("path", LISTS)
def test_lists_come_as_raw_bytes_in_order_with_their_number(
    server: ScriptedServer, path: str
) -> None:
    body = b'{"data":[{"systemName" : "b"},{"systemName":"a","n":1e400}],"metadata":{"errors":[]}}'
    server.script("GET", path, Scripted(200, body))
    page = read(server, LISTS[path])
    assert page.records == (b'{"systemName" : "b"}', b'{"systemName":"a","n":1e400}')
    assert page.total == 2
    (request,) = server.of("GET", path)
    assert request.headers["authorization"] == "Bearer token-one"
    assert request.query == {}


# Vendor samples, RoSaaS "Response Structure", as printed.
SAMPLE_WITH_DATA = b"""{
"data": {
"property": "value",
"property-2": true,
"property-3": 123
},
"metadata": {
"errors": [],
"success": true
}
}"""
SAMPLE_WITHOUT_DATA = b"""{
"metadata": {
"errors": [],
"success": true
}
}"""
SAMPLE_ERROR = b"""{
"metadata": {
"errors": [
{
"message": "This Resource does not exist or may be deleted or You don't have access",
"sysCode": "1005",
"parameter": ""
}
],
"success": false
}
}"""


def refusal(code: str, message: str = "No.") -> dict[str, object]:
    error = {"message": message, "sysCode": code, "parameter": ""}
    return {"metadata": {"errors": [error], "success": False}}


def test_vendor_sample_envelope_gives_its_data_unaltered(server: ScriptedServer) -> None:
    server.script("GET", f"{TENANTS}/shop", Scripted(200, SAMPLE_WITH_DATA))
    answer = read(server, lambda api: api.tenant("shop"))
    assert answer is not None
    assert answer.record == (b'{\n"property": "value",\n"property-2": true,\n"property-3": 123\n}')
    assert answer.sent_at.tzinfo is not None


def test_vendor_sample_without_data_is_an_unknown_tenant(server: ScriptedServer) -> None:
    server.script("GET", f"{TENANTS}/shop", Scripted(200, SAMPLE_WITHOUT_DATA))
    assert read(server, lambda api: api.tenant("shop")) is None


def test_null_data_is_an_unknown_tenant(server: ScriptedServer) -> None:
    server.script("GET", f"{TENANTS}/shop", Scripted.json(enveloped(None)))
    assert read(server, lambda api: api.tenant("shop")) is None


@pytest.mark.parametrize("status", [200, 400])
def test_vendor_sample_error_is_a_refusal_with_its_code(
    server: ScriptedServer, status: int
) -> None:
    server.script("GET", f"{TENANTS}/shop", Scripted(status, SAMPLE_ERROR))
    with pytest.raises(RequestRefusedError) as caught:
        read(server, lambda api: api.tenant("shop"))
    assert str(caught.value) == (
        f"RoSaaS {TENANTS}/{{name}} (status {status}, 1005): "
        "This Resource does not exist or may be deleted or You don't have access"
    )


def test_envelope_is_read_in_any_case(server: ScriptedServer) -> None:
    body = {"Data": {"SystemName": "shop"}, "Metadata": {"Errors": [], "Success": True}}
    server.script("GET", f"{TENANTS}/shop", Scripted.json(body))
    answer = read(server, lambda api: api.tenant("shop"))
    assert answer is not None
    assert answer.record == b'{"SystemName": "shop"}'


@pytest.mark.parametrize("name", ["?><;,{}[]-_", "a/b c%", ".."])
def test_tenant_names_stay_one_path_segment(server: ScriptedServer, name: str) -> None:
    path = f"{TENANTS}/{path_segment(name)}"
    server.script("GET", path, Scripted.json(enveloped({"systemName": name})))
    assert read(server, lambda api: api.tenant(name)) is not None


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_is_empty(server: ScriptedServer, path: str, status: int) -> None:
    body = {"Data": [], "Metadata": {"Errors": [], "Success": True}}
    server.script("GET", path, Scripted.json(body, status))
    page = read(server, LISTS[path])
    assert (page.records, page.total) == ((), 0)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "answer",
    [
        Scripted.json(enveloped(None)),
        Scripted(200, SAMPLE_WITHOUT_DATA),
        Scripted(200, SAMPLE_WITH_DATA),
        Scripted(200, b"", {"Content-Type": "application/json"}),
        Scripted(200, b"some text", {"Content-Type": "application/json"}),
        Scripted(200, b"<html>", {"Content-Type": "application/json"}),
        Scripted(204),
        Scripted(200, b"<!DOCTYPE html><title>Rosas</title>"),
        Scripted(200, b'{"data": [{"systemName": "a"}'),
        Scripted.json(enveloped({"items": []})),
        Scripted.json([]),
    ],
)
def test_a_list_that_is_missing_or_unreadable_is_never_an_empty_one(
    server: ScriptedServer, path: str, answer: Scripted
) -> None:
    server.script("GET", path, answer)
    with pytest.raises(WrongAnswerError, match="was due"):
        read(server, LISTS[path])
    # Asked once more, in case it was the only one of its kind.
    assert server.count("GET", path) == 2


def test_a_missing_list_is_said_in_words(server: ScriptedServer) -> None:
    server.script("GET", TENANTS, Scripted(200, SAMPLE_WITHOUT_DATA))
    with pytest.raises(WrongAnswerError) as caught:
        read(server, lambda api: api.tenants())
    assert str(caught.value) == (
        f"RoSaaS {TENANTS} (status 200): a list in `data` was due, an envelope without it came"
    )


def test_a_request_that_the_framework_refuses_says_the_fields(server: ScriptedServer) -> None:
    problem = {
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "traceId": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "errors": {"name": ["The value 'shop' is not valid."]},
    }
    server.script("GET", f"{TENANTS}/shop", Scripted.json(problem, 400))
    with pytest.raises(RequestRefusedError) as caught:
        read(server, lambda api: api.tenant("shop"))
    assert caught.value.detail == "One or more validation errors occurred. Fields: name"


def test_tenant_that_is_no_object_is_a_wrong_answer(server: ScriptedServer) -> None:
    server.script("GET", f"{TENANTS}/shop", Scripted.json(enveloped(["shop"])))
    with pytest.raises(WrongAnswerError, match="a tenant in `data` was due"):
        read(server, lambda api: api.tenant("shop"))


def test_plain_text_500_is_transient(server: ScriptedServer) -> None:
    server.script("GET", TENANTS, Scripted(500, b"some text", {"Content-Type": "application/json"}))
    with pytest.raises(TransientSourceError, match="status 500"):
        read(server, lambda api: api.tenants())
    assert server.count("GET", TENANTS) == 3


@pytest.mark.parametrize(
    ("status", "code"), [(400, "2002"), (400, "2004"), (200, "2002"), (401, "")]
)
def test_refused_client_names_the_variables_and_is_sent_once(
    server: ScriptedServer, status: int, code: str
) -> None:
    said = "Client product-7 with s3cret-value is unknown"
    server.script("POST", AUTH, Scripted.json(refusal(code, said), status))

    async def use(api: RosaasApi) -> list[object]:
        calls = [api.tenants() for _ in range(20)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    failures = read(server, use)
    assert {type(failure) for failure in failures} == {CredentialRefusedError}
    assert "correct ROSAAS_CLIENT_ID and ROSAAS_CLIENT_SECRET" in str(failures[0])
    assert "Client … with … is unknown" in str(failures[0])
    assert server.count("POST", AUTH) == 1


def test_another_refusal_of_the_login_is_no_refused_credential(server: ScriptedServer) -> None:
    server.script("POST", AUTH, Scripted.json(refusal("1001"), 400))
    with pytest.raises(RequestRefusedError):
        read(server, lambda api: api.tenants())


@pytest.mark.parametrize("data", [None, [], {}, {"token": {}}, {"token": {"accessToken": 7}}])
def test_login_without_a_token_is_a_wrong_answer(server: ScriptedServer, data: object) -> None:
    server.script("POST", AUTH, Scripted.json(enveloped(data)))
    with pytest.raises(WrongAnswerError, match="a login answer with a token was due"):
        read(server, lambda api: api.tenants())


def test_login_sends_the_client(server: ScriptedServer) -> None:
    server.script("GET", TENANTS, Scripted.json(enveloped([])))
    read(server, lambda api: api.tenants())
    assert json.loads(server.received[0].body) == {
        "clientId": "product-7",
        "clientSecret": "s3cret-value",
    }


def test_token_of_an_hour_serves_twenty_at_once(server: ScriptedServer) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    text = jwt.encode({"exp": end}, "a key of thirty-two bytes and more", algorithm="HS256")
    token = {"info": {}, "token": {"accessToken": text}}
    server.script("POST", AUTH, Scripted.json(enveloped(token)))
    server.script("GET", TENANTS, Scripted.json(enveloped([])))

    async def use(api: RosaasApi) -> None:
        await asyncio.gather(*(api.tenants() for _ in range(20)))

    read(server, use)
    assert server.count("POST", AUTH) == 1


def test_refused_token_is_renewed_once_and_then_explained(server: ScriptedServer) -> None:
    server.script("GET", TENANTS, Scripted(401), Scripted.json(enveloped([])))
    assert read(server, lambda api: api.tenants()).total == 0
    assert server.count("POST", AUTH) == 2
    server.script("GET", TENANTS, Scripted(401))
    with pytest.raises(CredentialRefusedError, match="ROSAAS_CLIENT_SECRET"):
        read(server, lambda api: api.tenants())
    assert server.count("POST", AUTH) == 4


def test_errors_never_show_tenant_or_client(server: ScriptedServer) -> None:
    message = "shop-of-zoe of product-7: s3cret-value token-one"
    server.script("GET", f"{TENANTS}/shop-of-zoe", Scripted.json(refusal("1004", message), 400))
    with pytest.raises(SourceError) as caught:
        read(server, lambda api: api.tenant("shop-of-zoe"))
    assert caught.value.detail == "… of …: … …"
