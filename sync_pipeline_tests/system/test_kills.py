"""`kill -9` of everything in the middle of a run, then the run again: the same warehouse.

The moments are seen in what the run has done so far, and varied by a seed: in the set-up, when
Dagster knows of a run and the warehouse not yet, and within a fan-out. At their commits and
requests runs are struck by `sync_pipeline_tests.crashes`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from dagster import DagsterRunStatus

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline_tests.system.installation import Installation, awaited
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

CONTACTS = 48
# Few at a time, so that each fan-out takes several batches.
SLOWLY = {"CRMCOM_MAX_IN_FLIGHT": "4"}
LATENCY_MS = 250


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill, as the seed has it."""

    name: str
    seed: int
    has_come: Callable[[Installation, random.Random], bool]


def in_the_set_up(installation: Installation, chance: random.Random) -> bool:
    if not (installation.home / "postgres").exists():
        return False
    time.sleep(chance.uniform(0, 1.5))
    return True


def between_dagster_s_record_and_ours(installation: Installation, _: random.Random) -> bool:
    started = "SELECT count(*) FROM runs WHERE status = 'STARTED'"
    return bool(installation.asked_early(started, database="dagster"))


def among_communications(installation: Installation, chance: random.Random) -> bool:
    count = installation.asked_early("SELECT count(*) FROM warehouse.communications")
    return int(str(count or 0)) > chance.uniform(0, 300)


MOMENTS = (
    Moment("set-up", 1, in_the_set_up),
    Moment("between-the-records", 2, between_dagster_s_record_and_ours),
    Moment("communications", 4, among_communications),
)


@pytest.mark.parametrize("moment", MOMENTS, ids=[moment.name for moment in MOMENTS])
def test_a_run_killed_at_any_moment_ends_in_the_same_warehouse_when_run_again(
    installation: Installation, moment: Moment
) -> None:
    print(f"seed {moment.seed}")  # noqa: T201 -- shown with a failure, to repeat it
    installation.start_sandbox(contacts=CONTACTS, latency_ms=LATENCY_MS)
    run = installation.start("run", environ=SLOWLY)

    def has_come() -> bool:
        assert run.poll() is None, "the run ended before its moment came"
        return moment.has_come(installation, random.Random(moment.seed))  # noqa: S311 -- a test's

    awaited(has_come, f"the moment {moment.name}")
    assert installation.kill_everything() > 0
    run.communicate()

    installation.run("run").succeeded()

    for entity in ENTITIES.values():
        assert warehouse_rows(installation, entity) == world_rows(installation, entity)
        inserted = (
            "SELECT sum(rows_inserted), sum(rows_updated) FROM ops.sync_runs WHERE entity = %s"
        )
        assert installation.ask(inserted, entity.name) == [
            (len(installation.world(entity.name)), 0)
        ]
    runs = installation.ask("SELECT run_id, outcome FROM ops.sync_runs ORDER BY started_at")
    outcomes = [outcome for _, outcome in runs]
    assert outcomes[-len(STREAMS) :] == ["succeeded"] * len(STREAMS)
    # What ended before the kill, and at most the one that it hit.
    assert outcomes.count("abandoned") <= 1
    assert set(outcomes) <= {"succeeded", "abandoned"}
    with installation.dagster() as instance:
        dagster = {run.run_id: run.status for run in instance.get_runs()}
    abandoned = [run_id for run_id, outcome in runs if outcome == "abandoned"]
    assert {dagster[str(run_id)] for run_id in abandoned} <= {DagsterRunStatus.FAILURE}
    assert set(dagster.values()) <= {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE}
