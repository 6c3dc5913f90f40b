"""`webhook_event_sensor`: from events that wait to pulls of just what they speak of."""

from __future__ import annotations

import dagster as dg
from dagster import RunsFilter
from sqlalchemy import Engine

from sync_pipeline.entities import Stream
from sync_pipeline.orchestration.assets import asset_key
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.run_states import UNFINISHED
from sync_pipeline.orchestration.schedules import AT_EACH_LOOK_S, pull_job, run_config, run_tags
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.inbox import ClaimedSubjects, claim_subjects
from sync_pipeline.webhooks.settling import TOLD_STREAMS

CAUSE = "webhook"
# Each is a request or two at the source: some twenty seconds at the usual rate.
_MOST_SUBJECTS = 100


def webhook_event_sensor() -> dg.SensorDefinition:
    """Return the sensor, on from the start."""

    @dg.sensor(
        name="webhook_event_sensor",
        description="Pulls the tenants and contacts of which a webhook told",
        job_name=pull_job.name,
        minimum_interval_seconds=AT_EACH_LOOK_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def look(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
        said = [
            _next_pull(stream, pipeline.engine, pipeline.settings, context.instance)
            for stream in TOLD_STREAMS.values()
        ]
        requests = [one for one in said if isinstance(one, dg.RunRequest)]
        if requests:
            return dg.SensorResult(run_requests=requests)
        return dg.SensorResult(skip_reason="; ".join(one for one in said if isinstance(one, str)))

    return look


def _next_pull(
    stream: Stream, engine: Engine, settings: Settings, instance: dg.DagsterInstance
) -> dg.RunRequest | str:
    """Return the run that is to be launched now over a stream, or why there is none."""
    missing = settings.missing_for(stream.source, stream.entity.name)
    if missing:
        return f"{stream} is off: set {missing}"
    # Events that come while a run reads wait for the next one: many for one subject are one pull.
    running = RunsFilter(tags=run_tags(stream, CAUSE, lane="fast"), statuses=UNFINISHED)
    if instance.get_runs_count(running):
        return f"{stream}: the pull of earlier events is not over"
    with transaction(engine) as connection:
        claim = claim_subjects(connection, stream.source, most=_MOST_SUBJECTS)
    return _request(stream, claim) if claim else f"{stream}: no event waits"


def _request(stream: Stream, claim: ClaimedSubjects) -> dg.RunRequest:
    facts = f"{claim.first_id}-{claim.last_id}:{claim.claimed_at.isoformat()}"
    return dg.RunRequest(
        run_key=f"webhook:{stream}:{facts}",
        asset_selection=[asset_key(stream)],
        tags=run_tags(stream, CAUSE, lane="fast"),
        run_config=run_config(stream, only=list(claim.subjects)),
    )
