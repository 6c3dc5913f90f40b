"""Dagster's storage: over connections that a process keeps, whatever becomes of them."""

from __future__ import annotations

import dagster as dg
from sqlalchemy import Engine

from sync_pipeline_tests.database.readings import rows

# All but the one that asks; this database is the test's own.
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dg.op
def sleep() -> None:
    """Do nothing."""


@dg.job
def nothing() -> None:
    """Consist of the one op."""
    sleep()


def ran(instance: dg.DagsterInstance) -> list[str]:
    """Run the job; return what the storage knows of each run."""
    assert nothing.execute_in_process(instance=instance).success
    return [run.status.value for run in instance.get_runs()]


def test_all_instances_of_a_process_share_the_connections_that_it_keeps(
    instance_on_postgres: dg.DagsterInstance, engine: Engine
) -> None:
    assert ran(instance_on_postgres) == ["SUCCESS"]
    pids = rows(engine, f"SELECT pid {OTHERS} ORDER BY pid")
    assert 1 <= len(pids) <= 2
    # As a code location makes one for each tick.
    for number in range(2, 5):
        with dg.DagsterInstance.from_ref(instance_on_postgres.get_ref()) as another:
            assert ran(another) == ["SUCCESS"] * number
    assert rows(engine, f"SELECT pid {OTHERS} ORDER BY pid") == pids


def test_connections_that_broke_are_made_anew(
    instance_on_postgres: dg.DagsterInstance, engine: Engine
) -> None:
    assert ran(instance_on_postgres) == ["SUCCESS"]
    assert rows(engine, f"SELECT pg_terminate_backend(pid) {OTHERS}")
    assert ran(instance_on_postgres) == ["SUCCESS"] * 2
