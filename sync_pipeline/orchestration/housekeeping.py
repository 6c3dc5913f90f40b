"""`housekeeping_job` and its schedule: once a day, what is old goes (warehouse, Dagster's runs)."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from sync_pipeline.errors import SyncError
from sync_pipeline.operate.housekeeping import remove_what_is_old
from sync_pipeline.orchestration.old_runs import remove_old_runs
from sync_pipeline.orchestration.resources import Pipeline

# When few work, and no schedule of a source begins.
DAILY = "37 3 * * *"
_SLICE = timedelta(hours=1)
_WHAT = (
    "Removes what is older than RETENTION_DAYS (attempts at pushes that are decided, settled "
    "records of the quarantine) and Dagster's runs that ended more than RUN_RETENTION_DAYS ago"
)


@dg.op(name="remove_what_is_old", description=_WHAT)
def remove_old(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    """Remove, and show how much it was."""
    now, settings = datetime.now(UTC), pipeline.settings
    try:
        removed = remove_what_is_old(pipeline.engine, settings, now=now)
    except SyncError as exc:
        raise dg.Failure(description=str(exc), allow_retries=False) from exc
    ended_before = now - timedelta(days=settings.run_retention_days)
    runs = remove_old_runs(context.instance, before=ended_before, slice_s=_SLICE.total_seconds())
    context.add_output_metadata(
        {
            "push.deliveries": removed.deliveries,
            "ops.quarantine": removed.quarantined,
            "before": removed.before.isoformat(),
            "runs": runs,
            "runs ended before": ended_before.isoformat(),
        }
    )


@dg.job(name="housekeeping_job", description=_WHAT, tags={"sync/lane": "bulk"})
def housekeeping_job() -> None:
    """Consist of the one op."""
    remove_old()


housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping_schedule",
    job=housekeeping_job,
    cron_schedule=DAILY,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=f"Once a day: {_WHAT[0].lower()}{_WHAT[1:]}",
)
