"""Dagster's own record of runs that ended long ago: which of them may go, and their removal.

Dagster keeps every run with its events for ever. What it shows of an asset or a check stands on the
latest events about it: the runs of those stay, however old. It deletes a run without the results of
its checks, which it keeps twice: those are removed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from dagster import DagsterEventType, DagsterInstance, RunsFilter
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.tags import BACKFILL_ID_TAG
from sqlalchemy import Select, delete, func, select

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_PLANNED = AssetCheckExecutionRecordStatus.PLANNED.value
AT_ONCE = 500
"""Runs that are asked for at once, and whose checks' results are removed in one statement."""


def remove_old_runs(
    instance: DagsterInstance, *, before: datetime, slice_s: float, at_once: int = AT_ONCE
) -> int:
    """Remove runs that ended before then, with all that is known of them; return how many.

    It ends after a slice of time, whatever is left: each removal stands by itself.
    """
    old = RunsFilter(statuses=FINISHED_STATUSES, updated_before=before)
    kept = _runs_to_keep(instance)
    ends_at = monotonic() + slice_s
    removed = 0
    while True:
        # A page is no place to go on from when its runs are gone: each is asked for anew.
        found = instance.get_run_ids(old, limit=at_once + len(kept))
        some = [run_id for run_id in found if run_id not in kept]
        _remove(instance, some)
        removed += len(some)
        if len(found) < at_once + len(kept) or monotonic() > ends_at:
            return removed


def _remove(instance: DagsterInstance, run_ids: Sequence[str]) -> None:
    """Remove what hangs on runs, then each run: what is left of a run would not be found again."""
    checks = AssetCheckExecutionsTable
    with _events(instance).index_connection() as connection:
        connection.execute(delete(checks).where(checks.c.run_id.in_(run_ids)))
    for run_id in run_ids:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.event_log_storage.delete_events(run_id)
        instance.delete_run(run_id)


def _runs_to_keep(instance: DagsterInstance) -> frozenset[str]:
    """Return the runs on which the asset graph stands, and those of backfills that are not over."""
    with _events(instance).index_connection() as connection:
        shown = [run_id for query in _SHOWN for run_id in connection.execute(query).scalars()]
    going_on = [
        status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES
    ]
    backfills = instance.get_backfills(filters=BulkActionsFilter(statuses=going_on))
    for backfill in backfills:
        shown += instance.get_run_ids(RunsFilter(tags={BACKFILL_ID_TAG: backfill.backfill_id}))
    return frozenset(shown)


def _events(instance: DagsterInstance) -> SqlEventLogStorage:
    events = instance.event_log_storage
    assert isinstance(events, SqlEventLogStorage)  # noqa: S101 -- as dagster.yaml says
    return events


def _latest_materialisations() -> Select[tuple[str]]:
    """Of each asset and each of its days, if it has days."""
    events = SqlEventLogStorageTable.c
    kind = DagsterEventType.ASSET_MATERIALIZATION.value
    latest = (
        select(func.max(events.id))
        .where(events.asset_key.is_not(None), events.dagster_event_type == kind)
        .group_by(events.asset_key, events.partition)
    )
    return select(events.run_id).where(events.id.in_(latest))


def _latest_checks(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    checks = AssetCheckExecutionsTable.c
    latest = (
        select(func.max(checks.id))
        .where(*conditions)
        .group_by(checks.asset_key, checks.check_name, checks.partition)
    )
    return select(checks.run_id).where(checks.id.in_(latest))


_SHOWN = (
    _latest_materialisations(),
    # The latest try at an asset, well or not.
    select(AssetKeyTable.c.last_run_id).where(AssetKeyTable.c.last_run_id.is_not(None)),
    # The latest try at a check, and the latest that came to a result.
    _latest_checks(),
    _latest_checks(AssetCheckExecutionsTable.c.execution_status != _PLANNED),
)
