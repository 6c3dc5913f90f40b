"""The requests of one process that wait to be sent: each has its turn, a place and a moment.

Places and moments are granted from outside (`budget`); nothing here asks for them.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque

from sync_pipeline.pull.pacing import Slots, Usage
from sync_pipeline.warehouse.budget import LEASE_S, Grant

REFRESH_S = 0.25
"""How long places are kept that nobody uses, and how late a silence is heard of."""


class Gate:
    """Lets requests through in the order in which they came; those that went are `in_flight`.

    `is_short` is set when more will be wanted than was granted, or when others want what is held.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._slots = Slots()
        self._usage = Usage(REFRESH_S)
        self._low_water = 0
        self._most_in_flight = 0
        self._places = self._share = 0
        self._places_until = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None
        self.in_flight = 0
        self.is_short = asyncio.Event()

    async def enter(self) -> None:
        """Return when one request may be sent; raises what `refuse` or `fail` was told."""
        if self._failure is not None:
            raise self._failure
        turn = self._loop.create_future()
        self._queue.append(turn)
        self._send_due()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self.leave()
            raise

    def leave(self) -> None:
        """Give back the place of one that entered."""
        self.in_flight -= 1
        if self.in_flight >= self._share:
            # Somebody else waits for the place.
            self.is_short.set()
        self._send_due()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, is on its way, or is held for later."""
        return not (self._queue or self.in_flight or self._places)

    def requests_wanted(self) -> int:
        """Return how many moments those that wait need, and those that will come by habit."""
        # One that was sent is no habit.
        return len(self._queue) + max(0, self._usage.lately(self._loop.time()) - 1)

    def take_peak(self) -> int:
        """Return how many were in flight at once, at most, since this was last asked."""
        peak, self._most_in_flight = self._most_in_flight, self.in_flight
        return peak

    def admit(self, grant: Grant, *, asked_at: float) -> None:
        """Hold the places that were asked for at ``asked_at``, and add the moments."""
        now = self._loop.time()
        self._places, self._share = grant.places, grant.share
        self._places_until = asked_at + LEASE_S
        self._slots.add(grant.requests, at=now + grant.from_s, rate=grant.rate)
        self._low_water = self._slots.left(now) // 2
        self._send_due()

    def forget_moments(self) -> None:
        """Send nothing until more is granted."""
        self._slots.clear()

    def refuse(self, why: Exception) -> None:
        """Fail those that wait now."""
        waiting, self._queue = self._queue, deque()
        for turn in waiting:
            if not turn.done():
                turn.set_exception(why)

    def fail(self, failure: Exception) -> None:
        """Fail those that wait, and all that come."""
        self._failure = failure
        self.refuse(failure)

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
            self.in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self.in_flight)
            self._queue.popleft().set_result(None)
        if self._queue or 0 < self._slots.left(now) <= self._low_water:
            self.is_short.set()

    def _is_place_free(self, now: float) -> bool:
        # Beyond the lease somebody else may have them.
        return self.in_flight < self._places and now < self._places_until

    def _look_again(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self._send_due)
