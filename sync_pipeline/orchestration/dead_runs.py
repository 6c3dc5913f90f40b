"""Runs whose process died: closed in Dagster too, where they would hold a slot of the queue.

A run is dead when its row of `ops.sync_runs` says so. One from the command line is dead with its
command, which holds a lock from before Dagster hears of the run: it may die before there is a row,
or between the end of the row and that of Dagster's run.
"""

from __future__ import annotations

from dagster import DagsterInstance, RunsFilter
from sqlalchemy import Engine

from sync_pipeline.entities import STREAMS
from sync_pipeline.orchestration.run_states import WITH_A_PROCESS
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.locks import is_launch_over
from sync_pipeline.warehouse.runs import abandon_runs, abandoned_among


def settle_dead_runs(engine: Engine, instance: DagsterInstance) -> list[str]:
    """Close every run that is known to be dead; return the ids of those that Dagster had open."""
    unfinished = {run.run_id: run for run in instance.get_runs(RunsFilter(statuses=WITH_A_PROCESS))}
    with transaction(engine) as connection:
        for stream in STREAMS.values():
            abandon_runs(connection, stream)
        dead = abandoned_among(connection, list(unfinished))
        for run_id, run in unfinished.items():
            # What Dagster itself launches has an origin to be launched from.
            is_by_command = run.remote_job_origin is None
            if is_by_command and run_id not in dead and is_launch_over(connection, run_id):
                dead.append(run_id)
    for run_id in dead:
        instance.report_run_failed(unfinished[run_id], "its process ended without a word")
    return dead
