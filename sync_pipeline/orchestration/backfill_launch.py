"""Backfills asked for from the command line: Dagster's own record, carried out by the daemon.

Where no daemon runs, the command runs the backfill's one run itself; the record is the same, so
that the UI shows it all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dagster import AssetKey, DagsterInstance, RunsFilter
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionStatus,
    PartitionBackfill,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    BACKFILL_ID_TAG,
    ROOT_BACKFILL_ID_TAG,
)
from dagster._core.utils import make_new_backfill_id
from dagster._daemon.controller import get_daemon_statuses
from dagster._daemon.daemon import BackfillDaemon
from dagster._time import get_current_timestamp

from sync_pipeline.entities import Stream
from sync_pipeline.operate.home import Home, find_noted
from sync_pipeline.orchestration.backfill import days_key
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.launch import QUIET, Launched, error_of
from sync_pipeline.orchestration.schedules import run_tags
from sync_pipeline.settings import Settings

CAUSE = "backfill"
_LATEST_SIGN_OF_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a stream to read again, both included; ``origin`` is the backfill to go on with."""

    stream: Stream
    first: date
    last: date
    origin: str | None = None

    @property
    def days(self) -> list[date]:
        """Each of the days."""
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]


@dataclass(frozen=True, slots=True)
class State:
    """How far a backfill is: its runs that have begun, in order, and whether each has ended."""

    is_over: bool
    is_well: bool
    runs: Sequence[tuple[str, bool]]


def is_daemon_running(instance: DagsterInstance, home: Home) -> bool:
    """Tell whether a daemon will carry a backfill out: that of this home, or one elsewhere."""
    noted = find_noted(home, "daemon")
    if noted is not None:
        return noted.process() is not None
    kind = BackfillDaemon.daemon_type()
    tolerance_s = _LATEST_SIGN_OF_LIFE.total_seconds()
    statuses = get_daemon_statuses(
        instance, [kind], ignore_errors=True, heartbeat_tolerance_seconds=tolerance_s
    )
    return bool(statuses[kind].healthy)


def request_backfill(instance: DagsterInstance, asked: Days, settings: Settings) -> str:
    """Ask the daemon for a backfill, as the UI does; return its id."""
    record, _ = _new_record(instance, asked, settings)
    instance.add_backfill(record)
    return record.backfill_id


def begin_backfill_here(instance: DagsterInstance, asked: Days, settings: Settings) -> str:
    """Record a backfill whose run is not left to the daemon; return its id."""
    record, data = _new_record(instance, asked, settings)
    requested = data.with_requested_runs_for_target_roots(True)  # noqa: FBT003 -- Dagster's signature
    requested = requested.replace_requested_subset(data.target_subset)
    instance.add_backfill(record._replace(asset_backfill_data=requested))
    return record.backfill_id


def run_backfill_here(
    instance: DagsterInstance, backfill_id: str, asked: Days, *, settings: Settings, run_id: str
) -> Launched:
    """Run the backfill in this process, and bring its record to its end."""
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        run_id=run_id,
        asset_selection=[days_key(asked.stream)],
        run_config=QUIET,
        tags=_tags(asked)
        | {
            BACKFILL_ID_TAG: backfill_id,
            ASSET_PARTITION_RANGE_START_TAG: asked.first.isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: asked.last.isoformat(),
        },
        raise_on_error=False,
    )
    _end_record(instance, backfill_id, is_well=result.success)
    return Launched(run_id, None if result.success else error_of(result))


def state_of(instance: DagsterInstance, backfill_id: str) -> State:
    """Return how far a backfill is."""
    record = instance.get_backfill(backfill_id)
    found = instance.get_runs(RunsFilter(tags={BACKFILL_ID_TAG: backfill_id}))
    runs = [(run.run_id, run.status in FINISHED_STATUSES) for run in reversed(found)]
    status = record.status if record else BulkActionStatus.FAILED
    return State(
        status in BULK_ACTION_TERMINAL_STATUSES,
        status in {BulkActionStatus.COMPLETED, BulkActionStatus.COMPLETED_SUCCESS},
        runs,
    )


def _new_record(
    instance: DagsterInstance, asked: Days, settings: Settings
) -> tuple[PartitionBackfill, AssetBackfillData]:
    graph = build_definitions(settings).resolve_asset_graph()
    began = get_current_timestamp()
    key: AssetKey = days_key(asked.stream)
    data = AssetBackfillData.from_asset_partitions(
        asset_graph=graph,
        partition_names=[day.isoformat() for day in asked.days],
        asset_selection=[key],
        dynamic_partitions_store=instance,
        all_partitions=False,
        backfill_start_timestamp=began,
    )
    record = PartitionBackfill(
        backfill_id=make_new_backfill_id(),
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags=_tags(asked),
        backfill_timestamp=began,
        asset_selection=[key],
        asset_backfill_data=data,
    )
    return record, data


def _tags(asked: Days) -> dict[str, str]:
    again = {ROOT_BACKFILL_ID_TAG: asked.origin} if asked.origin else {}
    return run_tags(asked.stream, CAUSE) | again


def _end_record(instance: DagsterInstance, backfill_id: str, *, is_well: bool) -> None:
    record = instance.get_backfill(backfill_id)
    data = record.asset_backfill_data if record else None
    if record is None or data is None:
        return
    ended = BulkActionStatus.COMPLETED_SUCCESS if is_well else BulkActionStatus.COMPLETED_FAILED
    whole = data.target_subset
    data = (
        data._replace(materialized_subset=whole)
        if is_well
        else data.with_failed_and_downstream_subset(whole)
    )
    record = record._replace(asset_backfill_data=data, status=ended)
    instance.update_backfill(record.with_end_timestamp(get_current_timestamp()))
