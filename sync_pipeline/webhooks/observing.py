"""Around each request: what came of it goes to the access log and the metrics."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_pipeline.webhooks.access_log import AccessLog
from sync_pipeline.webhooks.metrics import Metrics

NOTED = "sync_pipeline.noted"
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Noted:
    """What a route tells of the request that it answers."""

    route: str = "none"
    source: str | None = None
    kind: str | None = None
    outcome: str | None = None
    size: int | None = None


def observed(app: ASGIApp, log: AccessLog, metrics: Metrics) -> ASGIApp:
    """Return the application with each of its requests noted."""

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began = time.perf_counter()
        noted = scope[NOTED] = Noted()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await app(scope, receive, note_status)
        except Exception as exc:  # noqa: BLE001 -- the outermost shell
            # A defect of ours, which was answered. Its text may quote the body, its name does not.
            _logger.error("unexpected %s", type(exc).__name__)  # noqa: TRY400 -- no traceback
        finally:
            seconds = time.perf_counter() - began
            _note(noted, status, seconds, str(scope["method"]), log=log, metrics=metrics)

    return asgi


def _note(  # noqa: PLR0913 -- the facts of one line
    noted: Noted, status: int, seconds: float, method: str, *, log: AccessLog, metrics: Metrics
) -> None:
    metrics.requests.labels(noted.route, str(status)).inc()
    metrics.seconds.observe(seconds)
    if noted.outcome is not None:
        metrics.events.labels(noted.source, noted.kind, noted.outcome).inc()
    log.note(
        {
            "method": method,
            "route": noted.route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "bytes": noted.size,
            "source": noted.source,
            "kind": noted.kind,
            "outcome": noted.outcome,
        }
    )
