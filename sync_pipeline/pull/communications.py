"""CRM.COM communications: the list under each registered contact."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from sync_pipeline.pull.contact_ids import are_ids_proven
from sync_pipeline.pull.due import due_scopes, register_asked
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.sweep import sweep_list
from sync_pipeline.pull.work import Context, Work, contained, hash_of, keyless
from sync_pipeline.records import Record
from sync_pipeline.sources.crmcom import CrmcomApi

# Ten times what a contact is known to have: a list without an end must not hold the others up.
MOST_PAGES = 2_000


async def plan_communications(context: Context, api: CrmcomApi) -> Work:
    """Plan the contacts whose list is due; complete they are if the ids are."""
    is_grounded = await are_ids_proven(context, api)
    total, scopes = await due_scopes(context)

    async def read(contact_id: str) -> Reading:
        reading = _read_list(context, api, contact_id)
        outcome = await contained(context, contact_id, datetime.now(UTC), reading)
        return await register_asked(context, outcome)

    return Work(scopes_total=total, scopes=scopes, read=read, is_grounded=is_grounded)


async def _read_list(context: Context, api: CrmcomApi, contact_id: str) -> Reading:
    sweep = await sweep_list(partial(api.communications_page, contact_id), most_pages=MOST_PAGES)
    records = [
        # The contact takes part in the hash: a row may leave out whose it is.
        Record(key, contact_id, raw, b"", hash_of(raw, context=contact_id), sent_at)
        for key, (raw, sent_at) in sweep.rows.items()
    ]
    return Reading(
        contact_id,
        sweep.proof,
        sweep.reason,
        sweep.started_at,
        context.due_again(sweep.started_at),
        records=records,
        rejects=keyless(sweep),
        duplicates=sweep.duplicates,
        access="granted",
    )
