"""Readings on their way from those who read to the one who loads: bounded, and cut into batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sync_pipeline.pull.reading import Reading

# What a batch costs beside its rows is little then, and so is the memory that it takes.
BATCH_ROWS = 15_000
# The first is small: nothing is loaded until it is there.
FIRST_BATCH_ROWS = 3_000
# A longer one counts as several.
ROW_BYTES = 1_400
BATCH_SECONDS = 1.0
# The rows of one scope are alike: the others of its rows tell nothing of the source.
TELLING_ROWS = 5
Item = Reading | Exception | None


@dataclass(slots=True)
class ReadingQueue:
    """Holds about as many rows as a batch: of scopes with few rows, many are read meanwhile."""

    rows: int = 0
    _items: asyncio.Queue[Item] = field(default_factory=asyncio.Queue)
    _has_room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, reading: Reading) -> None:
        """Add ``reading`` once there is room."""
        while self.rows >= BATCH_ROWS:
            self._has_room.clear()
            await self._has_room.wait()
        self.rows += _rows_of(reading)
        self._items.put_nowait(reading)

    def end(self, error: Exception | None) -> None:
        """Say that nothing comes after this, and why; it takes no room."""
        self._items.put_nowait(error)

    async def get(self) -> Item:
        """Remove the oldest item, once there is one."""
        item = await self._items.get()
        self.rows -= _rows_of(item)
        self._has_room.set()
        return item


async def batches(queue: ReadingQueue, *, fewest: int) -> AsyncIterator[list[Reading]]:
    """Yield readings in batches; raise the error that the queue ends with, if it is one.

    A batch with fewer telling records than ``fewest`` waits for more, up to the end of the work.
    """
    batch: list[Reading] = []
    enough = FIRST_BATCH_ROWS
    rows, telling, closes_at = 0, 0, float("inf")
    while True:
        is_open = not batch or 0 < telling < fewest
        try:
            async with asyncio.timeout_at(None if is_open else closes_at):
                item = await queue.get()
        except TimeoutError:
            yield batch
            batch = []
            continue
        if isinstance(item, Reading):
            if not batch:
                closes_at = asyncio.get_running_loop().time() + BATCH_SECONDS
                rows, telling = 0, 0
            batch.append(item)
            rows += _rows_of(item)
            telling += min(len(item.records), TELLING_ROWS)
            if rows < enough:
                continue
            enough = BATCH_ROWS
        if batch:
            yield batch
            batch = []
        if item is None:
            return
        if isinstance(item, Exception):
            raise item


def _rows_of(item: Item) -> int:
    if not isinstance(item, Reading):
        return 0
    records = [*item.records, *item.repeats]
    size = sum(len(record.listed) + len(record.detail) for record in records)
    return max(len(records) + len(item.rejects), size // ROW_BYTES, 1)
