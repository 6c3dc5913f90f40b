"""One budget per API over all processes: what waits here asks the warehouse for leave to be sent.

A few times a second one task asks for places and for a chunk of moments; `gate.py` lets requests
through on these. What is granted is decided in `warehouse/budget.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import Engine

from sync_pipeline.pull.gate import REFRESH_S, Gate
from sync_pipeline.settings import SourceSettings
from sync_pipeline.sources.budget import HeldBackError
from sync_pipeline.warehouse.budget import (
    AHEAD_S,
    Ask,
    BudgetTable,
    Grant,
    Lane,
    Limits,
    open_budget_table,
)

SOONEST_S = 0.05
LONGEST_WAIT_S = 60.0
"""A silence that lasts longer is a failure of the requests, and none of them waits for it."""


class SharedBudget:
    """A `sources.budget.Budget` that all processes share; made by `open_budget`."""

    def __init__(self, table: BudgetTable, *, max_in_flight: int, lane: Lane) -> None:
        self._table = table
        self._max_in_flight = max_in_flight
        self._ahead_s = AHEAD_S[lane]
        self._gate = Gate()
        self._silences = 0
        self._held_back_s: float | None = None
        self._is_answered = False
        self._is_held_back = asyncio.Event()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for leave to send one request; it counts as in flight while the context is open.

        Raises WarehouseError, and HeldBackError while the API wants a long silence.
        """
        await self._gate.enter()
        silences = self._silences
        try:
            yield
            self._is_answered = self._is_answered or silences == self._silences
        finally:
            self._gate.leave()

    def hold_back(self, asked_s: float | None) -> None:
        """Have all processes send nothing for a while: the API answered 429 or 503."""
        self._silences += 1
        self._is_answered = False
        self._held_back_s = max(self._held_back_s or 0, asked_s or 0)
        self._gate.forget_moments()
        self._is_held_back.set()
        self._gate.is_short.set()

    async def keep_asking(self) -> None:
        """Ask for what is wanted here, for as long as this runs; its failure is the requests'."""
        try:
            while True:
                if self._gate.is_idle and self._held_back_s is None:
                    await self._gate.is_short.wait()
                await self._ask()
        except Exception as exc:  # noqa: BLE001 -- those who wait would do so for ever
            self._gate.fail(exc)

    async def _ask(self) -> None:
        self._gate.is_short.clear()
        self._is_held_back.clear()
        asked_at = asyncio.get_running_loop().time()
        grant = await self._table.ask(self._wanted())
        soonest_s = self._accept(grant, asked_at)
        await _within(soonest_s, self._is_held_back)
        if not self._gate.waiting:
            await _within(REFRESH_S - soonest_s, self._gate.is_short)

    def _wanted(self) -> Ask:
        gate = self._gate
        ask = Ask(
            places_wanted=min(self._max_in_flight, gate.take_peak() + gate.waiting),
            in_use=gate.in_flight,
            requests_wanted=gate.requests_wanted(),
            is_answered=self._is_answered,
            held_back_s=self._held_back_s,
        )
        self._is_answered, self._held_back_s = False, None
        return ask

    def _accept(self, grant: Grant, asked_at: float) -> float:
        """Take what is granted; return after how many seconds more may be had."""
        if grant.is_quiet:
            self._gate.forget_moments()
            if grant.from_s > LONGEST_WAIT_S:
                self._gate.refuse(HeldBackError(grant.from_s))
        # What was granted before the API asked for fewer is not to be sent.
        is_stale = self._held_back_s is not None
        self._gate.admit(replace(grant, requests=0) if is_stale else grant, asked_at=asked_at)
        free_s = grant.from_s + grant.requests / grant.rate
        return min(max(free_s - self._ahead_s, SOONEST_S), REFRESH_S)


@asynccontextmanager
async def open_budget(
    engine: Engine, source: str, settings: SourceSettings, *, lane: Lane = "pull"
) -> AsyncIterator[SharedBudget]:
    """Take part in the budget of a source's API, over one connection; raises WarehouseError."""
    limits = Limits(settings.requests_per_second, settings.max_in_flight)
    api = f"{source} {origin(settings.base_url)}"
    async with open_budget_table(engine, api, limits=limits, lane=lane) as table:
        budget = SharedBudget(table, max_in_flight=settings.max_in_flight, lane=lane)
        asking = asyncio.create_task(budget.keep_asking())
        try:
            yield budget
        finally:
            asking.cancel()
            await asyncio.wait({asking})


def origin(url: str) -> str:
    """Return what is the same for all addresses of one server."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return f"{parts.scheme}://{parts.hostname}:{port}"


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for ``event``, for so long at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
