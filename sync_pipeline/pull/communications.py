"""CRM.COM communications: the list under each registered contact, and what it leaves out.

The list of v1 lacks the creation time and more: the answer for each new communication is read as
well, once. v2 filters by creation time: between two readings of a long list, only what is new is
asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from sync_pipeline.pull.communication_details import Details
from sync_pipeline.pull.contact_ids import are_ids_proven
from sync_pipeline.pull.due import due_chunks
from sync_pipeline.pull.listing import LongestPage
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.recall import lacks_detail
from sync_pipeline.pull.swept import SweptList
from sync_pipeline.pull.under_contacts import list_reading, listed, read_list_under, sweep_under
from sync_pipeline.pull.work import Context, Work, ask_whether, once
from sync_pipeline.records import Record
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.absences import Absence
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.known_lists import KnownList, known_lists
from sync_pipeline.warehouse.progress import Coverage, Proof, Reason

# Clocks of servers differ, and a message may be filed a while after it was created.
OVERLAP = timedelta(hours=1)


async def plan_communications(context: Context, api: CrmcomApi) -> Work:
    """Plan the contacts whose list is due; complete they are if the ids are."""
    is_grounded = await are_ids_proven(context, api)
    total, chunks = await due_chunks(context)
    reader = _Reader(context, api)

    def read(contact_id: str) -> AsyncIterator[Reading]:
        return once(read_list_under(context, contact_id, reader.read(contact_id)))

    def ask(absence: Absence) -> Awaitable[Reading]:
        fetch = partial(api.communication, absence.scope, absence.record_id)
        return ask_whether(context, absence, fetch)

    scopes = reader.prepared(chunks)
    return Work(scopes_total=total, scopes=scopes, read=read, is_grounded=is_grounded, ask=ask)


async def read_communication(
    context: Context, api: CrmcomApi, contact_id: str, communication_id: str
) -> Reading:
    """Read one communication by its own answer; raises the SourceError that came instead."""
    answer = await api.communication(contact_id, communication_id)
    # Without a hash: that one is of the list's bytes, which the next reading of it brings.
    record = Record(communication_id, contact_id, b"", answer.record, None, answer.sent_at)
    due_at = context.due_again(answer.sent_at)
    proof = Proof.SINGLE_RESPONSE
    return Reading(contact_id, proof, None, answer.sent_at, due_at, records=[record])


@dataclass(slots=True)
class _Reader:
    """Reads contacts' lists, with what the warehouse knows of those that are next."""

    context: Context
    api: CrmcomApi
    known: dict[str, KnownList] = field(default_factory=dict)
    is_filter_ignored: bool = False
    longest: LongestPage = field(default_factory=LongestPage)

    async def prepared(self, chunks: AsyncIterator[list[str]]) -> AsyncIterator[str]:
        """Yield the contacts of ``chunks`` one by one, each with what is known of its list."""
        async for chunk in chunks:
            self.known |= await asyncio.to_thread(self._look_up, chunk)
            for contact_id in chunk:
                yield contact_id

    async def read(self, contact_id: str) -> Reading:
        """Read one contact's list, or what is new of it."""
        known = self.known.pop(contact_id, KnownList())
        since = self._since(known)
        if since is not None:
            news = await self._read_news(contact_id, known, since)
            if news is not None:
                return news
        fetch = partial(self.api.communications_page, contact_id)
        sweep = await sweep_under(self.context, fetch, longest=self.longest)
        return replace(await self._completed(contact_id, sweep, known), seen=sweep.seen)

    def _look_up(self, contact_ids: list[str]) -> dict[str, KnownList]:
        with transaction(self.context.engine) as connection:
            return known_lists(connection, self.context.stream, contact_ids)

    def _since(self, known: KnownList) -> datetime | None:
        """Return from when on to read a long list that was read as a whole not long ago."""
        request = self.context.request
        is_everything_asked_for = request.is_full or request.only or request.due.as_of
        if self.is_filter_ignored or is_everything_asked_for or not self.api.has_creation_filter:
            return None
        if len(known.ids) <= self.context.source.page_size or known.swept_at is None:
            return None
        bound = timedelta(hours=self.context.settings.staleness_bound_hours)
        if known.newest_at is None or request.due.now - known.swept_at > bound / 2:
            return None
        if known.proof is Proof.INCOMPLETE:
            # Only what is known to be whole can be added to.
            return None
        # A message that says it is of tomorrow must not hide those of today.
        return min(known.newest_at, known.swept_at) - OVERLAP

    async def _read_news(
        self, contact_id: str, known: KnownList, since: datetime
    ) -> Reading | None:
        """Read what was created since; None where the API turns out to ignore that."""
        fetch = partial(self.api.communications_page, contact_id, created_from=since)
        sweep = await sweep_under(self.context, fetch, longest=self.longest, since=since)
        if sweep.reason is Reason.FILTER_IGNORED:
            self.is_filter_ignored = True
            return None
        reading = await self._completed(contact_id, sweep, known)
        # It says nothing of the rest of the list: what was known of that still holds.
        proof = sweep.proof if sweep.proof is Proof.INCOMPLETE else known.proof
        return replace(reading, proof=proof, coverage=Coverage.NEWS)

    async def _completed(self, contact_id: str, sweep: SweptList, known: KnownList) -> Reading:
        records = listed(self.context, contact_id, sweep)
        details = Details(self.api, side_by_side=2 * self.context.source.max_in_flight)
        bare = [record for record in records if self._needs_detail(record, known)]
        completed = await details.of(bare)
        rows = [completed.get(record.record_id, record) for record in records]
        return details.judged(list_reading(self.context, contact_id, sweep, rows))

    def _needs_detail(self, record: Record, known: KnownList) -> bool:
        if not self.api.has_details or record.record_id in known.ids:
            return False
        return lacks_detail(record)
