"""CRM.COM contacts: first the ids (Back-Office list or registry file), then each contact.

The Self Service API has no list of contacts, so what makes this stream complete is the proof of
the list of ids together with a reading of every id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from sync_pipeline.errors import SettingsError
from sync_pipeline.pull.due import due_scopes, is_list_due
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.sweep import sweep_list
from sync_pipeline.pull.work import Context, Work, contained, hash_of
from sync_pipeline.records import Record
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.contacts_file import read_contact_ids
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Proof
from sync_pipeline.warehouse.registry import count_contacts, register_contacts


async def plan_contacts(context: Context, api: CrmcomApi) -> Work:
    """Bring the registry up to date where that is due, and plan the contacts that are due."""
    opening = []
    if not context.request.only and await asyncio.to_thread(is_list_due, context):
        opening.append(await _renew_registry(context, api))
    total, scopes = await due_scopes(context)

    async def read(contact_id: str) -> Reading:
        reading = _read_contact(context, api, contact_id)
        return await contained(context, contact_id, datetime.now(UTC), reading)

    return Work(scopes_total=total, scopes=scopes, read=read, opening=opening)


async def _renew_registry(context: Context, api: CrmcomApi) -> Reading:
    crmcom = context.settings.crmcom
    if crmcom is not None and crmcom.contact_ids == "backoffice":
        reading, ids = await _listed_ids(context, api)
        await asyncio.to_thread(_register, context, ids, "backoffice", reading.read_at)
        return reading
    return await asyncio.to_thread(_register_file, context, crmcom)


async def _listed_ids(context: Context, api: CrmcomApi) -> tuple[Reading, list[str]]:
    sweep = await sweep_list(api.contact_list_page)
    reading = Reading(
        "",
        sweep.proof,
        sweep.reason,
        sweep.started_at,
        context.due_again(sweep.started_at),
    )
    return reading, list(sweep.rows)


def _register_file(context: Context, crmcom: CrmcomSettings | None) -> Reading:
    read_at = datetime.now(UTC)
    if crmcom is not None and crmcom.contacts_file is not None:
        _register(context, read_contact_ids(crmcom.contacts_file), "file", read_at)
    with transaction(context.engine) as connection:
        if count_contacts(connection) == 0:
            raise SettingsError(
                "no contact ids to read: set CRMCOM_CONTACTS_FILE to a CSV with the column "
                "contact_id, or CRMCOM_BACKOFFICE_URL and CRMCOM_SECRET_KEY"
            )
    # The file is the whole list by definition.
    return Reading("", Proof.SINGLE_RESPONSE, None, read_at, context.due_again(read_at))


def _register(context: Context, ids: Sequence[str], origin: str, seen_at: datetime) -> None:
    with transaction(context.engine) as connection:
        register_contacts(connection, ids, origin=origin, seen_at=seen_at)


async def _read_contact(context: Context, api: CrmcomApi, contact_id: str) -> Reading:
    answer = await api.contact(contact_id)
    record = Record(
        contact_id, contact_id, b"", answer.record, hash_of(answer.record), answer.sent_at
    )
    return Reading(
        contact_id,
        Proof.SINGLE_RESPONSE,
        None,
        answer.sent_at,
        context.due_again(answer.sent_at),
        records=[record],
        access="granted",
    )
