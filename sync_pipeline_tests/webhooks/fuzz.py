"""Malformed requests of every kind, between whole ones: no 5xx but 503, no crash, no lost event.

`python -m sync_pipeline_tests.webhooks.fuzz --requests 100000`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.receiver_process import KEY, receiver_process

ROUTES = (
    "/api/integration/creation",
    "/api/integration/events",
    "/webhooks/rocs",
    "/api/integration/acme/health-status",
    "/healthz",
    "/metrics",
    "/nowhere",
)
_SIDE_BY_SIDE = 32
_WHOLE_EVERY = 20
_PATIENCE_S = 30.0
# Half of a request gets no answer before its time is over: the receiver's own count is asked, too.
_IN_VAIN_S = 0.2
_FAULT = re.compile(r'^webhook_requests_total\{.*status="5(?!03)\d\d"', re.MULTILINE)
_SERVER_FAULT, _AWAY = 500, 503


@dataclass(slots=True)
class Fuzzed:
    """What came back: answers by status (0: none), and the whole events that were accepted."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    @property
    def faults(self) -> int:
        """Answers that there must not be."""
        return sum(n for s, n in self.statuses.items() if s >= _SERVER_FAULT and s != _AWAY)


class Malformed:
    """Draws requests, each wrong in its way."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._kinds: tuple[Callable[[], bytes], ...] = (
            self._odd_json,
            self._odd_json,
            self._torn_json,
            self._noise_in_body,
            self._odd_head,
            self._torn_head,
            self._noise,
            self._odd_charset,
            self._wrong_length,
            self._large,
        )

    def request(self) -> bytes:
        """Return the bytes of one."""
        return self._draw.choice(self._kinds)()

    def _post(self, body: bytes, *heads: str, length: int | None = None) -> bytes:
        key = self._draw.choice((KEY, KEY, KEY, "", "wrong", "\u00e9" * 5))
        name = self._draw.choice(("api-key", "apiKey", "Authorization", "Cookie"))
        method = self._draw.choice(("POST", "POST", "POST", "GET", "PUT", "HEAD", "DELETE"))
        kinds = (
            []
            if any("Content-Type" in head for head in heads)
            else ["Content-Type: application/json"]
        )
        lines = [
            f"{method} {self._draw.choice(ROUTES)} HTTP/1.1",
            "Host: x",
            f"{name}: {key}",
            *kinds,
            *heads,
            f"Content-Length: {len(body) if length is None else length}",
        ]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body

    def _value(self, depth: int = 0) -> object:
        plain: tuple[object, ...] = (
            None,
            True,
            -1,
            10**400,
            1e308,
            "",
            "\x00",
            "\ud800",
            "x" * 300,
            "\u202e\u0301",
            "active",
        )
        if depth > 2 or self._draw.random() < 0.6:
            return self._draw.choice(plain)
        if self._draw.random() < 0.5:
            return [self._value(depth + 1) for _ in range(self._draw.randrange(4))]
        return {str(self._value(9)): self._value(depth + 1) for _ in range(self._draw.randrange(4))}

    def _odd_json(self) -> bytes:
        names = ("tenantName", "TenantSystemName", "EventCode", "MetaData", "Created", "contactId")
        body = {name: self._value() for name in names if self._draw.random() < 0.5}
        return self._post(json.dumps(body).encode())

    def _torn_json(self) -> bytes:
        whole = json.dumps({"tenantName": self._value(), "x": self._value()}).encode()
        return self._post(whole[: self._draw.randrange(len(whole))])

    def _noise_in_body(self) -> bytes:
        return self._post(self._draw.randbytes(self._draw.randrange(200)))

    def _odd_head(self) -> bytes:
        odd = self._draw.choice(
            (
                "Transfer-Encoding: chunked",
                "Transfer-Encoding: gzip, chunked",
                "Expect: 100-continue",
                "Expect: nonsense",
                "Content-Length: 5",
                "Upgrade: websocket\r\nConnection: upgrade",
                "Connection: close",
                "X-Long: " + "y" * self._draw.choice((10, 9_000, 70_000)),
                "X\x01Bad: 1",
                " folded: 1",
                "Content-Encoding: gzip",
                "X-Forwarded-For: " + self._draw.choice(("::1", "nobody", "192.0.2.1, \x7f")),
            )
        )
        return self._post(b'{"tenantName": "fuzz"}', odd)

    def _torn_head(self) -> bytes:
        whole = self._post(b'{"tenantName": "fuzz"}')
        return whole[: self._draw.randrange(1, len(whole))]

    def _noise(self) -> bytes:
        return self._draw.randbytes(self._draw.randrange(1, 400))

    def _odd_charset(self) -> bytes:
        charset = self._draw.choice(("utf-16", "latin-1", "utf-8", "\x80", "utf-8; charset=x"))
        kind = self._draw.choice(("application/json", "text/json", "multipart/form-data", ""))
        body = '{"tenantName": "é"}'.encode(self._draw.choice(("utf-16", "latin-1", "utf-8")))
        return self._post(body, f"Content-Type: {kind}; charset={charset}")

    def _wrong_length(self) -> bytes:
        length = self._draw.choice((-1, 0, 1, 10**30, 2_000_000))
        return self._post(b'{"tenantName": "fuzz"}', length=length)

    def _large(self) -> bytes:
        deep = self._draw.choice((10, 900, 5_000))
        body = self._draw.choice(
            (
                b'{"a":' * deep + b"1" + b"}" * deep,
                b"[" * deep,
                b'{"tenantName": "fuzz", "n": ' + b"9" * deep + b"}",
                b'{"tenantName": "fuzz", "n": 1e' + b"9" * 7 + b"}",
            )
        )
        return self._post(body)


def fuzz(url: str, *, requests: int, seed: int) -> Fuzzed:
    """Send that many malformed requests to a receiver over that warehouse."""
    malformed = Malformed(random.Random(seed))  # noqa: S311 -- to be repeated
    fuzzed = Fuzzed()
    with receiver_process(url) as receiver:
        pid = receiver.process.pid if receiver.process else 0
        asyncio.run(_send_all(receiver.port, malformed, requests, fuzzed))
        metrics = httpx.get(f"http://127.0.0.1:{receiver.port}/metrics", trust_env=False).text
        fuzzed.statuses[_SERVER_FAULT] += len(_FAULT.findall(metrics))
        assert receiver.process is not None
        assert (receiver.process.pid, receiver.process.poll()) == (pid, None), "it crashed"
        assert receiver.stop() == 0
    with engine_on(url) as engine:
        stored = {str(row[0]) for row in rows(engine, "SELECT subject FROM ops.webhook_events")}
    fuzzed.lost = fuzzed.accepted - stored
    return fuzzed


async def _send_all(port: int, malformed: Malformed, requests: int, fuzzed: Fuzzed) -> None:
    numbers = iter(range(requests))

    async def one() -> None:
        for number in numbers:
            status = await _status(port, malformed.request(), patience_s=_IN_VAIN_S)
            fuzzed.statuses[status] += 1
            if number % _WHOLE_EVERY == 0:
                name = f"whole-{number}"
                if await _status(port, _whole(name), patience_s=_PATIENCE_S) == 200:
                    fuzzed.accepted.add(name)

    await asyncio.gather(*(one() for _ in range(_SIDE_BY_SIDE)))


def _whole(name: str) -> bytes:
    body = json.dumps({"tenantName": name}).encode()
    head = (
        f"POST /api/integration/creation HTTP/1.1\r\nHost: x\r\napi-key: {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _status(port: int, sent: bytes, *, patience_s: float) -> int:
    """Send bytes; return the status of the first final answer, 0 where none comes in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(patience_s):
            line = await reader.readline()
            if line.startswith(b"HTTP/1.1 100"):
                await reader.readline()
                line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.close()


def main() -> None:
    """Send, count, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with new_postgres() as url:
        fuzzed = fuzz(url, requests=options.requests, seed=options.seed)
    told = ", ".join(f"{status}: {n:,}" for status, n in sorted(fuzzed.statuses.items()))
    print(  # noqa: T201 -- the command's answer
        f"answers by status (0: none): {told}; {fuzzed.faults} faults; "
        f"{len(fuzzed.accepted):,} whole events accepted, {len(fuzzed.lost)} lost"
    )
    raise SystemExit(bool(fuzzed.faults or fuzzed.lost))


if __name__ == "__main__":
    main()
