"""Put the definitions together."""

from __future__ import annotations

import dagster as dg

from sync_pipeline.entities import STREAMS
from sync_pipeline.orchestration.alerts import failure_alert_sensor
from sync_pipeline.orchestration.assets import stream_asset
from sync_pipeline.orchestration.backfill import days_asset
from sync_pipeline.orchestration.checks import stream_checks
from sync_pipeline.orchestration.columns import api_assets
from sync_pipeline.orchestration.housekeeping import housekeeping_job, housekeeping_schedule
from sync_pipeline.orchestration.marts import mart_assets
from sync_pipeline.orchestration.push import customer_update_sensor, push_job, push_schedule
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.schedules import pull_job, stream_schedules
from sync_pipeline.orchestration.webhooks import webhook_event_sensor
from sync_pipeline.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Return everything that Dagster is to know, for these settings."""
    streams = list(STREAMS.values())
    pulled = [stream_asset(stream, settings) for stream in streams]
    by_day = [days_asset(stream) for stream in streams if stream.has_creation_time]
    return dg.Definitions(
        assets=[*api_assets(), *pulled, *by_day, *mart_assets()],
        asset_checks=[stream_checks(stream) for stream in streams],
        jobs=[pull_job, push_job, housekeeping_job],
        schedules=[*stream_schedules(settings), push_schedule, housekeeping_schedule],
        sensors=[
            failure_alert_sensor(settings),
            webhook_event_sensor(),
            customer_update_sensor,
        ],
        resources={"pipeline": Pipeline()},
        # One process per run: starting another for its one step would cost more than the step.
        executor=dg.in_process_executor,
    )
