"""`push_job`, one cycle of pushes, and `customer_update_sensor`, which launches it.

What the sensor decides follows from rows alone: the outbox says what is due, Dagster's storage
which runs have been about just that. So neither a lost cursor nor a tick that raised is a matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from pydantic import Field

from sync_pipeline.errors import SyncError
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.push.clock import server_clock
from sync_pipeline.push.cycle import SOURCES, PushReport, push
from sync_pipeline.push.decide import pause_after
from sync_pipeline.settings import INTERVAL_MINUTES, Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_queue import DueUpdates, due_updates

LOOK_EVERY_S = 10
FACTS_TAG = "sync/facts"
TAGS = {"sync/lane": "fast", "sync/cause": "sensor"}
MOST_AT_ONCE = 2
"""One that is long for one source must not keep the updates of another waiting."""
OFF = "PUSH_ENABLED is off: nothing is sent"
_WAITING = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING)
_UNFINISHED = (*_WAITING, DagsterRunStatus.STARTED)


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
    name="push_job",
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
    minimum_interval_seconds=LOOK_EVERY_S,
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
        return dg.SkipReason(_quiet(due))
    if said := obstacle(context.instance):
        return dg.SkipReason(said)
    facts = facts_of(due)
    decided = launch_or_wait(facts, runs_about(context.instance, facts), now=now)
    if isinstance(decided, str):
        return dg.SkipReason(decided)
    return dg.RunRequest(
        run_key=decided.key, run_config=_SENDS_ALONE, tags=TAGS | {FACTS_TAG: facts}
    )


@dataclass(frozen=True, slots=True)
class Launch:
    """A run to launch."""

    key: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run about the same facts; ``ended_at`` is null while it goes on."""

    has_failed: bool
    ended_at: datetime | None


def facts_of(due: DueUpdates) -> str:
    """Return what is due, in a word: it changes when an update comes, goes or was worked on."""
    return f"push:{due.first_id}-{due.last_id}:{due.count}:{due.attempts}"


def launch_or_wait(facts: str, runs: Sequence[PastRun], *, now: datetime) -> Launch | str:
    """Return the run to launch, or why there is none; ``runs`` are about these facts, in order.

    A run that failed before it took anything leaves the same facts: it is launched again, later
    each time, under another key.
    """
    if not runs:
        return Launch(facts)
    last = runs[-1]
    if last.ended_at is None:
        return "a run about these updates is at work"
    if not last.has_failed:
        return "these updates stay as they are: a run has looked at them"
    due_at = last.ended_at + min(pause_after(len(runs)), timedelta(minutes=10))
    if now < due_at:
        return f"the last run about these updates failed: the next is launched at {due_at:%H:%M:%S}"
    return Launch(f"{facts}:{len(runs)}")


def obstacle(instance: DagsterInstance) -> str | None:
    """Return why no run is to be launched now, whatever is due."""
    waiting = RunsFilter(job_name=push_job.name, statuses=[*_WAITING])
    if instance.get_runs_count(waiting):
        return "an earlier run still waits for its turn"
    working = RunsFilter(job_name=push_job.name, statuses=[DagsterRunStatus.STARTED])
    if instance.get_runs_count(working) >= MOST_AT_ONCE:
        return f"{MOST_AT_ONCE} runs are at work"
    return None


def runs_about(instance: DagsterInstance, facts: str) -> list[PastRun]:
    """Return the runs that were launched about just these facts, the oldest first."""
    records = instance.get_run_records(RunsFilter(tags={FACTS_TAG: facts}), ascending=True)
    found = []
    for record in records:
        status = record.dagster_run.status
        ended_at = None
        if status not in _UNFINISHED:
            ended_at = datetime.fromtimestamp(
                record.end_time or record.update_timestamp.timestamp(), UTC
            )
        found.append(PastRun(status is not DagsterRunStatus.SUCCESS, ended_at))
    return found


def _quiet(due: DueUpdates) -> str:
    if due.next_due_at is None:
        return "no update waits to be sent"
    return f"no update is due before {due.next_due_at:%Y-%m-%d %H:%M:%S} UTC"
