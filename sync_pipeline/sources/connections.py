"""The connections to one endpoint: as many as may be in flight, kept open between requests."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from sync_pipeline.settings import is_loopback
from sync_pipeline.sources.calls import Endpoint
from sync_pipeline.sources.deadline import is_pressing, refuse_late
from sync_pipeline.sources.transport import AiohttpTransport

CONNECT_S = 10.0
Send = Callable[[httpx.Request], Awaitable[httpx.Response]]
"""Sends a request; the body of the answer is still to be read."""


@asynccontextmanager
async def open_client(endpoint: Endpoint) -> AsyncIterator[tuple[httpx.AsyncClient, Send]]:
    """Open the client of one endpoint and what sends its requests; close both at the end."""
    connect_s = min(endpoint.timeout_s, CONNECT_S)
    trusted = _trusted()
    transport = None
    if not _may_need_a_proxy(endpoint.base_url):
        transport = AiohttpTransport(
            trusted=trusted,
            most_connections=endpoint.max_in_flight,
            connect_s=connect_s,
            read_s=endpoint.timeout_s,
        )
    async with httpx.AsyncClient(
        verify=trusted,
        transport=transport,
        timeout=httpx.Timeout(endpoint.timeout_s, connect=connect_s),
        limits=httpx.Limits(
            max_connections=endpoint.max_in_flight,
            max_keepalive_connections=endpoint.max_in_flight,
        ),
        follow_redirects=False,
        event_hooks={"request": [_press]},
    ) as client:
        if transport is None:
            yield client, partial(client.send, stream=True)
        else:
            # Past the client: its cookies and redirects, which are not wanted, cost a sixth.
            yield client, transport.handle_async_request


async def _press(request: httpx.Request) -> None:
    """Have httpx's own transport look at the time when it has a connection."""
    refuse_late(request)
    if is_pressing(request):
        request.extensions = {**request.extensions, "trace": partial(_look_again, request)}


async def _look_again(request: httpx.Request, event: str, _told: object) -> None:
    if event.endswith(".send_request_headers.started"):
        refuse_late(request)


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates to trust: to read them takes longer than many a request."""
    return httpx.create_ssl_context()


def _may_need_a_proxy(base_url: str) -> bool:
    """Tell whether the environment names a proxy: httpx's own transport knows all its rules."""
    # A proxy's loopback is another machine's.
    return not is_loopback(base_url) and not getproxies().keys().isdisjoint(
        {urlsplit(base_url).scheme, "all"}
    )
