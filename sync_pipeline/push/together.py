"""Do for many at once what is asked for one by one: one batch at a time, in a thread.

What comes while a batch is worked on makes up the next one; before each a moment is waited, for
one by one these acts cost many times as much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

LINGER_S = 0.03
T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Calls ``act`` with the items that wait; it returns what each of them comes to, in order."""

    def __init__(self, act: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._act = act
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        """Return what ``item`` comes to; raises what the whole batch failed by."""
        outcome: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await outcome

    async def _work(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LINGER_S)
                batch, self._waiting = self._waiting, []
                await self._settle(batch)
        finally:
            self._working = None

    async def _settle(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            found = await asyncio.to_thread(self._act, [item for item, _ in batch])
        except Exception as exc:  # noqa: BLE001 -- it is the failure of those who wait
            for _, outcome in batch:
                if not outcome.done():
                    outcome.set_exception(exc)
            return
        for (_, outcome), result in zip(batch, found, strict=True):
            if not outcome.done():
                outcome.set_result(result)
