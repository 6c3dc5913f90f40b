"""Which listed records need the answer of their own that says more than the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sync_pipeline.pull.sieve import changed_records
from sync_pipeline.pull.work import Context
from sync_pipeline.records import Record
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import stale_details


def needing_detail(context: Context, records: Sequence[Record]) -> set[str]:
    """Return the ids of those that are new, changed, or whose detail is older than the bound.

    All of them for a full request.
    """
    ids = [record.record_id for record in records]
    if context.request.is_full:
        return set(ids)
    since = context.request.due.now - timedelta(hours=context.settings.staleness_bound_hours)
    with transaction(context.engine) as connection:
        changed = changed_records(connection, context.stream, records)
        stale = stale_details(connection, context.stream, ids, since=since)
    return {record.record_id for record in changed} | stale
