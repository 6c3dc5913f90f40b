"""`housekeeping_job` and its schedule: once a day, what is older than RETENTION_DAYS goes."""

from datetime import UTC, datetime

import dagster as dg

from sync_pipeline.errors import SyncError
from sync_pipeline.operate.housekeeping import remove_what_is_old
from sync_pipeline.orchestration.resources import Pipeline

# When few work, and no schedule of a source begins.
DAILY = "37 3 * * *"


@dg.op(
    name="remove_what_is_old",
    description="Removes what is older than RETENTION_DAYS: attempts at pushes that are decided",
)
def remove_old(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    """Remove, and show how much it was."""
    try:
        removed = remove_what_is_old(pipeline.engine, pipeline.settings, now=datetime.now(UTC))
    except SyncError as exc:
        raise dg.Failure(description=str(exc), allow_retries=False) from exc
    told = {"push.deliveries": removed.deliveries, "before": removed.before.isoformat()}
    context.add_output_metadata(told)


@dg.job(
    name="housekeeping_job",
    description="Removes what is older than RETENTION_DAYS",
    tags={"sync/lane": "bulk"},
)
def housekeeping_job() -> None:
    """Consist of the one op."""
    remove_old()


housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping_schedule",
    job=housekeeping_job,
    cron_schedule=DAILY,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes what is older than RETENTION_DAYS, once a day",
)
