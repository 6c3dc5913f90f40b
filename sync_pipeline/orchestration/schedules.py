"""`pull_job`, and one schedule per stream that launches a run of it: one run per stream."""

import dagster as dg
from dagster import RunsFilter

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.orchestration.assets import asset_key
from sync_pipeline.orchestration.dead_runs import settle_dead_runs
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.run_states import NOT_YET_RUNNING
from sync_pipeline.settings import (
    INTERVAL_MINUTES,
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    Settings,
)
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.locks import is_locked

# The daemon looks at its sensors every 5 seconds, and passes over one whose last tick began a
# moment less than its interval ago: with 5, every other look would be in vain.
AT_EACH_LOOK_S = 3
pull_job = dg.define_asset_job(
    "pull_job",
    selection=dg.AssetSelection.assets(*[asset_key(stream) for stream in STREAMS.values()]),
    description=(
        "Reads streams from their sources into the warehouse. Schedules and the command line "
        "launch one run per stream; several assets materialised together are one run, in which "
        "they are read one after another."
    ),
    tags={"sync/lane": "bulk"},
)


def run_tags(stream: Stream, cause: str, *, lane: str = "bulk") -> dict[str, str]:
    """Return the tags of a run over one stream."""
    return {
        "sync/source": stream.source,
        "sync/entity": stream.entity.name,
        "sync/cause": cause,
        "sync/lane": lane,
    }


def stream_schedule(stream: Stream, settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of a stream, on from the start."""
    source = settings.of_source(stream.source)
    minutes = source.interval_minutes if source else INTERVAL_MINUTES

    @dg.schedule(
        name=f"{stream.source}_{stream.entity.name}_schedule",
        job=pull_job,
        cron_schedule=cron(minutes),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Pulls {stream} every {minutes} minutes",
    )
    def tick(
        context: dg.ScheduleEvaluationContext, pipeline: Pipeline
    ) -> dg.RunRequest | dg.SkipReason:
        obstacle = _obstacle(stream, pipeline, context.instance)
        if obstacle:
            return dg.SkipReason(obstacle)
        return dg.RunRequest(
            asset_selection=[asset_key(stream)],
            tags=run_tags(stream, "schedule"),
            run_config=run_config(stream, is_due_only=True),
        )

    return tick


def _obstacle(stream: Stream, pipeline: Pipeline, instance: dg.DagsterInstance) -> str | None:
    """Return why no run of the stream is to be launched now, if there is a reason."""
    missing = pipeline.settings.missing_for(stream.source, stream.entity.name)
    if missing:
        return f"{stream} is off: set {missing}"
    settle_dead_runs(pipeline.engine, instance)
    waiting = RunsFilter(tags=run_tags(stream, "schedule"), statuses=NOT_YET_RUNNING)
    if instance.get_runs_count(waiting):
        return f"an earlier run over {stream} still waits for its turn"
    with transaction(pipeline.engine) as connection:
        if is_locked(connection, stream):
            return f"{stream} is being read by a run at this moment"
    return None


def run_config(stream: Stream, **options: object) -> dict[str, object]:
    """Return the run configuration that gives ``options`` to the asset of ``stream``."""
    name = asset_key(stream).to_python_identifier()
    return {"ops": {name: {"config": options}}}


def cron(minutes: int) -> str:
    """Return the cron line of an interval that divides an hour, or whole hours of a day."""
    if minutes < MINUTES_PER_HOUR:
        return f"*/{minutes} * * * *"
    if minutes < MINUTES_PER_DAY:
        return f"0 */{minutes // MINUTES_PER_HOUR} * * *"
    return "0 0 * * *"


def stream_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedules of all streams."""
    return [stream_schedule(stream, settings) for stream in STREAMS.values()]
