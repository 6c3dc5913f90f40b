"""Where contact ids come from: the Back-Office list, ROCS's external ids, or the registry file.

Contacts renews them whenever they are due, the lists under contacts only when nobody has yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.errors import SettingsError
from sync_pipeline.pull.due import is_list_due
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.sweep import Sweep
from sync_pipeline.pull.work import Context, keyless
from sync_pipeline.records import Reject
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.contacts_file import read_contact_ids
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import (
    Proof,
    Reason,
    proof_of,
    record_progress,
    wake_missing,
)
from sync_pipeline.warehouse.quarantine import quarantine
from sync_pipeline.warehouse.registry import (
    count_contacts,
    register_contacts,
    register_external_ids,
)

# A registry file may name millions.
LINES_AT_ONCE = 10_000


async def renew_due_ids(context: Context, api: CrmcomApi) -> list[Reading]:
    """Bring the registry up to date if its list is due; return that reading (scope '')."""
    if context.request.only or not await asyncio.to_thread(is_list_due, context):
        return []
    return [await _renew(context, api)]


async def are_ids_proven(context: Context, api: CrmcomApi) -> bool:
    """Tell whether the list of ids is proven complete; bring it in if it was never read.

    A request that names its contacts has no need of it.
    """
    if context.request.only:
        return True
    contacts = replace(context, stream=CRMCOM_CONTACTS)
    proof = await asyncio.to_thread(_known_proof, contacts)
    if proof is None:
        reading = await _renew(contacts, api)
        await asyncio.to_thread(_record, contacts, reading)
        proof = reading.proof
    return proof not in (None, Proof.INCOMPLETE)


async def _renew(context: Context, api: CrmcomApi) -> Reading:
    reading = await _register_ids(context, api)
    await asyncio.to_thread(_wake, context, reading)
    return reading


async def _register_ids(context: Context, api: CrmcomApi) -> Reading:
    crmcom = context.settings.crmcom
    match crmcom.contact_ids if crmcom else "registry":
        case "backoffice":
            return await _register_list(context, api)
        case "rocs":
            return await asyncio.to_thread(_register_external_ids, context)
        case _:
            return await asyncio.to_thread(_register_file, context, crmcom)


async def _register_list(context: Context, api: CrmcomApi) -> Reading:
    sweep = Sweep(api.contact_list_page, asked_rows=context.source.page_size)
    rejects: list[Reject] = []
    async for page in sweep.pages():
        await asyncio.to_thread(_register, context, list(page.rows), "backoffice", page.sent_at)
        rejects += [keyless(raw, page.sent_at) for raw in page.keyless]
    due_at = context.due_again(sweep.started_at)
    reading = Reading("", sweep.proof, sweep.reason, sweep.started_at, due_at, rejects=rejects)
    return replace(reading, is_scope=False)


def _register_external_ids(context: Context) -> Reading:
    read_at = datetime.now(UTC)
    due_at = context.due_again(read_at)
    with transaction(context.engine) as connection:
        proof = proof_of(connection, ROCS_CONTACTS, "")
        register_external_ids(connection, source=ROCS_CONTACTS.source, seen_at=read_at)
    # The ids are as complete as the list that names them.
    if proof in (None, Proof.INCOMPLETE):
        reason = Reason.IDS_NOT_PROVEN
        return Reading("", Proof.INCOMPLETE, reason, read_at, due_at, is_scope=False)
    return Reading("", proof, None, read_at, due_at, is_scope=False)


def _register_file(context: Context, crmcom: CrmcomSettings | None) -> Reading:
    read_at = datetime.now(UTC)
    if crmcom is not None and crmcom.contacts_file is not None:
        _register_lines(context, crmcom.contacts_file, read_at)
    with transaction(context.engine) as connection:
        if count_contacts(connection) == 0:
            raise SettingsError(
                "no contact ids to read: set CRMCOM_CONTACTS_FILE to a CSV with the ids in "
                "its first column, or CRMCOM_BACKOFFICE_URL and CRMCOM_SECRET_KEY"
            )
    # The file is the whole list by definition.
    due_at = context.due_again(read_at)
    return Reading("", Proof.SINGLE_RESPONSE, None, read_at, due_at, is_scope=False)


def _register_lines(context: Context, file: Path, seen_at: datetime) -> None:
    # Once through for its form: one line that is wrong, and nothing of it is taken for an id.
    deque(read_contact_ids(file), maxlen=0)
    ids = read_contact_ids(file)
    while chunk := list(islice(ids, LINES_AT_ONCE)):
        _register(context, chunk, "file", seen_at)


def _register(context: Context, ids: Sequence[str], origin: str, seen_at: datetime) -> None:
    with transaction(context.engine) as connection:
        register_contacts(connection, ids, origin=origin, seen_at=seen_at)


def _wake(context: Context, reading: Reading) -> None:
    with transaction(context.engine) as connection:
        wake_missing(connection, source=CRMCOM_CONTACTS.source, listed_at=reading.read_at)


def _known_proof(context: Context) -> Proof | None:
    with transaction(context.engine) as connection:
        return proof_of(connection, context.stream, "")


def _record(context: Context, reading: Reading) -> None:
    with transaction(context.engine) as connection:
        record_progress(connection, context.stream, [reading.progress])
        quarantine(connection, context.stream, reading.rejects)
