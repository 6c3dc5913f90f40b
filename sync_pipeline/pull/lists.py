"""Streams that are one list: read page by page, so that the memory is bounded by the batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from sync_pipeline.pull.due import is_list_due
from sync_pipeline.pull.keys import key_of
from sync_pipeline.pull.reading import Reading, part
from sync_pipeline.pull.sweep import FetchPage, Sweep, SweptPage
from sync_pipeline.pull.work import Context, Work, hash_of, in_turn, keyless
from sync_pipeline.records import Record
from sync_pipeline.warehouse.progress import Proof, Reason

Complete = Callable[[Reading], AsyncIterator[Reading]]


async def plan_list(
    context: Context, fetch: FetchPage, *, complete: Complete | None = None
) -> Work:
    """Plan the stream's list if it is due.

    ``complete`` may add to a page what the list leaves out; it yields readings in its place. A
    request that names records reads the whole list for them: the API has no other way.
    """

    async def read(_scope: str) -> AsyncIterator[Reading]:
        sweep = Sweep(fetch, key_of(context.stream))
        missing = set(context.request.only)
        async for page in sweep.pages():
            reading = _page_reading(context, page)
            missing -= {record.record_id for record in reading.records}
            async for completed in complete(reading) if complete else in_turn([reading]):
                yield completed
        yield _conclusion(context, sweep, is_found=not missing)

    is_due = bool(context.request.only) or await asyncio.to_thread(is_list_due, context)
    scopes = in_turn([""] if is_due else [])
    return Work(scopes_total=int(is_due), scopes=scopes, read=read)


def _page_reading(context: Context, page: SweptPage) -> Reading:
    wanted = set(context.request.only)
    rows = [row for row in page.rows.items() if not wanted or row[0] in wanted]
    return replace(
        part("", page.sent_at),
        records=[_record(context, page, row) for row in rows],
        repeats=[] if wanted else [_record(context, page, row) for row in page.repeats.items()],
        rejects=[keyless(raw, page.sent_at) for raw in page.keyless],
        duplicates=page.duplicates,
        ignored=len(page.rows) - len(rows),
    )


def _record(context: Context, page: SweptPage, row: tuple[str, bytes]) -> Record:
    key, raw = row
    return Record(key, "", raw, b"", hash_of(context.stream, raw), page.sent_at)


def _conclusion(context: Context, sweep: Sweep, *, is_found: bool) -> Reading:
    due_at = context.due_again(sweep.started_at)
    whole_list = Reading("", sweep.proof, sweep.reason, sweep.started_at, due_at)
    if not context.request.only:
        return whole_list
    # What the list says of others was not loaded for a request that names its records.
    named = replace(whole_list, is_progress=False)
    missing = replace(named, proof=Proof.INCOMPLETE, reason=Reason.NOT_FOUND)
    return named if is_found else missing
