"""RoSaaS over real HTTP: envelopes, tokens, refused clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from sync_pipeline.settings import RosaasSettings
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas
from sync_pipeline_tests.scripted_server import Scripted, ScriptedServer

T = TypeVar("T")
AUTH = "/api/identity/apps/v1/auth"
TENANTS = "/api/management/apps/v1/tenants"
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


def test_tenants_come_as_raw_bytes_in_order_with_their_number(server: ScriptedServer) -> None:
    body = b'{"data":[{"systemName" : "b"},{"systemName":"a","n":1e400}],"metadata":{"errors":[]}}'
    server.script("GET", TENANTS, Scripted(200, body))
    page = read(server, lambda api: api.tenants())
    assert page.records == (b'{"systemName" : "b"}', b'{"systemName":"a","n":1e400}')
    assert page.total == 2
    assert server.of("GET", TENANTS)[0].headers["authorization"] == "Bearer token-one"
