"""Do for many at once what is asked for one by one: one batch at a time.

What comes while a batch is worked on makes up the next one; before each a moment is waited, a
longer one where many come, for one by one these acts cost many times as much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

LINGER_S, LONGER_S = 0.02, 0.1
# So many at once tell that many more will come.
MANY = 16
T = TypeVar("T")
R = TypeVar("R")
Act: TypeAlias = Callable[[Sequence[T]], Awaitable[Sequence[R]]]


def in_thread(act: Callable[[Sequence[T]], Sequence[R]]) -> Act[T, R]:
    """Return what does ``act`` beside the event loop."""

    async def acted(items: Sequence[T]) -> Sequence[R]:
        return await asyncio.to_thread(act, items)

    return acted


class Together(Generic[T, R]):
    """Awaits ``act`` with the items that wait; it returns what each of them comes to, in order.

    ``is_urgent``: those who ask hold what others wait for, so that nothing is waited for.
    """

    def __init__(self, act: Act[T, R], *, is_urgent: bool = False) -> None:
        self._act = act
        self._is_urgent = is_urgent
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None
        self._linger_s = LINGER_S

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
                await asyncio.sleep(0 if self._is_urgent else self._linger_s)
                batch, self._waiting = self._waiting, []
                self._linger_s = LONGER_S if len(batch) >= MANY else LINGER_S
                await self._settle(batch)
        finally:
            self._working = None

    async def _settle(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            found = await self._act([item for item, _ in batch])
        except Exception as exc:  # noqa: BLE001 -- it is the failure of those who wait
            for _, outcome in batch:
                if not outcome.done():
                    outcome.set_exception(exc)
            return
        for (_, outcome), result in zip(batch, found, strict=True):
            if not outcome.done():
                outcome.set_result(result)
