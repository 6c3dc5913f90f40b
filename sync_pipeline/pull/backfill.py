"""Communications of CRM.COM by the time of their creation: what a backfill over days reads.

v2 filters by it: one filtered reading per contact and window. v1 does not, and its list does not
even say it: each list is read in full, and the creation times come from the warehouse, for what it
does not know from the answers for single communications. What lies outside the windows is counted
and left alone. The live progress is not touched: a backfill keeps its own, contact by contact.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sync_pipeline.entities import Stream
from sync_pipeline.pull.backfill_windows import Backfill, Window
from sync_pipeline.pull.communication_details import Details, created_at_of
from sync_pipeline.pull.contact_ids import are_ids_proven
from sync_pipeline.pull.reading import PullRequest, Reading
from sync_pipeline.pull.swept import SweptList
from sync_pipeline.pull.under_contacts import as_expected, listed, read_under, sweep_under
from sync_pipeline.pull.work import Context, Work, in_turn, keyless, once
from sync_pipeline.records import Record
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.backfills import (
    BackfillKey,
    backfill_contacts,
    begin_backfill,
    count_backfill_contacts,
    known_creations,
)
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Proof

CHUNK = 2_000


async def plan_backfill(context: Context, api: CrmcomApi, backfill: Backfill) -> Work:
    """Plan the contacts that the backfill has not read: all, but for what earlier attempts did."""
    is_grounded = await are_ids_proven(context, api)
    number = await asyncio.to_thread(_begun, context)
    total, chunks = await _contacts_left(context, number)
    reader = _Reader(context, api, backfill, number)

    def read(contact_id: str) -> AsyncIterator[Reading]:
        return once(reader.read(contact_id))

    scopes = reader.prepared(chunks)
    return Work(scopes_total=total, scopes=scopes, read=read, is_grounded=is_grounded)


def key_of_backfill(stream: Stream, request: PullRequest) -> BackfillKey | None:
    """Return under what progress is kept; a request that names its contacts keeps none."""
    backfill = request.backfill
    if backfill is None or backfill.origin is None or request.only:
        return None
    return BackfillKey(stream, backfill.origin, backfill.words)


@dataclass(slots=True)
class _Reader:
    """Reads contacts' lists; ``created`` is when their stored rows were created, where unsaid."""

    context: Context
    api: CrmcomApi
    backfill: Backfill
    number: int | None
    created: dict[str, dict[str, datetime]] = field(default_factory=dict)
    is_filter_ignored: bool = False

    async def prepared(self, chunks: AsyncIterator[list[str]]) -> AsyncIterator[str]:
        """Yield the contacts of ``chunks`` one by one, each with what is known of its list."""
        async for chunk in chunks:
            if self.api.has_details:
                self.created |= await asyncio.to_thread(self._look_up, chunk)
            for contact_id in chunk:
                yield contact_id

    async def read(self, contact_id: str) -> Reading:
        """Read what one contact's list holds of the windows."""
        known = self.created.pop(contact_id, {})
        outcome = await read_under(self.context, contact_id, self._read(contact_id, known))
        reading = await as_expected(self.context, outcome)
        return replace(reading, is_progress=False, backfill_id=self.number)

    def _look_up(self, contact_ids: list[str]) -> dict[str, dict[str, datetime]]:
        with transaction(self.context.engine) as connection:
            return known_creations(connection, self.context.stream, contact_ids)

    async def _read(self, contact_id: str, known: dict[str, datetime]) -> Reading:
        sweeps = [sweep async for sweep in self._sweeps(contact_id)]
        records = [r for sweep in sweeps for r in listed(self.context, contact_id, sweep)]
        details = Details(self.api, side_by_side=2 * self.context.source.max_in_flight)
        if self.api.has_details:
            asked = await details.of([r for r in records if _created_at(r, known) is None])
            records = [asked.get(record.record_id, record) for record in records]
        wanted = [record for record in records if self._is_wanted(record, known)]
        return details.judged(_joined(self.context, contact_id, sweeps, wanted))

    async def _sweeps(self, contact_id: str) -> AsyncIterator[SweptList]:
        fetch = partial(self.api.communications_page, contact_id)
        if self.is_filter_ignored or not self.api.has_creation_filter:
            yield await sweep_under(self.context, fetch)
            return
        for window in self.backfill.windows:
            asked = window.in_whole_seconds()
            filtered = partial(fetch, created_from=asked.since, created_until=asked.until)
            sweep = await sweep_under(self.context, filtered)
            yield sweep
            if any(_is_outside(asked, raw) for raw, _ in sweep.rows.values()):
                # The API knows no such filter: this was the whole list.
                self.is_filter_ignored = True
                return

    def _is_wanted(self, record: Record, known: dict[str, datetime]) -> bool:
        at = _created_at(record, known)
        return at is not None and self.backfill.holds(at)


def _begun(context: Context) -> int | None:
    key = key_of_backfill(context.stream, context.request)
    if key is None:
        return None
    with transaction(context.engine) as connection:
        return begin_backfill(connection, key)


async def _contacts_left(
    context: Context, number: int | None
) -> tuple[int, AsyncIterator[list[str]]]:
    named = list(dict.fromkeys(context.request.only))
    if named:
        return len(named), in_turn([named])
    return await asyncio.to_thread(_count, context, number), _in_chunks(context, number)


def _count(context: Context, number: int | None) -> int:
    with transaction(context.engine) as connection:
        return count_backfill_contacts(connection, context.stream, number)


async def _in_chunks(context: Context, number: int | None) -> AsyncIterator[list[str]]:
    last = ""
    while chunk := await asyncio.to_thread(_next_chunk, context, number, last):
        yield chunk
        last = chunk[-1]


def _next_chunk(context: Context, number: int | None, last: str) -> list[str]:
    with transaction(context.engine) as connection:
        return backfill_contacts(connection, context.stream, number, after=last, most=CHUNK)


def _created_at(record: Record, known: dict[str, datetime]) -> datetime | None:
    said = created_at_of(record.listed) or known.get(record.record_id)
    return said or (created_at_of(record.detail) if record.detail else None)


def _is_outside(window: Window, raw: bytes) -> bool:
    at = created_at_of(raw)
    return at is not None and not window.holds(at)


def _joined(
    context: Context, contact_id: str, sweeps: list[SweptList], wanted: list[Record]
) -> Reading:
    """Return what several readings of parts of one list brought, as the weakest of them proves."""
    weakest = next((sweep for sweep in sweeps if sweep.proof is Proof.INCOMPLETE), sweeps[0])
    started_at = sweeps[0].started_at
    return Reading(
        contact_id,
        weakest.proof,
        weakest.reason,
        started_at,
        context.due_again(started_at),
        records=wanted,
        rejects=[
            keyless(raw, at, scope=contact_id)
            for sweep in sweeps
            for raw, at in sweep.keyless.items()
        ],
        duplicates=sum(sweep.duplicates for sweep in sweeps),
        ignored=sum(len(sweep.rows) for sweep in sweeps) - len(wanted),
        access="granted",
    )
