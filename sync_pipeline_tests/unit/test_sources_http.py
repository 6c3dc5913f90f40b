"""The HTTP core over real HTTP: what is retried, what is not, and how failures read."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TypeVar

import pytest

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RecordNotFoundError,
    RequestRefusedError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.sources import http_core
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.budget import HeldBackError, ProcessBudget
from sync_pipeline.sources.calls import Call, Endpoint, Reply, path_segment
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.retry import RetryBounds, retry_after_s, wait_before_next
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

T = TypeVar("T")
PATH = "/v1/things/id-1"
CALL = Call("GET", "/things/{id}", ids=("id-1",))
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
FINE = Scripted.json({"fine": True})
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def endpoint_at(base_url: str, *, timeout_s: float = 5) -> Endpoint:
    return Endpoint("Test API", base_url, "TEST_BASE_URL", timeout_s, 8)


def use_core(
    endpoint: Endpoint, use: Callable[[HttpCore], Awaitable[T]], *, bounds: RetryBounds = FAST
) -> tuple[T, Meter]:
    async def main() -> tuple[T, Meter]:
        budget = ProcessBudget(requests_per_second=5000, max_in_flight=8)
        async with open_core(endpoint, budget=budget, bounds=bounds, meter=Meter()) as core:
            return await use(core), core.meter

    return asyncio.run(main())


def fetch_body(server: ScriptedServer, *, bounds: RetryBounds = FAST) -> bytes:
    endpoint = endpoint_at(f"{server.url}/v1", timeout_s=0.5)
    return use_core(endpoint, lambda core: core.fetch(CALL), bounds=bounds)[0].body


def failure(server: ScriptedServer, kind: type[SourceError], bounds: RetryBounds = FAST) -> str:
    with pytest.raises(SourceError) as caught:
        fetch_body(server, bounds=bounds)
    assert type(caught.value) is kind
    return str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_transient_statuses_are_tried_again(server: ScriptedServer, status: int) -> None:
    server.script("GET", PATH, Scripted(status), Scripted(status), FINE)
    reply, meter = use_core(endpoint_at(f"{server.url}/v1"), lambda core: core.fetch(CALL))
    assert reply.body == FINE.body
    assert (meter.requests, meter.retries, meter.bytes_read) == (3, 2, len(FINE.body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefusedError),
        (401, CredentialRefusedError),
        (403, AccessDeniedError),
        (404, RecordNotFoundError),
        (405, RequestRefusedError),
        (409, RequestRefusedError),
        (422, RequestRefusedError),
        (501, WrongAnswerError),
    ],
)
def test_permanent_statuses_are_not_tried_again(
    server: ScriptedServer, status: int, kind: type[SourceError]
) -> None:
    server.script("GET", PATH, Scripted(status))
    message = failure(server, kind)
    assert message.startswith(f"Test API /things/{{id}} (status {status})")
    assert server.count("GET", PATH) == 1


def test_retries_are_logged_and_never_printed(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script("GET", PATH, Scripted.json({"message": "busy"}, 503), FINE)
    fetch_body(server)
    said = "Test API /things/{id} (status 503): busy; trying again in 0.0 s"
    assert said in caplog.messages
    assert "id-1" not in caplog.text
    assert capsys.readouterr() == ("", "")


def test_retries_end_after_the_count(server: ScriptedServer) -> None:
    server.script("GET", PATH, Scripted.json({"message": "come back later"}, 503))
    assert failure(server, TransientSourceError).endswith("(status 503): come back later")
    assert server.count("GET", PATH) == 3


def test_retries_end_after_the_time(server: ScriptedServer) -> None:
    server.script("GET", PATH, Scripted(503, delay_s=0.05))
    failure(server, TransientSourceError, replace(FAST, attempts=50, timeout_s=0.01))
    assert server.count("GET", PATH) == 1


@pytest.mark.parametrize("breaks", ["before the answer", "in the body"])
def test_broken_connection_and_truncated_body_are_tried_again(
    server: ScriptedServer, breaks: str
) -> None:
    broken = Scripted(200, b'{"half":', breaks=breaks)  # type: ignore[arg-type] # one of its words
    server.script("GET", PATH, broken, FINE)
    assert fetch_body(server) == FINE.body
    server.script("GET", PATH, broken)
    assert "the connection broke" in failure(server, TransientSourceError)


def test_silent_server_is_tried_again_and_explained(server: ScriptedServer) -> None:
    server.script("GET", PATH, Scripted(delay_s=30), FINE)
    assert fetch_body(server) == FINE.body
    server.script("GET", PATH, Scripted(delay_s=30))
    assert "timed out: nothing came for 0.5 s" in failure(
        server, TransientSourceError, replace(FAST, attempts=1)
    )


def test_answer_that_trickles_is_bounded_as_a_whole() -> None:
    # Each byte comes well within the time-out of one read.
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _byte in range(1000):
            writer.write(b" ")
            await asyncio.sleep(0.02)
        writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(trickle, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", timeout_s=0.1)
        budget = ProcessBudget(requests_per_second=5000, max_in_flight=8)
        bounds = replace(FAST, attempts=1)
        async with open_core(endpoint, budget=budget, bounds=bounds, meter=Meter()) as core:
            with pytest.raises(TransientSourceError, match="not complete after"):
                await core.fetch(CALL)

    asyncio.run(main())


def test_retry_after_is_waited_at_least_and_within_the_cap() -> None:
    bounds = RetryBounds(wait_jitter_s=1, retry_after_max_s=60)
    asked = TransientSourceError("Test API", "/", 429, retry_after_s=30)
    assert 30 <= wait_before_next(asked, bounds) <= 31
    assert wait_before_next(replace(asked, retry_after_s=61), bounds) is False
    assert wait_before_next(replace(asked, retry_after_s=None), bounds) is True
    assert wait_before_next(AccessDeniedError("Test API", "/", 403), bounds) is False


def test_retry_after_within_the_cap_is_tried_again(server: ScriptedServer) -> None:
    server.script("GET", PATH, Scripted(429, headers={"Retry-After": "1"}), FINE)
    assert fetch_body(server) == FINE.body


def test_retry_after_is_read_in_both_forms() -> None:
    later = format_datetime(NOW + timedelta(seconds=30), usegmt=True)
    earlier = format_datetime(NOW - timedelta(hours=1), usegmt=True)
    assert retry_after_s("17", now=NOW) == 17
    assert retry_after_s(later, now=NOW) == 30
    assert retry_after_s(earlier, now=NOW) == 0
    for unusable in (None, "", "soon", "-5", "1.5", "²"):
        assert retry_after_s(unusable, now=NOW) is None


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_longer_retry_after_than_the_cap_ends_the_retries(
    server: ScriptedServer, form: str
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    wait = "3600" if form == "seconds" else date
    server.script("GET", PATH, Scripted(503, headers={"Retry-After": wait}))
    assert "the API asks to wait 3" in failure(server, TransientSourceError)
    assert server.count("GET", PATH) == 1


def test_retry_after_in_the_past_is_no_reason_to_wait(server: ScriptedServer) -> None:
    past = format_datetime(NOW - timedelta(days=9), usegmt=True)
    server.script("GET", PATH, Scripted(503, headers={"Retry-After": past}), FINE)
    assert fetch_body(server) == FINE.body


def test_redirect_is_not_followed(server: ScriptedServer) -> None:
    to = {"Location": f"{server.url}/elsewhere?id=id-1"}
    server.script("GET", PATH, Scripted(302, headers=to))
    message = failure(server, WrongAnswerError)
    assert "redirects to another address" in message
    assert "TEST_BASE_URL may be wrong" in message
    assert server.count("GET", "/elsewhere") == 0


def test_missing_list_or_html_404_says_nothing_about_a_record(server: ScriptedServer) -> None:
    server.script("GET", PATH, Scripted(404, b"<html><body>no page</body></html>"))
    assert "check TEST_BASE_URL" in failure(server, WrongAnswerError)
    server.script("GET", "/v1/things", Scripted.json({}, 404))
    with pytest.raises(WrongAnswerError, match="check TEST_BASE_URL"):
        use_core(endpoint_at(f"{server.url}/v1"), lambda core: core.fetch(Call("GET", "/things")))


def test_unreachable_api_names_address_and_variable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TransientSourceError) as caught:
        use_core(endpoint_at(f"http://127.0.0.1:{port}"), lambda core: core.fetch(CALL))
    assert str(caught.value) == (
        f"Test API /things/{{id}}: 127.0.0.1:{port} is unreachable; check TEST_BASE_URL"
    )


def test_unknown_host_name_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TransientSourceError, match=r"\(DNS\); check TEST_BASE_URL"):
        use_core(endpoint_at("https://nowhere.invalid"), lambda core: core.fetch(CALL))


def test_plain_server_behind_https_is_said_in_words(server: ScriptedServer) -> None:
    url = server.url.replace("http:", "https:")
    with pytest.raises(TransientSourceError, match="no TLS connection with"):
        use_core(endpoint_at(url), lambda core: core.fetch(CALL))


def test_loopback_never_goes_through_a_proxy(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.script("GET", PATH, FINE)
    assert fetch_body(server) == FINE.body


def test_proxy_of_the_environment_is_asked_and_its_refusal_said_in_words(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, server.url)
    with pytest.raises(TransientSourceError, match="the proxy does not let it through"):
        use_core(endpoint_at("https://nowhere.invalid"), lambda core: core.fetch(CALL))


def test_every_sending_is_counted_also_where_the_connection_breaks(server: ScriptedServer) -> None:
    broken = Scripted(breaks="before the answer")

    async def fetch_often(core: HttpCore) -> None:
        server.script("GET", PATH, FINE, broken, FINE)
        await core.fetch(CALL)
        await core.fetch(CALL)
        server.script("GET", PATH, broken)
        with pytest.raises(TransientSourceError):
            await core.fetch(CALL)

    _, meter = use_core(endpoint_at(f"{server.url}/v1"), fetch_often)
    assert (meter.requests, meter.retries) == (6, 3)
    assert server.count("GET", PATH) == 6


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\x00b", "\x7f", "é"])
def test_header_that_http_does_not_allow_is_refused_unsaid(
    server: ScriptedServer, value: str
) -> None:
    def headers() -> dict[str, str]:
        return {"Authorization": value}

    with pytest.raises(RequestRefusedError, match="has characters that HTTP does not allow") as no:
        use_core(endpoint_at(server.url), lambda core: core.fetch(CALL, headers=headers))
    assert value not in str(no.value)
    assert server.received == []


def test_body_over_the_cap_is_refused(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_core, "LARGEST_BODY", 1024 * 1024)
    packed = gzip.compress(bytes(2 * 1024 * 1024))
    server.script("GET", PATH, Scripted(200, packed, {"Content-Encoding": "gzip"}))
    assert "a body of more than 1 MB came" in failure(server, WrongAnswerError)


def test_packed_bodies_are_unpacked_and_broken_ones_refused(server: ScriptedServer) -> None:
    packed = {"Content-Encoding": "gzip"}
    server.script("GET", PATH, Scripted(200, gzip.compress(b"[1]"), packed))
    assert fetch_body(server) == b"[1]"
    server.script("GET", PATH, Scripted(200, b"[1]", packed))
    assert "Content-Encoding" in failure(server, WrongAnswerError)


def test_requests_say_who_sends_them(server: ScriptedServer) -> None:
    server.script("GET", PATH, FINE)
    fetch_body(server)
    assert server.received[0].headers["user-agent"].startswith("sync-pipeline/")


@pytest.mark.parametrize(
    "value", ["a?><;,{}[]-_/ %b", "a%20b", "é\u0416", "..", ".", "a/../b", "#?"]
)
def test_foreign_ids_stay_one_path_segment(server: ScriptedServer, value: str) -> None:
    path = f"/v1/things/{path_segment(value)}"
    server.script("GET", path, FINE)
    call = Call("GET", "/things/{id}", ids=(value,))
    reply, _ = use_core(endpoint_at(f"{server.url}/v1"), lambda core: core.fetch(call))
    assert reply.body == FINE.body
    assert set(path.removeprefix("/v1/things/")).isdisjoint("/?#{}[] ")


def test_empty_id_never_asks_for_the_list(server: ScriptedServer) -> None:
    with pytest.raises(RequestRefusedError, match="the id is empty"):
        use_core(endpoint_at(server.url), lambda core: core.fetch(replace(CALL, ids=("",))))
    assert server.received == []


def test_every_attempt_takes_the_budget(server: ScriptedServer) -> None:
    in_flight: list[int] = []
    busy = 0

    def answer(_: Received) -> Scripted:
        nonlocal busy
        busy += 1
        in_flight.append(busy)
        time.sleep(0.005)
        busy -= 1
        return FINE

    server.respond("GET", PATH, answer)

    async def fan_out(core: HttpCore) -> None:
        await asyncio.gather(*(core.fetch(CALL) for _ in range(20)))

    async def main() -> None:
        budget = ProcessBudget(requests_per_second=5000, max_in_flight=2)
        endpoint = endpoint_at(f"{server.url}/v1")
        async with open_core(endpoint, budget=budget, bounds=FAST, meter=Meter()) as core:
            await fan_out(core)

    asyncio.run(main())
    assert max(in_flight) <= 2
    assert len(in_flight) == 20


@dataclass(slots=True)
class Told:
    """A budget that keeps what it is told; one with a ``silence_s`` lets nobody send."""

    silence_s: float | None = None
    asked_s: list[float | None] = field(default_factory=list)

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        if self.silence_s is not None:
            raise HeldBackError(self.silence_s)
        yield

    def hold_back(self, asked_s: float | None) -> None:
        self.asked_s.append(asked_s)


def fetch_within(server: ScriptedServer, budget: Told) -> Reply:
    async def main() -> Reply:
        endpoint = endpoint_at(f"{server.url}/v1")
        async with open_core(endpoint, budget=budget, bounds=FAST, meter=Meter()) as core:
            return await core.fetch(CALL)

    return asyncio.run(main())


def test_the_budget_is_told_when_the_api_asks_for_fewer_requests(server: ScriptedServer) -> None:
    asks = Scripted(429, headers={"Retry-After": "0"})
    for answers, asked_s in [
        ((asks, FINE), [0.0]),
        ((Scripted(503), Scripted(429), FINE), [None, None]),
        ((Scripted(500), Scripted(502), FINE), []),
    ]:
        server.script("GET", PATH, *answers)
        told = Told()
        fetch_within(server, told)
        assert told.asked_s == asked_s


def test_what_the_budget_holds_back_for_long_fails_at_once(server: ScriptedServer) -> None:
    with pytest.raises(TransientSourceError, match="asked for a silence: 600 s of it are left"):
        fetch_within(server, Told(silence_s=600))
    assert server.received == []


@pytest.mark.parametrize("rate", [0.5, 5, 2000])
def test_budget_never_lets_a_second_of_requests_out_at_once(rate: float) -> None:
    async def main() -> int:
        budget = ProcessBudget(requests_per_second=rate, max_in_flight=10_000)
        passed = 0

        async def one() -> None:
            nonlocal passed
            async with budget.request():
                passed += 1

        tasks = [asyncio.create_task(one()) for _ in range(200)]
        for _ in range(3):
            await asyncio.sleep(0)
        at_once = passed
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return at_once

    assert 1 <= asyncio.run(main()) <= max(1, rate / 20)


@pytest.mark.parametrize(("template", "ids"), [("/things", ("1",)), ("/things/{id}", ())])
def test_a_call_has_one_place_for_each_id(template: str, ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="has not one place for each id"):
        Call("GET", template, ids=ids)
