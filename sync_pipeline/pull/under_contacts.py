"""What hangs under a registered contact: how one of its lists is read, and what may go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.contact_ids import are_ids_proven
from sync_pipeline.pull.creation import creation_times
from sync_pipeline.pull.due import due_scopes, register_asked
from sync_pipeline.pull.keys import key_of
from sync_pipeline.pull.listing import FetchPage, LongestPage
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.seen import Seen
from sync_pipeline.pull.sweep import Sweep, sweep_list
from sync_pipeline.pull.swept import SweptList
from sync_pipeline.pull.work import Context, Work, contained, hash_of, keyless, once
from sync_pipeline.records import Record
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.deletion import has_rows_of, is_contact_gone
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Coverage, Proof, Reason

# Ten times what a contact is known to have: a list without an end must not hold the others up.
MOST_PAGES_OF_A_CONTACT = 2_000


async def plan_approval_requests(context: Context, api: CrmcomApi) -> Work:
    """Plan the contacts whose list is due; complete they are if the ids are."""
    is_grounded = await are_ids_proven(context, api)
    total, scopes = await due_scopes(context)
    longest = LongestPage()

    def read(contact_id: str) -> AsyncIterator[Reading]:
        reading = read_approval_requests(context, api, contact_id, longest)
        return once(read_list_under(context, contact_id, reading))

    return Work(scopes_total=total, scopes=scopes, read=read, is_grounded=is_grounded)


async def read_under(context: Context, contact_id: str, reading: Awaitable[Reading]) -> Reading:
    """Read one contact's scope; what is wrong with it alone stops no other."""
    outcome = await contained(context, contact_id, datetime.now(UTC), reading)
    return await register_asked(context, outcome)


async def read_list_under(
    context: Context, contact_id: str, reading: Awaitable[Reading]
) -> Reading:
    """Read one contact's list; where the contact is gone, one that is not known is empty."""
    outcome = await read_under(context, contact_id, reading)
    settled = await as_expected(context, outcome)
    return outcome if settled is outcome else replace(settled, seen=Seen())


async def as_expected(context: Context, outcome: Reading) -> Reading:
    """Return a reading of what the API does not know as proven, if the contact is gone.

    It is still given the time after which what is missing is asked for again, unless there are rows
    that a second reading has to miss as well.
    """
    if outcome.reason is not Reason.NOT_FOUND:
        return outcome
    is_gone, has_rows = await asyncio.to_thread(_standing, context, outcome.scope)
    if not is_gone:
        return outcome
    due_at = context.due_again(outcome.read_at) if has_rows else outcome.due_at
    expected = replace(outcome, proof=Proof.SINGLE_RESPONSE, reason=None, setback=None)
    return replace(expected, coverage=Coverage.WHOLE, due_at=due_at)


async def sweep_under(
    context: Context,
    fetch: FetchPage,
    *,
    longest: LongestPage | None = None,
    since: datetime | None = None,
) -> SweptList:
    """Read one contact's list, which is known to be small.

    ``longest`` is what other contacts' lists have shown of the endpoint; ``since`` as of `Sweep`.
    """
    sweep = Sweep(
        fetch,
        key_of(context.stream),
        MOST_PAGES_OF_A_CONTACT,
        created_of=creation_times(context.stream),
        asked_rows=context.source.page_size,
        longest=longest or LongestPage(),
        since=since,
    )
    return await sweep_list(sweep)


def listed(context: Context, contact_id: str, sweep: SweptList) -> list[Record]:
    """Return the records of one contact's list.

    The contact takes part in their hash: a row may leave out whose it is.
    """
    return [
        Record(key, contact_id, raw, b"", hash_of(context.stream, raw, context=contact_id), sent_at)
        for key, (raw, sent_at) in sweep.rows.items()
    ]


def list_reading(
    context: Context, contact_id: str, sweep: SweptList, records: list[Record]
) -> Reading:
    """Return the reading of one contact's list."""
    return Reading(
        contact_id,
        sweep.proof,
        sweep.reason,
        sweep.started_at,
        context.due_again(sweep.started_at),
        records=records,
        rejects=[keyless(raw, at, scope=contact_id) for raw, at in sweep.keyless.items()],
        duplicates=sweep.duplicates,
        access="granted",
    )


async def read_approval_requests(
    context: Context, api: CrmcomApi, contact_id: str, longest: LongestPage
) -> Reading:
    """Read one contact's list; raises the SourceError that keeps it from being read."""
    fetch = partial(api.approval_requests_page, contact_id)
    sweep = await sweep_under(context, fetch, longest=longest)
    reading = list_reading(context, contact_id, sweep, listed(context, contact_id, sweep))
    return replace(reading, seen=sweep.seen)


def _standing(context: Context, contact_id: str) -> tuple[bool, bool]:
    """Return whether the contact is gone, and whether the stream still has rows of it."""
    with transaction(context.engine) as connection:
        is_gone = is_contact_gone(connection, source=CRMCOM_CONTACTS.source, contact_id=contact_id)
        return is_gone, has_rows_of(connection, context.stream, contact_id)
