"""The sensor on failed runs, its messages received by a real service on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import dagster as dg
import pytest
from pydantic import SecretStr

from sync_pipeline.operate.alerts import send_alert
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.settings import environment, read_settings
from sync_pipeline_tests.pull_vendors import UNAVAILABLE, Vendors
from sync_pipeline_tests.scripted_server import Scripted, ScriptedServer

SECRET = "hush-hush"  # noqa: S105 -- looked for in what is said
AWAY, UNKNOWN = f"json://127.0.0.1:9/{SECRET}", f"nosuchservice://{SECRET}"


@pytest.fixture
def service() -> Iterator[ScriptedServer]:
    """Serve what takes messages, and keeps them."""
    with ScriptedServer() as server:
        server.script("POST", f"/{SECRET}", Scripted(200))
        yield server


def address(service: ScriptedServer) -> str:
    return f"{service.url.replace('http', 'json')}/{SECRET}"


def definitions() -> dg.Definitions:
    return build_definitions(read_settings(environment()))


def tick(
    instance: dg.DagsterInstance, cursor: str | None
) -> tuple[str | None, str | None, list[str]]:
    """Let the sensor look once; return what it says, its cursor, and the runs it has told of."""
    found = definitions()
    sensor = next(s for s in found.sensors or () if s.name == "failure_alert_sensor")
    assert isinstance(sensor, dg.SensorDefinition)
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, repository_def=found.get_repository_def()
    ) as context:
        done = sensor.evaluate_tick(context)
    runs = [reaction.dagster_run for reaction in done.dagster_run_reactions or []]
    return done.skip_message, done.cursor, [run.run_id for run in runs if run]


def messages(service: ScriptedServer) -> list[dict[str, str]]:
    taken = [json.loads(r.body) for r in service.of("POST", f"/{SECRET}")]
    return [{name: message[name] for name in ("title", "message")} for message in taken]


def fail(instance: dg.DagsterInstance, *, tagged: bool = True) -> str:
    """Let a run over the tenants fail; return its id."""
    tags = {"sync/source": "rosaas", "sync/entity": "tenants"} if tagged else {}
    job = definitions().resolve_job_def("pull_job")
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(["rosaas", "tenants"])],
        tags=tags,
        raise_on_error=False,
    )
    assert not result.success
    return result.run_id


@pytest.mark.parametrize("tagged", [True, False], ids=["by a schedule", "from the UI"])
def test_each_failed_run_is_one_message_with_stream_run_error_and_link(
    vendors: Vendors,
    instance: dg.DagsterInstance,
    service: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tagged: bool,
) -> None:
    monkeypatch.setenv("ALERT_URLS", address(service))
    monkeypatch.setenv("UI_PORT", "3210")
    vendors.tenants = UNAVAILABLE
    _, cursor, _ = tick(instance, None)
    run_ids = [fail(instance, tagged=tagged), fail(instance, tagged=tagged)]
    _, cursor, first = tick(instance, cursor)
    _, cursor, second = tick(instance, cursor)
    _, cursor, none_left = tick(instance, cursor)
    assert [*first, *second, *none_left] == run_ids
    assert [message["title"] for message in messages(service)] == ["rosaas/tenants failed"] * 2
    for run_id, message in zip(run_ids, messages(service), strict=True):
        error, run, link = message["message"].splitlines()
        assert "RoSaaS /api/management/apps/v1/tenants (status 500)" in error
        assert (run, link) == (f"Run {run_id}", f"http://127.0.0.1:3210/runs/{run_id}")


def test_a_run_that_ended_well_is_no_message(
    vendors: Vendors,
    instance: dg.DagsterInstance,
    service: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALERT_URLS", address(service))
    _, cursor, _ = tick(instance, None)
    vendors.hold_tenants()
    job = definitions().resolve_job_def("pull_job")
    selection = [dg.AssetKey(["rosaas", "tenants"])]
    assert job.execute_in_process(instance=instance, asset_selection=selection).success
    assert tick(instance, cursor)[2] == []
    assert messages(service) == []


def test_without_a_service_nothing_is_sent_and_the_tick_says_so(
    vendors: Vendors, instance: dg.DagsterInstance
) -> None:
    vendors.tenants = UNAVAILABLE
    _, cursor, _ = tick(instance, None)
    fail(instance)
    said, _, _ = tick(instance, cursor)
    assert said == "no message is sent: ALERT_URLS is not set"


def test_a_service_that_is_away_fails_no_tick_and_the_tick_says_so(
    vendors: Vendors, instance: dg.DagsterInstance, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("ALERT_URLS", AWAY)
    vendors.tenants = UNAVAILABLE
    _, cursor, _ = tick(instance, None)
    run_id = fail(instance)
    said, cursor, _ = tick(instance, cursor)
    trouble = "not every service of ALERT_URLS took the message (1 were tried)"
    assert said == f"run {run_id}: {trouble}"
    # Tried once, or the service would be told of the same run again and again.
    assert tick(instance, cursor)[2] == []


@pytest.mark.parametrize(
    ("urls", "taken", "trouble"),
    [
        ("{} {}", 2, None),
        ("{}, {}", 2, None),
        (AWAY, 0, "not every service of ALERT_URLS took the message (1 were tried)"),
        (UNKNOWN, 0, "not every service of ALERT_URLS took the message (0 were tried)"),
        (f"{{}} {AWAY}", 1, "not every service of ALERT_URLS took the message (2 were tried)"),
        (
            f"{{}}, {UNKNOWN}",
            1,
            "ALERT_URLS names a service that is not known; the others took the message",
        ),
    ],
    ids=["two", "with a comma", "away", "unknown", "one of two away", "one of two unknown"],
)
def test_trouble_is_told_without_the_addresses(
    service: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    urls: str,
    taken: int,
    trouble: str | None,
) -> None:
    secret_urls = SecretStr(urls.format(address(service), address(service)))
    assert send_alert(secret_urls, title="A title", body="A body") == trouble
    assert messages(service) == [{"title": "A title", "message": "A body"}] * taken
    assert SECRET not in caplog.text


def test_an_error_that_is_not_ours_is_told_by_its_name_alone(
    vendors: Vendors,
    instance: dg.DagsterInstance,
    service: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert vendors.detail_requests() == []
    monkeypatch.setenv("ALERT_URLS", address(service))
    _, cursor, _ = tick(instance, None)

    @dg.op
    def quote_a_row() -> None:
        raise ValueError("ann@example.com")

    @dg.job
    def another_job() -> None:
        quote_a_row()

    result = another_job.execute_in_process(instance=instance, raise_on_error=False)
    tick(instance, cursor)
    assert messages(service) == [
        {
            "title": "another_job failed",
            "message": "unexpected ValueError\n"
            f"Run {result.run_id}\nhttp://127.0.0.1:3000/runs/{result.run_id}",
        }
    ]
