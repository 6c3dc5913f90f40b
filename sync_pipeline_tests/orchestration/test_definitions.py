"""What Dagster is told: assets, the job, the schedules; and that telling it touches nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from sync_pipeline.entities import STREAMS
from sync_pipeline.mapping.pushable import PUSHABLE
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.marts import MARTS
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
# What each source offers, beside the streams that read it.
API_ASSETS = [f"{stream}_api" for stream in STREAMS.values()]
MART_ASSETS = [f"mart/{name}" for name in MARTS]
# For backfills alone: no schedule, no bound of freshness.
BY_DAY = "crmcom/communications_by_day"


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
    assert done.stdout == f"{sorted([*STREAMS, BY_DAY, *API_ASSETS, *MART_ASSETS])}\n"
    assert list(tmp_path.rglob("*")) == []


def test_each_stream_is_an_asset_in_the_group_of_its_source(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    materialisable = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert materialisable == {*STREAMS, BY_DAY}
    for name, stream in STREAMS.items():
        node = graph.get(dg.AssetKey(name.split("/")))
        assert node.group_name == stream.source
        assert node.metadata["dagster/table_name"] == f"warehouse.{stream.entity.name}"
        assert node.partitions_def is None


def test_what_a_source_offers_is_an_external_asset_of_its_group(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    external = {key.to_user_string() for key in graph.external_asset_keys}
    assert external == {*API_ASSETS, *MART_ASSETS}
    for stream in STREAMS.values():
        node = graph.get(dg.AssetKey([stream.source, f"{stream.entity.name}_api"]))
        assert (node.group_name, node.kinds) == (stream.source, {"http"})


def test_a_mart_hangs_under_the_streams_that_it_shows(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, streams in MARTS.items():
        node = graph.get(dg.AssetKey(["mart", name]))
        parents = {key.to_user_string() for key in node.parent_keys}
        assert parents == {str(stream) for stream in streams}
        assert node.metadata["dagster/table_name"] == f"mart.{name}"


def test_a_stream_comes_after_what_its_source_offers_and_communications_after_contacts(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.materializable_asset_keys
    }
    assert parents == {
        name: {f"{stream}_api"} | ({str(stream.upstream)} if stream.upstream else set())
        for name, stream in (STREAMS | {BY_DAY: STREAMS["crmcom/communications"]}).items()
    }


@pytest.mark.parametrize(
    ("hours", "warn", "fail"), [("24", 720, 1440), ("0.5", 15, 30), ("0.001", 1, 2)]
)
def test_a_stream_that_was_not_read_again_is_stale_after_the_bound_and_warns_at_half(
    hours: str, warn: int, fail: int
) -> None:
    graph = build_definitions(read_settings({"STALENESS_BOUND_HOURS": hours})).resolve_asset_graph()
    expected = dg.FreshnessPolicy.time_window(
        fail_window=timedelta(minutes=fail), warn_window=timedelta(minutes=warn)
    )
    policies = {
        key.to_user_string(): graph.get(key).freshness_policy
        for key in graph.materializable_asset_keys
    }
    assert policies == dict.fromkeys(STREAMS, expected) | {BY_DAY: None}


def test_each_stream_has_its_checks_and_none_of_them_blocks(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    found: dict[str, set[str]] = {}
    for key in graph.asset_check_keys:
        found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
        assert not graph.get(key).blocking
    of_all = {"proof", "key_uniqueness", "quarantine_depth", "drift"}
    of_contacts = {"communications", "approval_requests"}
    pushable = {str(one.stream) for one in PUSHABLE}
    assert found == {
        name: of_all
        | ({"orphans"} if stream.entity.name in of_contacts else set())
        | ({"updates_depth"} if name in pushable else set())
        # What is read contact by contact may need more requests than are allowed.
        | ({"lost_events"} if name == "rosaas/tenants" else set())
        | ({"budget"} if stream.source == "crmcom" or name == "rocs/contacts" else set())
        for name, stream in STREAMS.items()
    }


def test_pull_job_checks_each_stream_that_it_reads(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("pull_job")
    assert job.asset_layer.asset_graph.asset_check_keys == (
        definitions.resolve_asset_graph().asset_check_keys
    )


def test_the_sensors_are_on_from_the_start(definitions: dg.Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    assert {"failure_alert_sensor", "webhook_event_sensor"} <= set(sensors)
    for sensor in sensors.values():
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_pull_job_has_every_stream_and_runs_in_the_bulk_lane(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("pull_job")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == set(STREAMS)
    assert job.tags["sync/lane"] == "bulk"


def test_each_stream_has_a_schedule_that_is_on_from_the_start(definitions: dg.Definitions) -> None:
    schedules = {schedule.name: schedule for schedule in definitions.schedules or ()}
    daily = schedules.pop("housekeeping_schedule")
    assert isinstance(daily, dg.ScheduleDefinition)
    assert (daily.job_name, daily.cron_schedule) == ("housekeeping_job", "37 3 * * *")
    assert daily.default_status is dg.DefaultScheduleStatus.RUNNING
    pushes = schedules.pop("push_schedule")
    assert isinstance(pushes, dg.ScheduleDefinition)
    assert (pushes.job_name, pushes.cron_schedule) == ("push_job", "*/15 * * * *")
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
        if isinstance(schedule, dg.ScheduleDefinition) and schedule.job_name == "pull_job"
    }
    assert crons == {
        f"{stream.source}_{stream.entity.name}_schedule": (
            "0 */2 * * *" if stream.source == "rosaas" else "*/15 * * * *"
        )
        for stream in STREAMS.values()
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
