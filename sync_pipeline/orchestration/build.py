"""Put the definitions together."""

from __future__ import annotations

import dagster as dg

from sync_pipeline.orchestration.assets import STREAM_ASSETS
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.schedules import pull_job, stream_schedules
from sync_pipeline.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Return everything that Dagster is to know, for these settings."""
    return dg.Definitions(
        assets=STREAM_ASSETS,
        jobs=[pull_job],
        schedules=stream_schedules(settings),
        resources={"pipeline": Pipeline()},
        # One process per run: starting another for its one step would cost more than the step.
        executor=dg.in_process_executor,
    )
