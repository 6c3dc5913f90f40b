"""The ASGI application: reads a request, finds the server it is for, sends the reply.

No framework: it has to be faster than whatever is measured against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from .access import CRMCOM_VERSION
from .backoffice_api import BackofficeApi
from .crmcom_api import CrmcomApi
from .rocs_api import RocsApi
from .rocs_login import token_reply
from .rosaas_api import RosaasApi
from .truth import TruthApi
from .wire import Reply, Request

if TYPE_CHECKING:
    from .world import World

# ASGI's own definition of these: a message is an open mapping.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


def create_app(
    world: World, address: str, latency_ms: float = 0.0, crmcom_version: str = CRMCOM_VERSION
) -> Asgi:
    """Build the application over one world; `latency_ms` delays the vendors' answers only.

    Every version of CRM.COM is served; the one given is the one that the variables name.
    """
    truth = TruthApi(world, address, latency_ms, crmcom_version)
    crmcom = CrmcomApi(world)
    backoffice = BackofficeApi(world)
    rocs = RocsApi(world.rocs)
    rosaas = RosaasApi(world)
    latency_s = latency_ms / 1000

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        request = await _request(scope, receive)
        match request.segments:
            case ("_sandbox", *_):
                reply = truth.reply(request)
            case ("self-service", _, *_):
                reply = crmcom.reply(request)
            case ("backoffice", "v1", *_):
                reply = backoffice.reply(request)
            case ("rocs-login", *_):
                reply = token_reply(request)
            case ("rocs", *_):
                reply = rocs.reply(request)
            case _:
                reply = rosaas.reply(request)
        if latency_s and request.segments[0] != "_sandbox":
            await asyncio.sleep(latency_s)
        await _send_reply(reply, send)

    return app


async def _request(scope: Message, receive: Receive) -> Request:
    # Cut the path before decoding it: a tenant's name may hold an encoded slash or question mark.
    path: bytes = scope["raw_path"]
    parts = path.decode("latin-1").lstrip("/").split("/")
    body = b""
    if scope["method"] not in ("GET", "HEAD"):
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    segments = tuple(unquote(part) if "%" in part else part for part in parts)
    return Request(scope["method"], segments, scope["query_string"], scope["headers"], body)


async def _send_reply(reply: Reply, send: Send) -> None:
    headers = [(b"content-type", reply.content_type)] if reply.body or reply.chunks else []
    if reply.chunks is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.chunks is not None:
        for chunk in reply.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # a long stream must not hold up the vendors' answers
    await send({"type": "http.response.body", "body": reply.body})
