"""What is read ahead while a batch is being loaded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.reading_queue import BATCH_ROWS, ROW_BYTES, ReadingQueue
from sync_pipeline.records import Record
from sync_pipeline.warehouse.progress import Proof

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reading(scope: str, *, rows: int) -> Reading:
    records = [Record(f"{scope}-{row}", scope, b"{}", b"", b"", NOW) for row in range(rows)]
    return Reading(scope, Proof.SINGLE_RESPONSE, None, NOW, NOW, records=records)


def test_a_batch_of_scopes_with_few_rows_is_read_ahead_and_no_more() -> None:
    async def read_ahead() -> list[int]:
        queue, counts = ReadingQueue(), []
        reader = asyncio.create_task(fill(queue))
        for taken in (0, 10):
            for _ in range(taken):
                await queue.get()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            counts.append(queue.rows)
        reader.cancel()
        return counts

    async def fill(queue: ReadingQueue) -> None:
        for scope in range(2 * BATCH_ROWS):
            await queue.put(reading(str(scope), rows=scope % 2))

    assert asyncio.run(read_ahead()) == [BATCH_ROWS, BATCH_ROWS]


def test_long_pages_wait_for_room_one_after_the_other_and_come_in_their_order() -> None:
    async def order() -> list[str]:
        queue = ReadingQueue()
        names = [f"page {number}" for number in range(5)]

        async def fill() -> None:
            for name in names:
                await queue.put(reading(name, rows=BATCH_ROWS))
            queue.end(None)

        reader = asyncio.create_task(fill())
        found = []
        while isinstance(item := await queue.get(), Reading):
            found.append(item.scope)
            assert queue.rows <= BATCH_ROWS
        await reader
        return found

    assert asyncio.run(order()) == [f"page {number}" for number in range(5)]


def test_long_rows_fill_a_batch_as_several_would() -> None:
    async def filled(*sizes: int) -> int:
        queue = ReadingQueue()
        records = [Record(str(n), "", bytes(size), b"", b"", NOW) for n, size in enumerate(sizes)]
        repeats = [Record("again", "", b"", bytes(ROW_BYTES), b"", NOW)]
        whole = Reading("", Proof.SINGLE_RESPONSE, None, NOW, NOW, records=records)
        await queue.put(replace(whole, repeats=repeats))
        held = queue.rows
        assert await queue.get() == replace(whole, repeats=repeats)
        assert queue.rows == 0
        return held

    assert asyncio.run(filled(1, 2, 3)) == 4
    assert asyncio.run(filled(10 * ROW_BYTES, 1)) == 11
