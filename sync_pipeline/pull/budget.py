"""One budget per API over all processes: what is waiting here, sent when the warehouse lets it.

A few times a second one task asks for places and for a chunk of moments; requests are sent from
these. What is asked and granted is decided in `warehouse/budget.py`, the moments in `pacing.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from sqlalchemy import Engine

from sync_pipeline.pull.pacing import Slots, Usage
from sync_pipeline.settings import SourceSettings
from sync_pipeline.sources.budget import HeldBackError
from sync_pipeline.warehouse.budget import (
    AHEAD_S,
    LEASE_S,
    Ask,
    BudgetTable,
    Grant,
    Lane,
    Limits,
    open_budget_table,
)

REFRESH_S = 0.25
"""How long places are kept that nobody uses, and how late a silence is heard of."""
SOONEST_S = 0.05
LONGEST_WAIT_S = 60.0
"""A silence that lasts longer is a failure of the requests, and none of them waits for it."""


class SharedBudget:
    """A `sources.budget.Budget` that all processes share; made by `open_budget`."""

    def __init__(self, table: BudgetTable, *, max_in_flight: int, lane: Lane) -> None:
        self._table = table
        self._max_in_flight = max_in_flight
        self._ahead_s = AHEAD_S[lane]
        self._loop = asyncio.get_running_loop()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._slots = Slots()
        self._usage = Usage(REFRESH_S)
        self._low_water = 0
        self._in_flight = self._most_in_flight = 0
        self._places = self._share = 0
        self._places_until = -math.inf
        self._silences = 0
        self._held_back_s: float | None = None
        self._is_answered = False
        self._is_short = asyncio.Event()
        self._is_held_back = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for leave to send one request; it counts as in flight while the context is open.

        Raises WarehouseError, and HeldBackError while the API wants a long silence.
        """
        await self._turn()
        silences = self._silences
        try:
            yield
            self._is_answered = self._is_answered or silences == self._silences
        finally:
            self._release()

    def hold_back(self, asked_s: float | None) -> None:
        """Have all processes send nothing for a while: the API answered 429 or 503."""
        self._silences += 1
        self._is_answered = False
        self._slots.clear()
        self._held_back_s = max(self._held_back_s or 0, asked_s or 0)
        self._is_held_back.set()
        self._is_short.set()

    async def keep_asking(self) -> None:
        """Ask for what is wanted here, for as long as this runs; its failure is the requests'."""
        try:
            while True:
                if self._is_idle():
                    await self._is_short.wait()
                await self._ask()
        except Exception as exc:  # noqa: BLE001 -- those who wait would do so for ever
            self._fail(exc)

    async def _ask(self) -> None:
        self._is_short.clear()
        self._is_held_back.clear()
        asked_at, ask = self._loop.time(), self._wanted()
        grant = await self._table.ask(ask)
        soonest_s = self._accept(grant, asked_at)
        await _within(soonest_s, self._is_held_back)
        if not self._queue:
            await _within(REFRESH_S - soonest_s, self._is_short)

    def _is_idle(self) -> bool:
        held = self._queue or self._in_flight or self._places
        return not held and self._held_back_s is None

    def _wanted(self) -> Ask:
        waiting = len(self._queue)
        ask = Ask(
            places_wanted=min(self._max_in_flight, self._most_in_flight + waiting),
            in_use=self._in_flight,
            # One that was sent is no habit.
            requests_wanted=waiting + max(0, self._usage.lately(self._loop.time()) - 1),
            is_answered=self._is_answered,
            held_back_s=self._held_back_s,
        )
        self._most_in_flight = self._in_flight
        self._is_answered, self._held_back_s = False, None
        return ask

    def _accept(self, grant: Grant, asked_at: float) -> float:
        """Take what is granted; return after how many seconds more may be had."""
        now = self._loop.time()
        self._places, self._share = grant.places, grant.share
        self._places_until = asked_at + LEASE_S
        if grant.is_quiet:
            self._slots.clear()
        if self._held_back_s is None:
            self._slots.add(grant.requests, at=now + grant.from_s, rate=grant.rate)
        self._low_water = self._slots.left(now) // 2
        if grant.is_quiet and grant.from_s > LONGEST_WAIT_S:
            self._refuse(HeldBackError(grant.from_s))
        self._send_due()
        free_s = grant.from_s + grant.requests / grant.rate
        return min(max(free_s - self._ahead_s, SOONEST_S), REFRESH_S)

    async def _turn(self) -> None:
        if self._failure is not None:
            raise self._failure
        turn = self._loop.create_future()
        self._queue.append(turn)
        self._send_due()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self._release()
            raise

    def _release(self) -> None:
        self._in_flight -= 1
        if self._in_flight >= self._share:
            # Somebody else waits for the place.
            self._is_short.set()
        self._send_due()

    def _send_due(self) -> None:
        """Let those go whose moment has come, in the order in which they came."""
        now = self._loop.time()
        while self._queue and self._is_place_free(now):
            if self._queue[0].done():
                self._queue.popleft()
                continue
            due_at = self._slots.next_at(now)
            if due_at is None or due_at > now:
                self._look_again(due_at)
                break
            self._slots.take()
            self._usage.count(now)
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
            self._queue.popleft().set_result(None)
        if self._queue or 0 < self._slots.left(now) <= self._low_water:
            self._is_short.set()

    def _is_place_free(self, now: float) -> bool:
        # Beyond the lease somebody else may have them.
        return self._in_flight < self._places and now < self._places_until

    def _look_again(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self._send_due)

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._refuse(failure)

    def _refuse(self, why: Exception) -> None:
        waiting, self._queue = self._queue, deque()
        for turn in waiting:
            if not turn.done():
                turn.set_exception(why)


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
