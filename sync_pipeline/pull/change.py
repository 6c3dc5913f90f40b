"""Which scopes a batch has changed, and when each is therefore wanted again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.due import patience_s
from sync_pipeline.pull.reading import Reading
from sync_pipeline.records import Record
from sync_pipeline.warehouse.progress import ScopeProgress
from sync_pipeline.warehouse.runs import RunKey
from sync_pipeline.warehouse.stored import written_at


def changed_scopes(
    connection: Connection,
    run: RunKey,
    records: Sequence[Record],
    *,
    changed_before: Mapping[str, datetime],
) -> set[str]:
    """Return the scopes, of those that were read before, to which the run brought a new version.

    ``records`` are those that were brought to the table: other bytes, but maybe the same content.
    """
    # A stream's own list is one scope, and always the next to be read.
    again = [record for record in records if record.scope and record.scope in changed_before]
    written = written_at(connection, run.stream, [r.record_id for r in again], run_id=run.run_id)
    return {r.scope for r in again if written.get(r.record_id) == r.observed_at}


def with_places(
    progress: Sequence[ScopeProgress],
    *,
    changed_before: Mapping[str, datetime],
    changed: Collection[str],
) -> list[ScopeProgress]:
    """Return ``progress`` with when each scope last changed and its place among those due."""
    changed_at = [
        p.read_at if p.scope in changed else changed_before.get(p.scope, p.read_at)
        for p in progress
    ]
    quiet_s = [(p.read_at - at).total_seconds() for p, at in zip(progress, changed_at, strict=True)]
    waits = patience_s(np.array(quiet_s, dtype=np.float64)).tolist()
    return [
        replace(p, changed_at=at, wanted_at=max(p.due_at, p.read_at + timedelta(seconds=wait)))
        for p, at, wait in zip(progress, changed_at, waits, strict=True)
    ]


def hints(
    run: RunKey, readings: Sequence[Reading], changed: Collection[str]
) -> dict[str, datetime]:
    """Return the contacts that changed, and when that was read: what hangs under them is due."""
    if run.stream != CRMCOM_CONTACTS:
        return {}
    return {r.scope: r.read_at for r in readings if r.scope in changed}
