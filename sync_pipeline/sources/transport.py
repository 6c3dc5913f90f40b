"""httpx over the connections of aiohttp, whose parser and pool cost a fraction of httpx's own.

The address goes out as it was encoded, and every failure is one of httpx's. Nothing is sent a
second time here: who retries is to know, and to count.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self

import aiohttp
import httpx
from yarl import URL

from sync_pipeline.sources.deadline import LateError, is_pressing, refuse_late

# The first that fits.
_FAILURES: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientSSLError, httpx.ConnectError),
    (aiohttp.ClientConnectionError, httpx.ReadError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
    # A header with a character that must not be in one.
    (ValueError, httpx.LocalProtocolError),
)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests through a session of its own; to be made within the event loop."""

    def __init__(
        self, *, trusted: ssl.SSLContext, most_connections: int, connect_s: float, read_s: float
    ) -> None:
        made = partial(impatient_socket, read_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=trusted, limit=most_connections, socket_factory=made
            ),
            timeout=aiohttp.ClientTimeout(sock_connect=connect_s, sock_read=read_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            middlewares=(_once,),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; raises httpx's TransportErrors."""
        refuse_late(request)
        response = await self._session.request(
            request.method,
            # Without `encoded`, `%2E%2E` in it would become a step up.
            URL(str(request.url), encoded=True),
            headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
            data=_in_time(request) if is_pressing(request) else request.content or None,
            allow_redirects=False,
        )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=_Body(response), request=request
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self


def impatient_socket(read_s: float, address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket whose machine does not go on sending when nobody waits any more."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Else what was sent while the network was away arrives minutes later.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(read_s * 1000))
    return made


async def _in_time(request: httpx.Request) -> AsyncIterator[bytes]:
    """Yield the body; asked for once there is a connection, before the first byte goes out."""
    refuse_late(request)
    yield request.content


class _Body(httpx.AsyncByteStream):
    """The body as it came, still packed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _failures_of_httpx():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        # Keeps the connection only where the body was read to its end.
        self._response.release()


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # Named here, before aiohttp takes a broken connection for a reason to send it again.
    with _failures_of_httpx():
        return await handler(request)


@contextmanager
def _failures_of_httpx() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, ValueError) as exc:
        if isinstance(exc.__cause__, LateError):
            raise exc.__cause__ from exc
        kind = next(kind for cause, kind in _FAILURES if isinstance(exc, cause))
        raise kind(str(exc)) from exc
