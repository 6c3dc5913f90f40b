"""Dagster's runs that ended long ago are removed, except where something shown stands on them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from sqlalchemy import Column, select

from sync_pipeline.orchestration.old_runs import remove_old_runs
from sync_pipeline_tests.orchestration.past_runs import put_end

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=30)
TAGS = {"fails": "test/fails", "backfill": "dagster/backfill"}
STEP = ("compute_logs", "step")
LIVE, DAYS = dg.AssetKey("live"), dg.AssetKey("days")
SOUND = dg.AssetCheckKey(LIVE, "sound")


@dg.asset
def live(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    if TAGS["fails"] in context.run.tags:
        raise dg.Failure
    return dg.MaterializeResult(tags={"a": "tag"})


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["mon", "tue"]))
def days() -> None:
    """Stand for what is filled day by day."""


@dg.asset_check(asset=live)
def sound() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


DEFINITIONS = dg.Definitions(
    assets=[live, days],
    asset_checks=[sound],
    jobs=[
        dg.define_asset_job("lives", dg.AssetSelection.assets(LIVE)),
        dg.define_asset_job("checks", dg.AssetSelection.checks(SOUND)),
        dg.define_asset_job("fills", dg.AssetSelection.assets(DAYS)),
    ],
    executor=dg.in_process_executor,
)


class Past:
    """Runs that ended so long ago, each with a log of its own."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.names: dict[str, str] = {}

    def run(
        self, name: str, job: str, *, days_ago: float, partition: str | None = None, **tags: str
    ) -> None:
        result = DEFINITIONS.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            tags={"test/name": name} | {TAGS[tag]: value for tag, value in tags.items()},
            raise_on_error=False,
        )
        log = self.instance.compute_log_manager
        assert isinstance(log, LocalComputeLogManager)
        path = Path(log.get_captured_local_path([result.run_id, *STEP], "out"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        self.names[result.run_id] = name
        put_end(self.instance, result.run_id, days_ago=days_ago)

    def named(self, name: str) -> str:
        (run_id,) = [run_id for run_id, other in self.names.items() if other == name]
        return run_id

    def left(self) -> dict[str, set[str]]:
        """Return where something is left of which runs."""
        instance = self.instance
        runs, events = instance.run_storage, instance.event_log_storage
        assert isinstance(runs, SqlRunStorage)
        assert isinstance(events, SqlEventLogStorage)
        with runs.connect() as connection:
            kept = connection.execute(select(RunsTable.c.run_id)).scalars().all()
            tagged = connection.execute(select(RunTagsTable.c.run_id)).scalars().all()
        log = instance.compute_log_manager
        found = {
            "runs": kept,
            "run tags": tagged,
            "events": [one for one in self.names if instance.all_logs(one)],
            "logs": [one for one in self.names if log.get_log_data([one, *STEP]).stdout],
            "checks": self._column(AssetCheckExecutionsTable.c.run_id),
        }
        return {what: {self.names[run_id] for run_id in ids} for what, ids in found.items()}

    def _column(self, column: Column[str]) -> list[str]:
        events = self.instance.event_log_storage
        assert isinstance(events, SqlEventLogStorage)
        with events.index_connection() as connection:
            return list(connection.execute(select(column)).scalars())

    def tagged_events(self) -> int:
        return len(self._column(AssetEventTagsTable.c.key))


@pytest.fixture
def past(instance_on_postgres: dg.DagsterInstance) -> Past:
    return Past(instance_on_postgres)


def remove(past: Past, *, at_once: int = 500) -> int:
    return remove_old_runs(past.instance, before=BEFORE, slice_s=60, at_once=at_once)


def test_old_runs_go_with_all_that_is_theirs_and_young_ones_stay(past: Past) -> None:
    for age in (33, 32, 31):
        past.run(f"{age} days ago", "lives", days_ago=age)
    past.run("29 days ago", "lives", days_ago=29)
    past.run("to-day", "lives", days_ago=0)
    assert past.tagged_events() == 5
    # Two at once: more than one portion.
    assert remove(past, at_once=2) == 3
    young = {"29 days ago", "to-day"}
    kinds = ("runs", "run tags", "events", "logs", "checks")
    assert past.left() == dict.fromkeys(kinds, young)
    assert past.tagged_events() == 2
    assert remove(past) == 0


def test_what_the_asset_graph_shows_stands_however_old_it_is(past: Past) -> None:
    instance = past.instance
    past.run("live 1", "lives", days_ago=90)
    past.run("the latest materialisation", "lives", days_ago=80)
    past.run("check 1", "checks", days_ago=78)
    past.run("the latest result of the check", "checks", days_ago=77)
    past.run("failed 1", "lives", days_ago=76, fails="yes")
    past.run("the latest try, which failed", "lives", days_ago=75, fails="yes")
    past.run("mon 1", "fills", days_ago=70, partition="mon")
    past.run("the latest of mon", "fills", days_ago=69, partition="mon")
    past.run("the latest of tue", "fills", days_ago=68, partition="tue")

    def shown() -> tuple[object, ...]:
        return (
            instance.get_latest_materialization_event(LIVE),
            instance.get_materialized_partitions(DAYS),
            instance.event_log_storage.get_latest_asset_check_execution_by_key([SOUND]),
            [record.asset_entry.last_run_id for record in instance.get_asset_records([LIVE, DAYS])],
        )

    before = shown()
    assert remove(past, at_once=1) == 4
    assert shown() == before
    assert past.left()["runs"] == past.left()["events"] == {
        "the latest materialisation",
        "the latest result of the check",
        "the latest try, which failed",
        "the latest of mon",
        "the latest of tue",
    }  # fmt: skip
    # As soon as there are later ones, they go as well.
    past.run("live", "lives", days_ago=0)
    assert remove(past) == 3
    assert past.left()["runs"] == {"live", "the latest of mon", "the latest of tue"}


def test_runs_that_are_not_over_stay_and_those_of_backfills_that_are_not(past: Past) -> None:
    for name in ("first", "second"):
        past.run(f"of {name}", "fills", days_ago=60, partition="mon", backfill=name)
        status = BulkActionStatus.CANCELING if name == "first" else BulkActionStatus.COMPLETED
        past.instance.add_backfill(
            PartitionBackfill(
                backfill_id=name,
                status=status,
                from_failure=False,
                tags={},
                backfill_timestamp=0.0,
                asset_selection=[DAYS],
            )
        )
    for state in ("CANCELED", "FAILURE", "STARTED", "QUEUED", "CANCELING"):
        past.run(state, "fills", days_ago=60, partition="mon")
        put_end(past.instance, past.named(state), days_ago=60, status=state)
    past.run("later", "fills", days_ago=0, partition="mon")
    assert remove(past) == 3
    assert past.left()["runs"] == {"of first", "STARTED", "QUEUED", "CANCELING", "later"}


def test_it_ends_with_its_slice_of_time_and_goes_on_the_next_time(past: Past) -> None:
    for number in range(5):
        past.run(str(number), "fills", days_ago=60, partition="mon")
    assert remove_old_runs(past.instance, before=BEFORE, slice_s=0, at_once=2) == 2
    assert remove(past, at_once=2) == 2
    assert past.left()["runs"] == {"4"}
