"""The body of a request, read within its bounds."""

from __future__ import annotations

from starlette.requests import Request

from sync_pipeline.webhooks.bodies import LONGEST_BYTES, BadBodyError, Body, check_type, read_object


class GoneError(Exception):
    """The sender went away before its request was whole."""


async def read_body(request: Request) -> Body:
    """Return the JSON object of a request; raise BadBodyError or GoneError."""
    headers = request.headers
    check_type(headers.get("content-type", ""), headers.get("content-encoding", ""))
    announced = headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > LONGEST_BYTES:
        raise _too_large()
    return read_object(await _read(request))


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large() -> BadBodyError:
    return BadBodyError(413, "body", f"should be no longer than {LONGEST_BYTES:,} bytes")
