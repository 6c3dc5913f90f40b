"""Until when a request may go out: the time it waits for a connection counts as well."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from sync_pipeline.sources.transport import SEND_BEFORE, AiohttpTransport, LateError
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

READ, WRITTEN = "/read", "/written"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script("PUT", WRITTEN, Scripted.json({"is": "written"}))
        yield server


def write(server: ScriptedServer, *, send_before: float) -> httpx.Request:
    return httpx.Request(
        "PUT",
        f"{server.url}{WRITTEN}",
        json={"name": "Zoë"},
        extensions={SEND_BEFORE: send_before},
    )


def one_connection() -> AiohttpTransport:
    trusted = ssl.create_default_context()
    return AiohttpTransport(trusted=trusted, most_connections=1, connect_s=5, read_s=20)


def test_a_write_that_waited_too_long_for_a_connection_is_not_sent(server: ScriptedServer) -> None:
    is_asked, is_late = threading.Event(), threading.Event()

    def answer(_request: Received) -> Scripted:
        is_asked.set()
        is_late.wait()
        return Scripted.json({})

    server.respond("GET", READ, answer)

    async def write_behind_a_reading() -> None:
        async with one_connection() as transport:
            holding = asyncio.create_task(
                transport.handle_async_request(httpx.Request("GET", f"{server.url}{READ}"))
            )
            await asyncio.to_thread(is_asked.wait)
            send_before = time.monotonic() + 0.1
            waiting = asyncio.create_task(
                transport.handle_async_request(write(server, send_before=send_before))
            )
            await asyncio.sleep(0.2)
            is_late.set()
            response = await holding
            await response.aread()
            with pytest.raises(LateError):
                await waiting

    asyncio.run(write_behind_a_reading())
    assert server.count("PUT", WRITTEN) == 0


def test_a_write_in_time_arrives_whole(server: ScriptedServer) -> None:
    async def write_at_once() -> bytes:
        async with one_connection() as transport:
            request = write(server, send_before=time.monotonic() + 60)
            response = await transport.handle_async_request(request)
            return await response.aread()

    assert asyncio.run(write_at_once()) == b'{"is": "written"}'
    (received,) = server.received
    assert received.body == '{"name":"Zoë"}'.encode()
    assert received.headers["content-length"] == str(len(received.body))
    assert "transfer-encoding" not in received.headers
