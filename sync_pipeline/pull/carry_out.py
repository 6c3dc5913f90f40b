"""Carry out the work of a run: read scopes side by side, load them in batches.

Fetching goes on while a batch is normalised and loaded in a thread; a queue between the two holds
no more than the next batch. When reading fails, what had arrived is loaded before the error is
raised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.setbacks import Setbacks
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.progress import Reason
from sync_pipeline.warehouse.runs import BatchCounts, Traffic

BATCH_ROWS = 5_000
BATCH_SECONDS = 1.0
# The rows of one scope are alike: the others of its rows tell nothing of the source.
TELLING_ROWS = 5
Item = Reading | Exception | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``gaps`` is why scopes that the request names are not proven."""

    counts: BatchCounts
    traffic: Traffic
    remaining: int
    is_proven: bool
    gaps: Mapping[str, Reason]


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


@dataclass(slots=True)
class _Reader:
    """Reads the scopes, several at a time, into a queue that ends with None or an error."""

    work: Work
    width: int
    deadline: float
    setbacks: Setbacks
    named: frozenset[str]
    gaps: dict[str, Reason] = field(default_factory=dict)
    queue: ReadingQueue = field(default_factory=ReadingQueue)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read_all(self) -> None:
        """Read until the scopes or the slice of time are used up."""
        ending: Exception | None = None
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self.width):
                    workers.create_task(self._read_some())
            self.setbacks.conclude()
        except ExceptionGroup as group:
            ending = _first(group)
        except Exception as exc:  # noqa: BLE001 -- handed on whole to the loading side
            ending = exc
        # Without waiting: a failure at the moment of a cancellation hides that one, and then
        # nobody takes anything from the queue any more.
        self.queue.end(ending)

    async def _read_some(self) -> None:
        # Each begins one at least: a run that reads nothing would have to be repeated for ever.
        is_first = True
        while is_first or time.monotonic() < self.deadline:
            is_first = False
            async with self._turn:
                scope = await anext(self.work.scopes, None)
            if scope is None:
                return
            async for reading in self.work.read(scope):
                await self.queue.put(reading)
                if reading.is_scope:
                    self.setbacks.note(reading)
                    self._note_gap(reading)

    def _note_gap(self, reading: Reading) -> None:
        # Of those alone that were asked for by name: of all, there may be any number.
        if reading.reason is not None and reading.scope in self.named:
            self.gaps[reading.scope] = reading.reason


async def carry_out(context: Context, work: Work, loader: Loader, *, meter: Meter) -> Outcome:
    """Read and load ``work`` until it is done or the request's slice of time is used up."""
    counts = await _load(loader, work.opening, meter)
    # Planning may have read a long list; what it found has the whole slice.
    deadline = time.monotonic() + context.request.slice_s
    setbacks = Setbacks(context.source)
    named = frozenset(context.request.only or ("",))
    reader = _Reader(work, context.source.max_in_flight, deadline, setbacks, named)
    reading = asyncio.create_task(reader.read_all())
    try:
        async for batch in _batches(reader.queue, fewest=loader.fields.fewest):
            counts += await _load(loader, batch, meter)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    remaining = max(0, work.scopes_total - counts.scopes_read)
    if not remaining:
        counts += await _load(loader, work.closing, meter)
    is_proven = work.is_grounded and not remaining and not counts.scopes_incomplete
    return Outcome(counts, traffic_of(meter), remaining, is_proven, reader.gaps)


async def _load(loader: Loader, readings: list[Reading], meter: Meter) -> BatchCounts:
    if not readings:
        return BatchCounts()
    return await asyncio.to_thread(loader.load_batch, readings, traffic_of(meter))


async def _batches(queue: ReadingQueue, *, fewest: int) -> AsyncIterator[list[Reading]]:
    """Yield readings in batches; raise the error that the queue ends with, if it is one.

    A batch with fewer telling records than ``fewest`` waits for more, up to the end of the work.
    """
    batch: list[Reading] = []
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
            if rows < BATCH_ROWS:
                continue
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
    return len(item.records) + len(item.repeats) + len(item.rejects) or 1


def _first(group: ExceptionGroup[Exception]) -> Exception:
    leaf = group.exceptions[0]
    return _first(leaf) if isinstance(leaf, ExceptionGroup) else leaf


def traffic_of(meter: Meter) -> Traffic:
    """Return what was sent and received so far."""
    return Traffic(meter.requests, meter.retries, meter.bytes_read)
