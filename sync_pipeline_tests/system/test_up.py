"""`sync-pipeline up`: the stack in the foreground, what its web server answers, and its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline.orchestration.marts import mart_assets
from sync_pipeline_tests.system.dagster_ui import (
    ASSETS,
    DAEMONS,
    REPOSITORY,
    RUN,
    SCHEDULES,
    DagsterUi,
)
from sync_pipeline_tests.system.installation import LONGEST_S, Installation, awaited, interrupt
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

Up = tuple[Installation, DagsterUi]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """A stack that is up, over a small world."""
    with Installation() as installation:
        installation.start_sandbox(contacts=20)
        process = installation.start("up")

        def has_come_up() -> bool:
            assert process.poll() is None, process.communicate()
            return is_up(installation)

        awaited(has_come_up, "the web server answers")
        yield installation, DagsterUi(ui_url(installation))
        process.kill()
        print(*process.communicate(), sep="\n")  # noqa: T201 -- shown with a failure


def ui_url(installation: Installation) -> str:
    return f"http://127.0.0.1:{installation.ui_port}"


def is_up(installation: Installation) -> bool:
    """Whether the web server answers and the daemon has given a sign of life."""
    try:
        health = DagsterUi(ui_url(installation)).ask(DAEMONS)["instance"]["daemonHealth"]
    except Exception:  # noqa: BLE001 -- not there yet
        return False
    return all(daemon["healthy"] for daemon in health["allDaemonStatuses"] if daemon["required"])


def test_the_assets_are_there_with_their_keys_groups_and_dependencies(up: Up) -> None:
    nodes = up[1].ask(ASSETS)["assetNodes"]
    found = {"/".join(node["assetKey"]["path"]): node for node in nodes}
    offered = {f"{s}_api" for s in STREAMS.values()}
    marts = {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in mart_assets()
    }
    by_day = {"crmcom/communications_by_day": STREAMS["crmcom/communications"]}
    assert set(found) == {*STREAMS, *by_day} | offered | set(marts)
    for name, stream in STREAMS.items():
        assert found[name]["groupName"] == stream.source
        assert "pull_job" in found[name]["jobNames"]
    dependencies = {
        name: {"/".join(key["path"]) for key in node["dependencyKeys"]}
        for name, node in found.items()
    }
    assert dependencies == {name: set() for name in offered} | marts | {
        name: {f"{stream}_api"} | ({str(stream.upstream)} if stream.upstream else set())
        for name, stream in (STREAMS | by_day).items()
    }


def test_every_stream_has_a_schedule_that_is_on(up: Up) -> None:
    answer = up[1].ask(SCHEDULES, {"repository": REPOSITORY})
    schedules = answer["schedulesOrError"]["results"]
    (pushes,) = [row for row in schedules if row["pipelineName"] == "push_job"]
    assert (pushes["name"], pushes["scheduleState"]["status"]) == ("push_schedule", "RUNNING")
    pulls = [row for row in schedules if row["pipelineName"] == "pull_job"]
    assert sorted(pulls, key=lambda row: str(row["name"])) == [
        {
            "name": f"{stream.source}_{stream.entity.name}_schedule",
            "cronSchedule": "*/15 * * * *",
            "pipelineName": "pull_job",
            "scheduleState": {"status": "RUNNING"},
        }
        for stream in sorted(STREAMS.values(), key=str)
    ]


def test_all_daemons_are_healthy(up: Up) -> None:
    statuses = up[1].ask(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    required = {row["daemonType"]: row["healthy"] for row in statuses if row["required"]}
    assert {
        "SCHEDULER",
        "SENSOR",
        "QUEUED_RUN_COORDINATOR",
        "MONITORING",
        "FRESHNESS_DAEMON",
    } <= set(required)
    assert set(required.values()) == {True}


def test_a_run_launched_in_the_ui_goes_through_queue_and_daemon_and_shows_its_counts(
    up: Up,
) -> None:
    installation, ui = up
    # A run that a schedule starts meanwhile would read the same.
    ui.stop_schedules()
    awaited(ui.is_idle, "the runs that schedules had started are over")
    run_id = ui.launch_asset("rosaas", "tenants")

    def finished() -> dict[str, object] | None:
        run: dict[str, object] = ui.ask(RUN, {"runId": run_id})["runOrError"]
        return run if run["status"] in {"SUCCESS", "FAILURE", "CANCELED"} else None

    run = awaited(finished, "the run ends")
    assert run["status"] == "SUCCESS", dict(installation.log_files())
    assert isinstance(run["assetMaterializations"], list)
    (materialisation,) = run["assetMaterializations"]
    assert materialisation["assetKey"] == {"path": ["rosaas", "tenants"]}
    shown = {e["label"]: e.get("intValue") for e in materialisation["metadataEntries"]}
    tenants = len(installation.world("tenants"))
    assert shown["dagster/row_count"] == tenants
    counted = "SELECT rows_read, rows_inserted, outcome FROM ops.sync_runs WHERE run_id = %s"
    assert installation.ask(counted, run_id) == [
        (shown["rows_read"], shown["rows_inserted"], "succeeded")
    ]
    assert shown["rows_read"] == tenants
    entity = ENTITIES["tenants"]
    assert warehouse_rows(installation, entity) == world_rows(installation, entity)
    stored = "SELECT status FROM runs WHERE run_id = %s"
    assert installation.ask(stored, run_id, database="dagster") == [("SUCCESS",)]


def test_a_pull_beside_the_stack_shows_in_its_ui(up: Up) -> None:
    installation, ui = up
    installation.run("pull", "crmcom/contacts").succeeded()
    run_id = str(
        installation.ask(
            "SELECT run_id FROM ops.sync_runs WHERE cause = 'pull' ORDER BY started_at DESC"
        )[0][0]
    )
    run = ui.ask(RUN, {"runId": run_id})["runOrError"]
    assert run["status"] == "SUCCESS"
    assert {"key": "sync/cause", "value": "pull"} in run["tags"]


def test_a_killed_server_is_started_again_while_the_stack_is_up(up: Up) -> None:
    installation, _ = up
    before = installation.postmaster_pid()
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        return (
            bool(installation.asked_early("SELECT 1")) and installation.postmaster_pid() != before
        )

    awaited(is_back, "PostgreSQL is back", timeout_s=40)


def test_a_second_up_is_refused_in_words(up: Up) -> None:
    installation, _ = up
    done = installation.run("up")
    assert done.code == 1
    assert "sync-pipeline: the stack is up already; `sync-pipeline down` stops it" in done.err
    assert "Traceback" not in done.err
    awaited(lambda: is_up(installation), "the first one goes on")


@pytest.fixture(scope="module")
def killed(up: Up) -> Installation:
    """The same installation after a kill of the process in the foreground alone."""
    installation, _ = up
    os.kill(installation.noted_pid("up"), signal.SIGKILL)
    return installation


def test_after_a_kill_a_new_up_works_and_ctrl_c_ends_all_of_it(killed: Installation) -> None:
    web_server = killed.noted_pid("webserver")
    process = killed.start("up")
    awaited(lambda: killed.noted_pid("webserver") != web_server, "a web server of its own")
    awaited(lambda: is_up(killed), "the web server answers again")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(5)]
    assert said[2:] == [
        f"Dagster UI     {ui_url(killed)}\n",
        f"Webhooks       http://127.0.0.1:{killed.webhook_port}\n",
        "Stop with Ctrl-C.\n",
    ]
    done = interrupt(process)
    assert done.code == 0, done
    assert "Traceback" not in done.err
    assert killed.processes() == []


def test_down_from_another_shell_ends_a_stack_that_is_still_starting(
    installation: Installation,
) -> None:
    process = installation.start("up")
    awaited((installation.home / "run" / "daemon.json").exists, "the daemon is started")
    installation.run("down").succeeded()
    out, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, (out, err)
    assert "Traceback" not in err
    assert installation.processes() == []
