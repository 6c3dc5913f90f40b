"""Senders of webhooks that cost little: raw sockets, one request at a time on each connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_PATH = "/api/integration/activation"
OK = b"HTTP/1.1 200"


@dataclass(slots=True)
class Load:
    """What many senders got: the tenants whose event was answered 200, and how long each took."""

    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    lasted_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Accepted events a second."""
        return len(self.accepted) / self.lasted_s

    def percentile_ms(self, share: float) -> float:
        """Return how many milliseconds that share of the answers took at most."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


@dataclass(frozen=True, slots=True)
class Senders:
    """So many connections to a receiver; each event is of a tenant that no other one is of."""

    port: int
    key: str
    connections: int
    # Events a second over all connections; as fast as they are answered by default.
    rate: float | None = None

    async def send(self, name: Callable[[int], str], count: int) -> Load:
        """Send that many events; return what came of them. A receiver that ends ends the load."""
        load, began = Load(), time.perf_counter()
        numbers = iter(range(count))
        gap = self.connections / self.rate if self.rate else 0.0

        async def one(place: int) -> None:
            # Not all in the same moment.
            due = began + gap * place / self.connections
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                for number in numbers:
                    due = await _until(due, gap)
                    sent_at = due - gap if gap else time.perf_counter()
                    tenant = name(number)
                    writer.write(self._request(tenant))
                    if await _answer(reader):
                        load.accepted.append(tenant)
                        load.seconds.append(time.perf_counter() - sent_at)
                    else:
                        load.refused += 1
            finally:
                writer.close()

        await asyncio.gather(*map(one, range(self.connections)), return_exceptions=True)
        load.lasted_s = time.perf_counter() - began
        return load

    def _request(self, tenant: str) -> bytes:
        body = b'{"tenantName":"%b","adminEmail":"ada@example.com"}' % tenant.encode()
        head = (
            f"POST {_PATH} HTTP/1.1\r\nHost: x\r\napi-key: {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _until(due: float, gap: float) -> float:
    wait = due - time.perf_counter()
    if gap and wait > 0:
        await asyncio.sleep(wait)
    return due + gap


async def _answer(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head.startswith(OK)
