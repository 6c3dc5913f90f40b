"""The one place that does HTTP: pool, time-outs, size cap, retries, budget.

Knows nothing of any API's paths, tokens or envelopes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

import httpx
import stamina

from sync_pipeline.errors import RequestRefusedError, TransientSourceError, WrongAnswerError
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.budget import Budget
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.connections import Send, open_client
from sync_pipeline.sources.deadline import SEND_BEFORE
from sync_pipeline.sources.failures import failures_in_words
from sync_pipeline.sources.refusals import check_status
from sync_pipeline.sources.retry import RetryBounds, log_retry, with_retries
from sync_pipeline.sources.written import unknown_outcomes

LARGEST_BODY = 64 * 1024 * 1024
ASKS_FOR_FEWER = (429, 503)
T = TypeVar("T")
logger = logging.getLogger(__name__)
Headers = Callable[[], Mapping[str, str]]
"""Asked when an attempt is sent: what it waited for may have taken long."""


@dataclass(frozen=True, slots=True)
class HttpCore:
    """Sends calls to one endpoint."""

    endpoint: Endpoint
    client: httpx.AsyncClient
    send: Send
    headers: Mapping[str, str]
    budget: Budget
    bounds: RetryBounds
    meter: Meter

    async def fetch(self, call: Call, *, headers: Headers = dict) -> Reply:
        """Return the answer to a call that succeeded, after retries; raise a SourceError else."""
        if not all(call.ids):
            # An empty segment would ask for the list above the record.
            raise RequestRefusedError(self.endpoint.api, call.template, detail="the id is empty")
        if call.guard is not None:
            with unknown_outcomes():
                return await self._attempt(call, headers)
        return await with_retries(
            self.bounds, lambda: self._attempt(call, headers), on_retry=self._count_retry
        )

    async def understood(
        self, ask: Callable[[], Awaitable[Reply]], read: Callable[[Reply], T]
    ) -> T:
        """Return what ``read`` makes of the answer; of what may be asked twice.

        A success that is something else than was due (a gateway's page, an empty body) is often
        the only one of its kind: it is asked for once more.
        """
        reply = await ask()
        try:
            return read(reply)
        except WrongAnswerError as exc:
            logger.info("%s; trying again", exc)
        bounds = self.bounds
        jitter_s = random.uniform(0, bounds.wait_jitter_s)  # noqa: S311 -- no secret
        await asyncio.sleep(bounds.wait_initial_s + jitter_s)
        self._count_retry()
        return read(await ask())

    async def _attempt(self, call: Call, get_headers: Headers) -> Reply:
        headers: Mapping[str, str] = {}
        with failures_in_words(call, self.endpoint):
            async with self.budget.request():
                send_before = None if call.guard is None else await call.guard()
                headers = get_headers()
                self.meter.requests += 1
                async with asyncio.timeout(self.endpoint.whole_s):
                    reply = await self._exchange(call, headers, send_before)
        sent = (part for value in headers.values() for part in (value, *value.split()))
        try:
            check_status(call, reply, endpoint=self.endpoint, sent=sent)
        except TransientSourceError as exc:
            if exc.status in ASKS_FOR_FEWER:
                self.budget.hold_back(exc.retry_after_s)
            raise
        return reply

    async def _exchange(
        self, call: Call, headers: Mapping[str, str], send_before: float | None
    ) -> Reply:
        # Not `client.stream`: what it merges for each request takes longer than the rest.
        request = httpx.Request(
            call.method,
            _address_of(f"{self.endpoint.base_url}{call.target}"),
            json=call.body,
            data=call.form,
            content=call.payload,
            headers={**self.headers, **_kind(call), **call.headers, **headers},
            extensions={"timeout": self.client.timeout.as_dict(), SEND_BEFORE: send_before},
        )
        sent_at = datetime.now(UTC)
        response = await self.send(request)
        try:
            return Reply(
                status=response.status_code,
                body=await self._body(call, response),
                charset=_charset(response.headers.get("Content-Type")),
                retry_after=response.headers.get("Retry-After"),
                sent_at=sent_at,
            )
        finally:
            await response.aclose()

    async def _body(self, call: Call, response: httpx.Response) -> bytes:
        chunks = bytearray()
        async for chunk in response.aiter_bytes():
            self.meter.bytes_read += len(chunk)
            chunks += chunk
            if len(chunks) > LARGEST_BODY:
                detail = f"a body of more than {LARGEST_BODY // 1024**2} MB came"
                raise WrongAnswerError(self.endpoint.api, call.template, detail=detail)
        return bytes(chunks)

    def _count_retry(self) -> None:
        self.meter.retries += 1


@asynccontextmanager
async def open_core(
    endpoint: Endpoint, *, budget: Budget, bounds: RetryBounds, meter: Meter
) -> AsyncIterator[HttpCore]:
    """Open the connections to one endpoint and close them at the end."""
    _quieten_libraries()
    async with open_client(endpoint) as (client, send):
        headers = {
            "User-Agent": f"sync-pipeline/{_version()}",
            "Accept": "application/json",
            # What httpx can unpack.
            "Accept-Encoding": client.headers["Accept-Encoding"],
        }
        yield HttpCore(endpoint, client, send, headers, budget, bounds, meter)


def _quieten_libraries() -> None:
    for name in ("httpx", "httpcore"):
        # Their own lines hold whole addresses, with the ids of people in them.
        logging.getLogger(name).setLevel(logging.WARNING)
    # Where structlog is installed, the default hook prints to standard output.
    stamina.instrumentation.set_on_retry_hooks([log_retry])


def _version() -> str:
    try:
        return version("sync-pipeline")
    except PackageNotFoundError:
        return "unreleased"


# A push asks for the same address three times.
@lru_cache(maxsize=1024)
def _address_of(url: str) -> httpx.URL:
    return httpx.URL(url)


@lru_cache(maxsize=64)
def _charset(content_type: str | None) -> str | None:
    headers = None if content_type is None else {"Content-Type": content_type}
    return httpx.Response(200, headers=headers).charset_encoding


def _kind(call: Call) -> dict[str, str]:
    return {} if call.payload is None else {"Content-Type": "application/json"}
