"""How politely an API is read: a budget is taken for every attempt.

The protocol is what the HTTP core needs. The implementation here holds within one process, for a
handful of requests beside the others (`doctor`); what all processes share is `pull/budget.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, Self

from aiolimiter import AsyncLimiter

from sync_pipeline.settings import SourceSettings

# A longer window would let its whole share go out at once.
WINDOW_S = 0.02


class HeldBackError(Exception):
    """The API wants a silence that is too long to wait for."""

    def __init__(self, left_s: float) -> None:
        super().__init__(f"the API asked for a silence: {left_s:.0f} s of it are left")
        self.left_s = left_s


class Budget(Protocol):
    """Who may send a request now."""

    def request(self) -> AbstractAsyncContextManager[None]:
        """Wait for leave to send one request; it counts as in flight while the context is open.

        Raises HeldBackError while the API wants a long silence.
        """

    def hold_back(self, asked_s: float | None) -> None:
        """Take note that the API answered 429 or 503, and how many seconds it asks to wait."""


class ProcessBudget:
    """At most so many requests per second, and so many in flight, within this event loop."""

    def __init__(self, *, requests_per_second: float, max_in_flight: int) -> None:
        per_window = max(1.0, requests_per_second * WINDOW_S)
        self._rate = AsyncLimiter(per_window, per_window / requests_per_second)
        self._in_flight = asyncio.Semaphore(max_in_flight)

    @classmethod
    def from_settings(cls, settings: SourceSettings) -> Self:
        """Return the budget that the settings of one source allow."""
        return cls(
            requests_per_second=settings.requests_per_second, max_in_flight=settings.max_in_flight
        )

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for a free place, then for the rate: leave once given is used at once."""
        async with self._in_flight, self._rate:
            yield

    def hold_back(self, asked_s: float | None) -> None:
        """Leave it to each call's own retries: there is nobody to share it with."""
