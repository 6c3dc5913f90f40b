"""How far Dagster's runs are that have not ended."""

from __future__ import annotations

from dagster import DagsterRunStatus

NOT_YET_RUNNING = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
)
UNFINISHED = (*NOT_YET_RUNNING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
WITH_A_PROCESS = (
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
"""Those that somebody should be working on."""
