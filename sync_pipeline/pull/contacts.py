"""CRM.COM contacts: each contact that is registered, by its own answer.

The Self Service API has no list of contacts, so what makes this stream complete is the proof of
the list of ids together with a reading of every id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace

from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.contact_ids import are_ids_proven, renew_due_ids
from sync_pipeline.pull.due import due_scopes
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.under_contacts import as_expected, read_under
from sync_pipeline.pull.work import Context, Work, hash_of, once
from sync_pipeline.records import Record, Reject
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.absences import Absence
from sync_pipeline.warehouse.progress import Proof, Reason


async def plan_contacts(context: Context, api: CrmcomApi) -> Work:
    """Bring the ids up to date where that is due, and plan the contacts that are due."""
    opening = await renew_due_ids(context, api)
    # A list that is read now speaks for itself: if unproven, it counts as incomplete.
    is_grounded = bool(opening) or await are_ids_proven(context, api)
    total, scopes = await due_scopes(context)

    def read(contact_id: str) -> AsyncIterator[Reading]:
        return once(_read_scope(context, api, contact_id))

    def ask(absence: Absence) -> Awaitable[Reading]:
        return _read_contact(context, api, absence.record_id)

    return Work(
        scopes_total=total,
        scopes=scopes,
        read=read,
        opening=opening,
        is_grounded=is_grounded,
        ask=ask,
    )


async def _read_scope(context: Context, api: CrmcomApi, contact_id: str) -> Reading:
    return await as_expected(context, await _read_contact(context, api, contact_id))


async def _read_contact(context: Context, api: CrmcomApi, contact_id: str) -> Reading:
    reading = await read_under(context, contact_id, read_contact(context, api, contact_id))
    is_missing = reading.reason is Reason.NOT_FOUND
    return replace(reading, missing=(contact_id,) if is_missing else ())


async def read_contact(context: Context, api: CrmcomApi, contact_id: str) -> Reading:
    """Read one contact; raises the SourceError that keeps it from being read."""
    answer = await api.contact(contact_id)
    sent_at = answer.sent_at
    reading = Reading(
        contact_id,
        Proof.SINGLE_RESPONSE,
        None,
        sent_at,
        context.due_again(sent_at),
        access="granted",
    )
    if not NORMALISERS[context.stream].recognises(answer.record):
        # It would replace what is known of the contact by nothing.
        reason = "has none of the fields of a contact"
        reject = Reject(contact_id, answer.record, "unrecognised", reason, sent_at, contact_id)
        return replace(reading, rejects=[reject])
    raw_hash = hash_of(context.stream, answer.record)
    record = Record(contact_id, contact_id, b"", answer.record, raw_hash, sent_at)
    return replace(reading, records=[record])
