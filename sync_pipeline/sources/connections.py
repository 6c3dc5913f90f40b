"""The connections to one endpoint: several small httpx clients instead of a large one.

An httpx pool looks through all of its connections for each request, so that one client with 64 in
flight is slower than with 16. A few connections each keep that search short.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from sync_pipeline.settings import is_loopback
from sync_pipeline.sources.calls import Endpoint

CONNECT_S = 10.0
PER_CLIENT = 4


@dataclass(frozen=True, slots=True)
class Connections:
    """One entry per idle connection: the client that has it to spare, the last used first."""

    _idle: asyncio.LifoQueue[httpx.AsyncClient]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client with an idle connection, once there is one."""
        client = await self._idle.get()
        try:
            yield client
        finally:
            self._idle.put_nowait(client)


@asynccontextmanager
async def open_connections(
    endpoint: Endpoint, *, headers: dict[str, str]
) -> AsyncIterator[Connections]:
    """Open as many connections as may be in flight, and close them at the end."""
    # Read once: each client would load the trusted certificates anew.
    trusted = httpx.create_ssl_context()
    async with AsyncExitStack() as stack:
        idle: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        while idle.qsize() < endpoint.max_in_flight:
            size = min(PER_CLIENT, endpoint.max_in_flight - idle.qsize())
            client = httpx.AsyncClient(
                verify=trusted,
                timeout=httpx.Timeout(
                    endpoint.timeout_s, connect=min(endpoint.timeout_s, CONNECT_S)
                ),
                limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
                follow_redirects=False,
                mounts=_past_the_proxy(endpoint.base_url),
                headers=headers,
            )
            await stack.enter_async_context(client)
            for _ in range(size):
                idle.put_nowait(client)
        yield Connections(idle)


def _past_the_proxy(base_url: str) -> dict[str, httpx.AsyncBaseTransport | None]:
    # A proxy's loopback is another machine's.
    parts = urlsplit(base_url)
    return {f"{parts.scheme}://{parts.netloc}": None} if is_loopback(base_url) else {}
