"""Until when a request may go out: the time it waits for a connection counts as well."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from sync_pipeline.sources.calls import Endpoint
from sync_pipeline.sources.connections import open_client
from sync_pipeline.sources.deadline import SEND_BEFORE, LateError, ticks
from sync_pipeline.sources.transport import impatient_socket
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

READ, WRITTEN = "/read", "/written"
AWAY = "http://away.example"


@dataclass(frozen=True)
class Way:
    """How an API is reached; ``prefix`` is what the server finds before each path."""

    server: ScriptedServer
    base_url: str
    prefix: str

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("Test API", self.base_url, "TEST_BASE_URL", timeout_s=20, max_in_flight=1)

    def reading(self) -> httpx.Request:
        return httpx.Request("GET", f"{self.base_url}{READ}", extensions=timeouts())

    def write(self, *, send_before: float) -> httpx.Request:
        extensions = timeouts() | {SEND_BEFORE: send_before}
        url = f"{self.base_url}{WRITTEN}"
        return httpx.Request("PUT", url, json={"name": "Zoë"}, extensions=extensions)


def timeouts() -> dict[str, object]:
    return {"timeout": httpx.Timeout(20).as_dict()}


@pytest.fixture(params=["directly", "through a proxy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    with ScriptedServer() as server:
        way = Way(server, server.url, "")
        if request.param == "through a proxy":
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
            for name in ("HTTP_PROXY", "http_proxy"):
                monkeypatch.setenv(name, server.url)
            way = Way(server, AWAY, AWAY)
        server.script("PUT", f"{way.prefix}{WRITTEN}", Scripted.json({"is": "written"}))
        yield way


def test_a_write_that_waited_too_long_for_a_connection_is_not_sent(way: Way) -> None:
    is_asked, is_late = threading.Event(), threading.Event()

    def answer(_request: Received) -> Scripted:
        is_asked.set()
        is_late.wait()
        return Scripted.json({})

    way.server.respond("GET", f"{way.prefix}{READ}", answer)

    async def write_behind_a_reading() -> None:
        async with open_client(way.endpoint) as (_, send):
            holding = asyncio.ensure_future(send(way.reading()))
            await asyncio.to_thread(is_asked.wait)
            waiting = asyncio.ensure_future(send(way.write(send_before=ticks() + 0.1)))
            await asyncio.sleep(0.2)
            is_late.set()
            response = await holding
            await response.aread()
            await response.aclose()
            with pytest.raises(LateError):
                await waiting

    asyncio.run(write_behind_a_reading())
    assert way.server.count("PUT", f"{way.prefix}{WRITTEN}") == 0


def test_a_write_in_time_arrives_whole(way: Way) -> None:
    async def write_at_once() -> bytes:
        async with open_client(way.endpoint) as (_, send):
            response = await send(way.write(send_before=ticks() + 60))
            body = await response.aread()
            await response.aclose()
            return body

    assert asyncio.run(write_at_once()) == b'{"is": "written"}'
    (received,) = way.server.received
    assert received.body == '{"name":"Zoë"}'.encode()
    assert received.headers["content-length"] == str(len(received.body))
    assert "transfer-encoding" not in received.headers


def test_a_write_that_is_late_from_the_beginning_asks_for_no_connection(way: Way) -> None:
    async def write_late() -> None:
        async with open_client(way.endpoint) as (_, send):
            with pytest.raises(LateError):
                await send(way.write(send_before=ticks() - 1))

    asyncio.run(write_late())
    assert way.server.received == []


def test_this_machine_stops_sending_when_nobody_waits_any_more() -> None:
    kind = socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)
    with impatient_socket(1.5, kind) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500
