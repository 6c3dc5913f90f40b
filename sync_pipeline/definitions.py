"""Dagster's code location: `sync_pipeline.definitions`."""

from __future__ import annotations

import dagster as dg

from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.settings import environment, read_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions when Dagster asks for them; importing this reads nothing."""
    return build_definitions(read_settings(environment()))
