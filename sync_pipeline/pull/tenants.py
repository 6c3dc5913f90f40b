"""RoSaaS tenants: the whole list in one answer, then the detail of those that need one.

A detail is read when the tenant is new, changed or named by the request, or when its detail is
older than the staleness bound (metadata and specifications change without a trace in the list).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sync_pipeline.pull.details import needing_detail
from sync_pipeline.pull.keys import key_of
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.sweep import Sweep, sweep_list
from sync_pipeline.pull.swept import SweptList
from sync_pipeline.pull.work import (
    Context,
    Work,
    ask_whether,
    contained,
    hash_of,
    in_turn,
    keyless,
)
from sync_pipeline.records import Record, Reject
from sync_pipeline.sources.answers import Page
from sync_pipeline.sources.rosaas import RosaasApi
from sync_pipeline.warehouse.absences import Absence
from sync_pipeline.warehouse.progress import Proof, Reason


async def plan_tenants(context: Context, api: RosaasApi) -> Work:
    """Read the list and plan the details."""
    sweep = await _swept(context, api)
    listed = _listed(context, sweep)
    named = {name.strip().lower() for name in context.request.only}
    wanted = named or await asyncio.to_thread(needing_detail, context, list(listed.values()))
    whole = _whole_list(context, sweep, others=len(listed.keys() - wanted))

    async def read(name: str) -> AsyncIterator[Reading]:
        if name not in listed:
            yield _not_listed(name, sweep)
            return
        reading = _read_detail(context, api, listed[name])
        yield await contained(context, name, datetime.now(UTC), reading)

    def ask(absence: Absence) -> Awaitable[Reading]:
        return ask_whether(context, absence, partial(api.tenant, absence.record_id))

    return Work(
        scopes_total=len(wanted),
        scopes=in_turn(sorted(wanted)),
        read=read,
        closing=[whole],
        ask=ask,
        is_one_list=True,
    )


async def read_tenant(context: Context, api: RosaasApi, name: str) -> Reading:
    """Read one tenant, by the list and by its own answer; raises the SourceError that came."""
    sweep = await _swept(context, api)
    listed = _listed(context, sweep).get(name)
    return _not_listed(name, sweep) if listed is None else await _read_detail(context, api, listed)


async def _swept(context: Context, api: RosaasApi) -> SweptList:
    async def whole_list(_page: int) -> Page:
        return await api.tenants()

    return await sweep_list(Sweep(whole_list, key_of(context.stream)))


def _whole_list(context: Context, sweep: SweptList, *, others: int) -> Reading:
    """Return the reading of the list itself; ``others`` are those whose detail is not read."""
    is_targeted = bool(context.request.only)
    return Reading(
        "",
        sweep.proof,
        sweep.reason,
        sweep.started_at,
        context.due_again(sweep.started_at),
        rejects=[keyless(raw, sent_at) for raw, sent_at in sweep.keyless.items()],
        duplicates=sweep.duplicates,
        unchanged=0 if is_targeted else others,
        ignored=others if is_targeted else 0,
        # What the list says of others was not loaded then, so it is no proof of the list.
        is_progress=not is_targeted,
        is_scope=False,
        seen=None if is_targeted else sweep.seen,
    )


def _listed(context: Context, sweep: SweptList) -> dict[str, Record]:
    return {
        name: Record(name, name, raw, b"", hash_of(context.stream, raw), sent_at)
        for name, (raw, sent_at) in sweep.rows.items()
    }


async def _read_detail(context: Context, api: RosaasApi, listed: Record) -> Reading:
    answer = await api.tenant(listed.record_id)
    # Conservative: the row is as old as the list, the earlier of its two requests.
    read_at = listed.observed_at
    reading = Reading(
        listed.record_id,
        Proof.SINGLE_RESPONSE,
        None,
        read_at,
        context.due_again(read_at),
    )
    if answer is None:
        reading.rejects.append(_without_detail(listed))
    else:
        detail = answer.record
        reading.records.append(
            Record(listed.record_id, listed.scope, listed.listed, detail, listed.raw_hash, read_at)
        )
    return reading


def _without_detail(listed: Record) -> Reject:
    reason = "the list names this tenant, but its own answer is empty"
    return listed.rejected("no_detail", reason)


def _not_listed(name: str, sweep: SweptList) -> Reading:
    # Asked for by name, and no tenant of the product: there is nothing to come back to.
    reason, read_at = Reason.NOT_FOUND, sweep.started_at
    reading = Reading(name, Proof.INCOMPLETE, reason, read_at, read_at, is_progress=False)
    return replace(reading, missing=(name,) if sweep.seen else ())
