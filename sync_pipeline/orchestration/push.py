"""`push_job`, one cycle of pushes, and the sensor and the schedule that launch it."""

import dagster as dg
from pydantic import Field

from sync_pipeline.errors import SyncError
from sync_pipeline.orchestration.push_launch import (
    FACTS_TAG,
    JOB_NAME,
    facts_of,
    launch_or_wait,
    obstacle,
    quiet,
    runs_about,
)
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.schedules import AT_EACH_LOOK_S
from sync_pipeline.push.clock import server_clock
from sync_pipeline.push.cycle import SOURCES, PushReport, push
from sync_pipeline.settings import INTERVAL_MINUTES, Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_queue import due_updates

TAGS = {"sync/lane": "fast", "sync/cause": "sensor"}
OFF = "PUSH_ENABLED is off: nothing is sent"


class PushConfig(dg.Config):
    """How much a cycle sends."""

    limit: int | None = Field(default=None, description="At most so many updates (default: all)")
    is_planning: bool = Field(
        default=True, description="Whether the push models ask for what differs first"
    )


# Models read whole tables: the schedule has them ask, not every update that comes.
_SENDS_ALONE = {"ops": {"push": {"config": {"is_planning": False}}}}


@dg.op(
    name="push",
    description="Sends what is due in push.updates, and reads each record back",
    tags={"sync/lane": "fast"},
)
def push_updates(context: dg.OpExecutionContext, config: PushConfig, pipeline: Pipeline) -> None:
    """Make one cycle; fails in words when a source could not be written to."""
    try:
        report = push(
            pipeline.engine,
            pipeline.settings,
            limit=config.limit,
            slice_s=pipeline.settings.run_slice_seconds,
            run_id=context.run.run_id,
            is_planning=config.is_planning,
        )
    except SyncError as exc:
        # Pauses and retries are the outbox's business.
        raise dg.Failure(description=str(exc), allow_retries=False) from exc
    context.add_output_metadata(told_of(report, pipeline.settings))
    errors = [f"{one.source}: {one.error}" for one in report.sources if one.error]
    errors += report.models.complaints
    if errors:
        raise dg.Failure(description="; ".join(errors), allow_retries=False)


@dg.job(
    name=JOB_NAME,
    description="Sends customer updates back to their sources: one cycle over the outbox",
    tags={"sync/lane": "fast"},
)
def push_job() -> None:
    """Consist of the one op."""
    push_updates()


def told_of(report: PushReport, settings: Settings) -> dict[str, dg.MetadataValue | int | float]:
    """Return what a run shows: counts by status, seconds, reasons; nobody's data."""
    counts: dict[str, int] = {}
    for one in report.sources:
        for status, count in one.statuses.items():
            counts[status] = counts.get(status, 0) + count
    off = [s for s in SOURCES if settings.of_source(s) and not settings.may_write_to(s)]
    told: dict[str, dg.MetadataValue | int | float] = {**counts}
    told["seconds"] = round(report.seconds, 3)
    told["reasons"] = dg.MetadataValue.md(_reasons(report))
    if report.models.said:
        told["models"] = dg.MetadataValue.text("; ".join(report.models.said))
    if off:
        told["dry run"] = dg.MetadataValue.text(f"PUSH_ENABLED is off for {', '.join(off)}")
    return told


def _reasons(report: PushReport) -> str:
    lines = [
        f"| {one.source} | {status} | {count} | {_cell(why)} |"
        for one in report.sources
        for (status, why), count in one.reasons.most_common()
    ]
    return "\n".join(["| source | state | updates | reason |", "|---|---|---|---|", *lines])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@dg.schedule(
    name="push_schedule",
    job=push_job,
    cron_schedule=f"*/{INTERVAL_MINUTES} * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Has the push models of PUSH_MODELS ask for what differs since the last pulls",
)
def push_schedule(
    context: dg.ScheduleEvaluationContext, pipeline: Pipeline
) -> dg.RunRequest | dg.SkipReason:
    """Decide once."""
    settings = pipeline.settings
    if not settings.push_models:
        return dg.SkipReason("there is no push model: PUSH_MODELS is none")
    if not any(settings.may_write_to(source) for source in SOURCES):
        return dg.SkipReason(OFF)
    if said := obstacle(context.instance):
        return dg.SkipReason(said)
    return dg.RunRequest(tags=TAGS | {"sync/cause": "schedule"})


@dg.sensor(
    name="customer_update_sensor",
    job_name=push_job.name,
    description="Launches push_job when updates wait in push.updates",
    minimum_interval_seconds=AT_EACH_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def customer_update_sensor(
    context: dg.SensorEvaluationContext, pipeline: Pipeline
) -> dg.RunRequest | dg.SkipReason:
    """Decide once."""
    settings = pipeline.settings
    sources = [source for source in SOURCES if settings.may_write_to(source)]
    if not sources:
        return dg.SkipReason(OFF)
    now = server_clock(pipeline.engine)()
    with transaction(pipeline.engine) as connection:
        # Those of the others would be looked at once, and never again when they are on.
        due = due_updates(connection, now=now, sources=sources)
    if due.count == 0:
        return dg.SkipReason(quiet(due))
    if said := obstacle(context.instance):
        return dg.SkipReason(said)
    facts = facts_of(due)
    decided = launch_or_wait(facts, runs_about(context.instance, facts), now=now)
    if isinstance(decided, str):
        return dg.SkipReason(decided)
    return dg.RunRequest(
        run_key=decided.key, run_config=_SENDS_ALONE, tags=TAGS | {FACTS_TAG: facts}
    )
