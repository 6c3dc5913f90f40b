"""What Dagster is told: assets, the job, the schedules; and that telling it touches nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from sync_pipeline.entities import STREAMS
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.schedules import cron
from sync_pipeline.settings import read_settings

LOOK = """
import os, socket, sys
def refuse(*_):
    raise AssertionError("importing the definitions connects to something")
socket.socket.connect = refuse
before = dict(os.environ)
import sync_pipeline.definitions
assert dict(os.environ) == before
print(sorted("/".join(k.path) for k in sync_pipeline.definitions.defs().resolve_all_asset_keys()))
"""
ROSAAS = {
    "ROSAAS_BASE_URL": "https://saas.invalid",
    "ROSAAS_CLIENT_ID": "client",
    "ROSAAS_CLIENT_SECRET": "secret",
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(read_settings({}))


def test_definitions_load_without_an_environment_and_touch_neither_disk_nor_network(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{sorted(STREAMS)}\n"
    assert list(tmp_path.rglob("*")) == []


def test_each_stream_is_an_asset_in_the_group_of_its_source(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == set(STREAMS)
    for name, stream in STREAMS.items():
        node = graph.get(dg.AssetKey(name.split("/")))
        assert node.group_name == stream.source
        assert node.metadata["dagster/table_name"] == f"warehouse.{stream.entity.name}"
        assert node.partitions_def is None


def test_communications_come_after_contacts_and_nothing_else_waits(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert parents == {
        "rosaas/tenants": set(),
        "crmcom/contacts": set(),
        "crmcom/communications": {"crmcom/contacts"},
    }


def test_pull_job_has_every_stream_and_runs_in_the_bulk_lane(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("pull_job")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == set(STREAMS)
    assert job.tags["sync/lane"] == "bulk"


def test_each_stream_has_a_schedule_that_is_on_from_the_start(definitions: dg.Definitions) -> None:
    schedules = {schedule.name: schedule for schedule in definitions.schedules or ()}
    assert set(schedules) == {f"{s.source}_{s.entity.name}_schedule" for s in STREAMS.values()}
    for schedule in schedules.values():
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.job_name == "pull_job"
        assert schedule.cron_schedule == "*/15 * * * *"
        assert schedule.execution_timezone == "UTC"


def test_the_interval_of_a_source_is_that_of_its_schedules() -> None:
    settings = read_settings(ROSAAS | {"ROSAAS_INTERVAL_MINUTES": "120"})
    crons = {
        schedule.name: schedule.cron_schedule
        for schedule in build_definitions(settings).schedules or ()
        if isinstance(schedule, dg.ScheduleDefinition)
    }
    assert crons == {
        "rosaas_tenants_schedule": "0 */2 * * *",
        "crmcom_contacts_schedule": "*/15 * * * *",
        "crmcom_communications_schedule": "*/15 * * * *",
    }


@pytest.mark.parametrize(
    ("minutes", "line"),
    [
        (1, "*/1 * * * *"),
        (30, "*/30 * * * *"),
        (60, "0 */1 * * *"),
        (720, "0 */12 * * *"),
        (1440, "0 0 * * *"),
    ],
)
def test_an_interval_becomes_a_cron_line(minutes: int, line: str) -> None:
    assert cron(minutes) == line
