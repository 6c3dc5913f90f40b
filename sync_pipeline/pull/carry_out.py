"""Carry out the work of a run: read scopes side by side, load them in batches.

Fetching goes on while one batch is loaded in a thread and, where all is new, the next one is
normalised in another. When reading fails, what had arrived is loaded before the error is raised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.normalising import batch_of
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.reading_queue import ReadingQueue, batches
from sync_pipeline.pull.setbacks import Setbacks
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.progress import Reason
from sync_pipeline.warehouse.runs import BatchCounts, Traffic


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``gaps`` is why scopes that the request names are not proven."""

    counts: BatchCounts
    traffic: Traffic
    remaining: int
    is_proven: bool
    gaps: Mapping[str, Reason]


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


@dataclass(slots=True)
class _Loading:
    """Loads one batch after the other; ``counts`` is what those came to that are through."""

    loader: Loader
    meter: Meter
    counts: BatchCounts = field(default_factory=BatchCounts)
    _is_all_new: bool | None = None
    _under_way: asyncio.Task[BatchCounts] | None = None

    async def begin(self, readings: list[Reading]) -> None:
        """Get ``readings`` ready, wait for the load before, and begin theirs."""
        if not readings:
            return
        if self._is_all_new is None:
            await asyncio.to_thread(self.loader.look_first)
            self._is_all_new = self.loader.tally.was_empty
        stream = self.loader.run.stream
        batch = await asyncio.to_thread(batch_of, stream, readings, is_ahead=self._is_all_new)
        await self.finish()
        load = asyncio.to_thread(self.loader.load_batch, batch, traffic_of(self.meter))
        self._under_way = asyncio.create_task(load)

    async def finish(self) -> None:
        """Wait for the load that is under way."""
        load, self._under_way = self._under_way, None
        if load is None:
            return
        counts = await load
        self.counts += counts
        stored = counts.updated + counts.unchanged + counts.outdated
        self._is_all_new = counts.inserted > 0 and not stored


async def carry_out(context: Context, work: Work, loader: Loader, *, meter: Meter) -> Outcome:
    """Read and load ``work`` until it is done or the request's slice of time is used up."""
    loading = _Loading(loader, meter)
    await loading.begin(work.opening)
    await loading.finish()
    # Planning may have read a long list; what it found has the whole slice.
    deadline = time.monotonic() + context.request.slice_s
    setbacks = Setbacks(context.source)
    named = frozenset(context.request.only or ("",))
    reader = _Reader(work, context.source.max_in_flight, deadline, setbacks, named)
    reading = asyncio.create_task(reader.read_all())
    try:
        async for readings in batches(reader.queue, fewest=loader.fields.fewest):
            await loading.begin(readings)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await loading.finish()
    remaining = max(0, work.scopes_total - loading.counts.scopes_read)
    if not remaining:
        await loading.begin(work.closing)
        await loading.finish()
    counts = loading.counts
    is_proven = work.is_grounded and not remaining and not counts.scopes_incomplete
    return Outcome(counts, traffic_of(meter), remaining, is_proven, reader.gaps)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    leaf = group.exceptions[0]
    return _first(leaf) if isinstance(leaf, ExceptionGroup) else leaf


def traffic_of(meter: Meter) -> Traffic:
    """Return what was sent and received so far."""
    return Traffic(meter.requests, meter.retries, meter.bytes_read)
