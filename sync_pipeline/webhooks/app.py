"""The routes of the receiver: key, body, event, committed, answered; in this order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sync_pipeline.records import Event
from sync_pipeline.webhooks import answers
from sync_pipeline.webhooks.access_log import AccessLog
from sync_pipeline.webhooks.bodies import BadBodyError, Body
from sync_pipeline.webhooks.codes import LIFECYCLE
from sync_pipeline.webhooks.events import coded_event, lifecycle_event, rocs_event
from sync_pipeline.webhooks.group_commit import AwayError, GroupCommit
from sync_pipeline.webhooks.keys import Keys
from sync_pipeline.webhooks.metrics import CONTENT_TYPE, Metrics
from sync_pipeline.webhooks.observing import NOTED, Noted, observed
from sync_pipeline.webhooks.openapi import document
from sync_pipeline.webhooks.reading import GoneError, read_body
from sync_pipeline.webhooks.watch import WarehouseWatch

Endpoint = Callable[[Request], Coroutine[None, None, Response]]
INTEGRATION = "/api/integration"
_BEGIN_AGAIN_AFTER_S = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """The keys that open the routes of each vendor."""

    rosaas: Keys
    rocs: Keys


@dataclass(frozen=True, slots=True)
class Receiver:
    """The routes over an inbox and what is known of the warehouse."""

    doors: Doors
    inbox: GroupCommit
    watch: WarehouseWatch
    metrics: Metrics

    def routes(self) -> list[Route]:
        """Return all routes."""
        lifecycle = [
            self._events(f"{INTEGRATION}/{kind}", self.doors.rosaas, partial(lifecycle_event, kind))
            for kind in LIFECYCLE
        ]
        health = [
            _route(f"{INTEGRATION}/{{name}}/{check}", "GET", self._health)
            for check in ("health-status", "health-check")
        ]
        return [
            *lifecycle,
            self._events(f"{INTEGRATION}/events", self.doors.rosaas, coded_event),
            self._events("/webhooks/rocs", self.doors.rocs, rocs_event),
            *health,
            _route("/healthz", "GET", _alive),
            _route("/readyz", "GET", self._ready),
            _route("/metrics", "GET", self._metrics),
            _route("/openapi.json", "GET", self._document),
        ]

    def _events(self, path: str, keys: Keys, read: Callable[[Body], Event]) -> Route:
        async def receive(request: Request) -> Response:
            if not keys.admit(request.scope["headers"]):
                return answers.wrong_key()
            return await self._take(request, read)

        return _route(path, "POST", receive)

    async def _take(self, request: Request, read: Callable[[Body], Event]) -> Response:
        noted: Noted = request.scope[NOTED]
        try:
            event = read(await read_body(request))
        except BadBodyError as exc:
            return answers.refused(exc.status, exc.field, exc.message)
        except GoneError:
            return answers.refused(400, "body", "did not come whole")
        noted.source, noted.kind, noted.size = event.source, event.kind, len(event.payload_raw)
        try:
            await self.inbox.put(event)
        except AwayError:
            noted.outcome = "away"
            return answers.away()
        noted.outcome = "stored"
        return answers.taken()

    async def _health(self, request: Request) -> Response:
        if not self.doors.rosaas.admit(request.scope["headers"]):
            return answers.wrong_key()
        known = self.watch.tenants.find(str(request.path_params["name"]))
        if known is None:
            return answers.plain(404, "no such tenant is known")
        return answers.as_json(known, 200 if known["isRunning"] else 503)

    async def _ready(self, _request: Request) -> Response:
        return answers.as_json({}) if self.watch.is_ready else answers.away()

    async def _metrics(self, request: Request) -> Response:
        if not self._may_look(request):
            return answers.wrong_key()
        return Response(self.metrics.exposition(), media_type=CONTENT_TYPE)

    async def _document(self, request: Request) -> Response:
        if not self._may_look(request):
            return answers.wrong_key()
        return answers.as_json(document())

    async def refuse(self, request: Request, exc: Exception) -> Response:
        """Answer what no route takes: nobody without a key learns which there are."""
        assert isinstance(exc, HTTPException)  # noqa: S101 -- it is registered for these alone
        headers = request.scope["headers"]
        if not (self.doors.rosaas.admit(headers) or self.doors.rocs.admit(headers)):
            return answers.wrong_key()
        words = {404: "no such route", 405: "this route takes another method"}
        return answers.plain(exc.status_code, words.get(exc.status_code, "refused"), exc.headers)

    def _may_look(self, request: Request) -> bool:
        client = request.scope.get("client")
        with contextlib.suppress(ValueError):
            if client is not None and ip_address(client[0]).is_loopback:
                return True
        return self.doors.rosaas.admit(request.scope["headers"])


def create_app(receiver: Receiver, log: AccessLog) -> ASGIApp:
    """Return the application; what works beside the requests lives as long as it does."""

    @contextlib.asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(receiver.watch.look)
        work = (receiver.inbox.work, receiver.watch.work, log.work)
        tasks = [asyncio.create_task(carried_on(one)) for one in work]
        try:
            yield
        finally:
            # Every request has been answered by now, so nothing is left to store.
            await _end(tasks)
            log.flush()

    app = Starlette(
        routes=receiver.routes(),
        lifespan=alive,
        exception_handlers={HTTPException: receiver.refuse, Exception: _defect},
    )
    app.router.redirect_slashes = False
    return observed(app, log, receiver.metrics)


async def carried_on(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Work until cancelled; what a defect ends is begun again, else nothing would be received."""
    while True:
        try:
            await work()
        except Exception as exc:  # noqa: BLE001 -- whichever it is; its text may quote a body
            _LOG.error("%s is begun again after %s", work.__qualname__, type(exc).__name__)
            await asyncio.sleep(_BEGIN_AGAIN_AFTER_S)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _route(path: str, method: str, endpoint: Endpoint) -> Route:
    async def noted(request: Request) -> Response:
        request.scope[NOTED].route = path
        return await endpoint(request)

    return Route(path, noted, methods=[method])


async def _alive(_request: Request) -> Response:
    return answers.as_json({})


async def _defect(_request: Request, _exc: Exception) -> Response:
    # For the sender a 500 is a fault of its own: it gets what it knows.
    return answers.away()
