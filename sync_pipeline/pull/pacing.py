"""When a process sends the requests that it has reserved: pure decisions about moments.

All times are seconds of one clock that never jumps (the event loop's).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

LATE_S = 0.25
"""A reserved moment that was missed by more is lost: made up for, it would be a burst.

On a busy machine the event loop comes late by more than a tenth of a second."""


@dataclass(slots=True)
class _Chunk:
    """Moments at equal distances."""

    at: float
    step: float
    left: int

    def drop_before(self, moment: float) -> None:
        missed = min(self.left, max(0, math.ceil((moment - self.at) / self.step)))
        self.at += missed * self.step
        self.left -= missed


@dataclass(slots=True)
class Slots:
    """The moments that are reserved, each for one request."""

    _chunks: deque[_Chunk] = field(default_factory=deque)

    def add(self, count: int, *, at: float, rate: float) -> None:
        """Add ``count`` moments from ``at`` on, ``rate`` of them in a second."""
        if count:
            self._chunks.append(_Chunk(at, 1 / rate, count))

    def clear(self) -> None:
        """Give up all of them."""
        self._chunks.clear()

    def left(self, now: float) -> int:
        """Return how many are still to come."""
        self._drop_missed(now)
        return sum(chunk.left for chunk in self._chunks)

    def next_at(self, now: float) -> float | None:
        """Return the next one, which may be due already; None when there is none."""
        self._drop_missed(now)
        return self._chunks[0].at if self._chunks else None

    def take(self) -> None:
        """Use up the next one."""
        chunk = self._chunks[0]
        chunk.at += chunk.step
        chunk.left -= 1

    def _drop_missed(self, now: float) -> None:
        while self._chunks:
            chunk = self._chunks[0]
            if chunk.at < now - LATE_S:
                chunk.drop_before(now - LATE_S)
            if chunk.left:
                return
            self._chunks.popleft()


@dataclass(slots=True)
class Usage:
    """How many requests were sent lately: as many will be wanted in the next while."""

    window_s: float
    _since: float = -math.inf
    _before: int = 0
    _now: int = 0

    def count(self, now: float) -> None:
        """Count one that is sent."""
        self._turn(now)
        self._now += 1

    def lately(self, now: float) -> int:
        """Return how many were sent within about the length of the window."""
        self._turn(now)
        return max(self._before, self._now)

    def _turn(self, now: float) -> None:
        passed = now - self._since
        if passed < self.window_s:
            return
        self._before = self._now if passed < 2 * self.window_s else 0
        self._since, self._now = now, 0
