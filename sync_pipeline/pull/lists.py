"""Streams that are one list: read page by page, so that the memory is bounded by the batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from sync_pipeline.errors import SettingsError
from sync_pipeline.pull.creation import creation_times
from sync_pipeline.pull.due import is_list_due, is_list_proven
from sync_pipeline.pull.keys import key_of
from sync_pipeline.pull.listing import FetchPage
from sync_pipeline.pull.reading import Reading, part
from sync_pipeline.pull.sweep import Sweep
from sync_pipeline.pull.swept import SweptPage
from sync_pipeline.pull.work import AskForOne, Context, Work, hashes_of, in_turn, keyless
from sync_pipeline.records import Record

Complete = Callable[[Reading], AsyncIterator[Reading]]


async def plan_list(
    context: Context,
    fetch: FetchPage,
    *,
    complete: Complete | None = None,
    ask: AskForOne | None = None,
) -> Work:
    """Plan the stream's list if it is due.

    ``complete`` may add to a page what the list leaves out; it yields readings in its place.
    ``ask`` asks for one record that the list no longer names, where the API can.
    Raises SettingsError for a request that names records: the API gives the list as a whole.
    """
    if context.request.only:
        raise SettingsError(f"{context.stream} is one list: none of it can be read alone")

    def read(_scope: str) -> AsyncIterator[Reading]:
        return _read_whole(context, fetch, complete)

    is_due = await asyncio.to_thread(is_list_due, context)
    scopes = in_turn([""] if is_due else [])
    # Where there is nothing to read, the stream is as complete as its last reading.
    is_grounded = is_due or await asyncio.to_thread(is_list_proven, context)
    return Work(
        scopes_total=int(is_due),
        scopes=scopes,
        read=read,
        is_grounded=is_grounded,
        ask=ask,
        is_one_list=True,
    )


async def _read_whole(
    context: Context, fetch: FetchPage, complete: Complete | None
) -> AsyncIterator[Reading]:
    """Yield the list page by page, and at last what the sweep proves of it as a whole."""
    sweep = Sweep(
        fetch,
        key_of(context.stream),
        created_of=creation_times(context.stream),
        asked_rows=context.source.page_size,
    )
    async for page in sweep.pages():
        reading = _page_reading(context, page)
        async for completed in complete(reading) if complete else in_turn([reading]):
            yield completed
    due_at = context.due_again(sweep.started_at)
    whole = Reading("", sweep.proof, sweep.reason, sweep.started_at, due_at)
    yield replace(whole, seen=sweep.seen)


def _page_reading(context: Context, page: SweptPage) -> Reading:
    def records(rows: dict[str, bytes]) -> list[Record]:
        hashes = hashes_of(context.stream, rows.values())
        return [
            Record(key, "", raw, b"", raw_hash, page.sent_at)
            for (key, raw), raw_hash in zip(rows.items(), hashes, strict=True)
        ]

    return replace(
        part("", page.sent_at),
        records=records(page.rows),
        repeats=records(page.repeats),
        rejects=[keyless(raw, page.sent_at) for raw in page.keyless],
        duplicates=page.duplicates,
    )
