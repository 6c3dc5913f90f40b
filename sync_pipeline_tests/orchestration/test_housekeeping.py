"""The daily run that removes what is old."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.settings import environment, read_settings
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.orchestration.past_runs import put_end

OLD = """
    WITH ended AS (UPDATE push.updates SET status = 'discarded' RETURNING id)
    INSERT INTO push.deliveries (update_id, noted_at, outcome)
    SELECT id, now() - make_interval(days => age), 'x' FROM ended, unnest(ARRAY[1, 29, 31]) AS age
"""


def test_the_daily_run_removes_by_the_setting_and_shows_how_much(
    instance: dg.DagsterInstance,
    engine: Engine,
    warehouse_url: str,
    bare_environment: pytest.MonkeyPatch,
) -> None:
    environ = {"WAREHOUSE_URL": warehouse_url, "RETENTION_DAYS": "30"} | {"RUN_RETENTION_DAYS": "7"}
    # No source is asked for anything.
    environ |= {"ROSAAS_BASE_URL": "https://saas.invalid", "ROSAAS_CLIENT_ID": "x"}
    for name, value in (environ | {"ROSAAS_CLIENT_SECRET": "x"}).items():
        bare_environment.setenv(name, value)
    put_contacts(engine, "c1")
    ask(engine, {"email": "x@example.com"})
    job = build_definitions(read_settings(environment())).resolve_job_def("housekeeping_job")
    earlier = [job.execute_in_process(instance=instance).run_id for _ in range(3)]
    for run_id, days_ago in zip(earlier, (6.9, 7.1, 8), strict=True):
        put_end(instance, run_id, days_ago=days_ago)
    with engine.begin() as connection:
        connection.execute(text(OLD))
    result = job.execute_in_process(instance=instance)
    (event,) = [e for e in result.all_node_events if e.event_type_value == "STEP_OUTPUT"]
    told = event.step_output_data.metadata
    assert {name: told[name].value for name in ("push.deliveries", "ops.quarantine", "runs")} == {
        "push.deliveries": 1, "ops.quarantine": 0, "runs": 2,
    }  # fmt: skip
    assert rows(engine, "SELECT count(*) FROM push.deliveries") == [(2,)]
    assert {run.run_id for run in instance.get_runs()} == {earlier[0], result.run_id}
