"""The ASGI application: reads a request, lets it be answered, sends the reply.

No framework: it has to be faster than whatever is measured against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from .answering import Answering
from .control import ControlApi
from .journal import Journal
from .keeper import Keeper
from .live import LiveWorld
from .options import Options
from .sender import Sender
from .truth import TruthApi
from .wire import Reply, Request

if TYPE_CHECKING:
    from .world import World

# ASGI's own definition of these: a message is an open mapping.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
# What the server says of an answer that was cut off or never came, both on purpose here.
_ON_PURPOSE = ("without completing response", "without starting response")


def create_app(world: World, address: str, options: Options) -> Asgi:
    """Build the application over one world; `address` is `http://HOST:PORT`.

    Every version of CRM.COM is served; the one in `options` is the one that the variables name.
    """
    folder = options.state
    journal = Journal.of_world(folder, world.seed, world.contacts) if folder else Journal()
    keeper = Keeper(LiveWorld(world), journal)
    answering = Answering(keeper, options)
    truth = TruthApi(keeper.live, address, options.latency_ms, options.crmcom_version)
    sender = Sender(keeper, folder)
    control = ControlApi(keeper, truth, answering, sender)
    logging.getLogger("uvicorn.error").addFilter(_is_no_fault)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            unrest = _unrest(keeper, options.changes_per_minute)
            await _live_on((unrest, sender.work()), receive, send)
            return
        request = await _request(scope, receive)
        if request.segments[0] == "_sandbox":
            await _send_reply(await control.reply(request), send)
            return
        reply, is_cut = await answering.answer(request, partial(_gone, receive))
        if reply is not None:
            await _send_reply(reply, send, is_cut=is_cut)

    return app


async def _live_on(
    works: tuple[Coroutine[None, None, None], ...], receive: Receive, send: Send
) -> None:
    """Let changes come and webhooks go by themselves from the start of the server to its end."""
    tasks = [asyncio.create_task(work) for work in works]
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await send({"type": "lifespan.shutdown.complete"})


async def _unrest(keeper: Keeper, changes_per_minute: float) -> None:
    if not changes_per_minute:
        return
    pause_s = 60 / changes_per_minute
    loop = asyncio.get_running_loop()
    due_at = loop.time()
    while True:
        due_at += pause_s
        # One at a time even when late: the vendors' answers are not to wait for many.
        await asyncio.sleep(max(due_at - loop.time(), 0))
        keeper.change_at_random()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_no_fault(record: logging.LogRecord) -> bool:
    return not any(words in record.getMessage() for words in _ON_PURPOSE)


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


async def _send_reply(reply: Reply, send: Send, *, is_cut: bool = False) -> None:
    headers = [(b"content-type", reply.content_type)] if reply.body or reply.chunks else []
    headers += reply.headers
    if reply.chunks is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.chunks is not None:
        for chunk in reply.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # a long stream must not hold up the vendors' answers
    if is_cut and reply.body:
        half = reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        return
    await send({"type": "http.response.body", "body": reply.body})
