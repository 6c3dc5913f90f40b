"""When the sensor launches a push, and what the run shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import httpx
import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import WarehouseError
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.push_launch import FACTS_TAG, Launch, PastRun, launch_or_wait
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.settings import environment, read_settings
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import sandbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTS = "push:1-2:2:0"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "30", "--crmcom-version", "v2") as client:
        yield client


@pytest.fixture
def rounds(
    engine: Engine,
    warehouse_url: str,
    client: httpx.Client,
    bare_environment: pytest.MonkeyPatch,
) -> Rounds:
    """Return rounds with the contacts read; the environment points at both ends."""
    told: dict[str, str] = client.get("/_sandbox/env").json()
    for name, value in (told | {"WAREHOUSE_URL": warehouse_url}).items():
        bare_environment.setenv(name, value)
    rounds = Rounds(engine, client, settings_of(client))
    rounds.pull(CRMCOM_CONTACTS)
    return rounds


def tick(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """Let the sensor decide once; it is given no cursor."""
    definitions = build_definitions(read_settings(environment()))
    sensor = definitions.resolve_sensor_def("customer_update_sensor")
    with dg.build_sensor_context(
        instance=instance,
        resources={"pipeline": Pipeline()},
        repository_def=definitions.get_repository_def(),
    ) as context:
        decision = sensor(context)
    assert isinstance(decision, dg.RunRequest | dg.SkipReason)
    return decision


def run(instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """Carry out what a tick asked for."""
    job = build_definitions(read_settings(environment())).resolve_job_def("push_job")
    tags = {str(name): str(value) for name, value in request.tags.items()}
    return job.execute_in_process(
        run_config=request.run_config, instance=instance, tags=tags, raise_on_error=False
    )


def request_name(rounds: Rounds, name: object, place: int = 0) -> int:
    contact_id = sorted(rounds.world(CRMCOM_CONTACTS))[place]
    return rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": name})


def test_a_tick_without_updates_is_quiet(instance: dg.DagsterInstance, rounds: Rounds) -> None:
    assert rounds.states() == {}
    decision = tick(instance)
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == "no update waits to be sent"


def test_updates_launch_one_run_that_delivers_them_and_then_it_is_quiet(
    instance: dg.DagsterInstance, rounds: Rounds
) -> None:
    first, second = request_name(rounds, "Zoë"), request_name(rounds, "Ann", 1)
    decision = tick(instance)
    assert isinstance(decision, dg.RunRequest)
    assert decision.run_key == f"push:{first}-{second}:2:0"
    assert decision.tags["sync/lane"] == "fast"
    # Models read whole tables, and have a schedule for that.
    assert decision.run_config == {"ops": {"push": {"config": {"is_planning": False}}}}
    # A tick that is repeated, its cursor lost, asks for the very same run.
    again = tick(instance)
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == decision.run_key

    result = run(instance, decision)

    assert result.success
    assert rounds.states() == {first: "confirmed", second: "confirmed"}
    outputs = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
    metadata = outputs[0].step_output_data.metadata
    assert metadata["confirmed"].value == 2
    assert {"seconds", "reasons"} <= metadata.keys()
    quiet = tick(instance)
    assert isinstance(quiet, dg.SkipReason)
    assert quiet.skip_message == "no update waits to be sent"


def test_what_a_run_shows_of_a_refusal_has_no_personal_data(
    instance: dg.DagsterInstance, rounds: Rounds
) -> None:
    contact_id = min(rounds.world(CRMCOM_CONTACTS))
    rounds.request(CRMCOM_CONTACTS, contact_id, {"language": "fo", "first_name": "Zoë"})
    decision = tick(instance)
    assert isinstance(decision, dg.RunRequest)
    result = run(instance, decision)
    assert result.success
    (output,) = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
    metadata = output.step_output_data.metadata
    assert metadata["rejected"].value == 1
    reasons = str(metadata["reasons"].value)
    assert "| crmcom | rejected | 1 | CRM.COM /contacts/{id} (status 400" in reasons
    assert not any(secret in reasons for secret in ("Zoë", "FO", contact_id))
    waiting = tick(instance)
    assert isinstance(waiting, dg.SkipReason)
    assert str(waiting.skip_message).startswith("no update is due before ")


def test_a_retry_has_a_run_key_of_its_own(instance: dg.DagsterInstance, rounds: Rounds) -> None:
    contact_id = min(rounds.world(CRMCOM_CONTACTS))
    made = rounds.request(CRMCOM_CONTACTS, contact_id, {"language": "fo"})
    first = tick(instance)
    assert isinstance(first, dg.RunRequest)
    run(instance, first)
    rounds.make_due()
    second = tick(instance)
    assert isinstance(second, dg.RunRequest)
    assert (first.run_key, second.run_key) == (f"push:{made}-{made}:1:0", f"push:{made}-{made}:1:1")


def test_nothing_is_launched_where_pushing_is_off(
    instance: dg.DagsterInstance, rounds: Rounds, bare_environment: pytest.MonkeyPatch
) -> None:
    request_name(rounds, "Zoë")
    bare_environment.setenv("PUSH_ENABLED", "off")
    decision = tick(instance)
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == "PUSH_ENABLED is off: nothing is sent"


def test_a_tick_that_raised_loses_nothing(
    instance: dg.DagsterInstance, rounds: Rounds, bare_environment: pytest.MonkeyPatch
) -> None:
    made = request_name(rounds, "Zoë")
    with bare_environment.context() as away:
        away.setenv("WAREHOUSE_URL", "postgresql://a:b@127.0.0.1:9/c")
        with pytest.raises(dg.DagsterError) as raised:
            tick(instance)
        assert isinstance(raised.value.__cause__, WarehouseError)
    decision = tick(instance)
    assert isinstance(decision, dg.RunRequest)
    assert decision.run_key == f"push:{made}-{made}:1:0"


def test_updates_of_a_source_that_is_off_launch_nothing_until_it_is_on(
    instance: dg.DagsterInstance, rounds: Rounds, bare_environment: pytest.MonkeyPatch
) -> None:
    made = request_name(rounds, "Zoë")
    base_url = os.environ["CRMCOM_BASE_URL"]
    bare_environment.setenv("CRMCOM_BASE_URL", "https://crm.invalid/self-service/v2")
    decision = tick(instance)
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == "no update waits to be sent"
    bare_environment.setenv("CRMCOM_BASE_URL", base_url)
    decision = tick(instance)
    assert isinstance(decision, dg.RunRequest)
    assert run(instance, decision).success
    assert rounds.states() == {made: "confirmed"}


def test_a_run_that_failed_before_it_took_anything_is_launched_again_after_a_pause(
    instance: dg.DagsterInstance, rounds: Rounds
) -> None:
    for place in range(25):
        request_name(rounds, "Zoë", place)
    decision = tick(instance)
    assert isinstance(decision, dg.RunRequest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUSH_MAX_SHARE", "0.5")
        assert not run(instance, decision).success
    assert decision.tags[FACTS_TAG] == decision.run_key
    waiting = tick(instance)
    assert isinstance(waiting, dg.SkipReason)
    assert "failed: the next is launched at" in str(waiting.skip_message)


def ended(seconds_ago: float, run_id: str = "r", *, has_failed: bool = True) -> PastRun:
    return PastRun(run_id, has_failed, NOW - timedelta(seconds=seconds_ago))


def test_runs_about_the_same_updates_follow_one_another_by_how_they_ended() -> None:
    at_work = PastRun("r", has_failed=True, ended_at=None)
    assert launch_or_wait(FACTS, [], now=NOW) == Launch(FACTS)
    assert launch_or_wait(FACTS, [at_work], now=NOW) == "a run about these updates is at work"
    said = "these updates stay as they are: a run has looked at them"
    assert launch_or_wait(FACTS, [ended(1, has_failed=False)], now=NOW) == said
    assert launch_or_wait(FACTS, [ended(9)], now=NOW) == (
        "the last run about these updates failed: the next is launched at 12:00:01"
    )
    assert launch_or_wait(FACTS, [ended(10, "a")], now=NOW) == Launch(f"{FACTS}:after-a")
    twice = [ended(60, "a"), ended(20, "b")]
    assert launch_or_wait(FACTS, twice, now=NOW) == Launch(f"{FACTS}:after-b")
    often = [ended(0)] * 40 + [ended(600, "z")]
    assert launch_or_wait(FACTS, often, now=NOW) == Launch(f"{FACTS}:after-z")


def test_no_run_key_comes_again_when_the_oldest_of_the_runs_that_failed_are_removed() -> None:
    runs: list[PastRun] = []
    keys: list[str] = []
    for number in range(6):
        # Of what failed, the last three are kept.
        decided = launch_or_wait(FACTS, runs[-3:], now=NOW)
        assert isinstance(decided, Launch)
        keys.append(decided.key)
        runs.append(ended(600, f"run-{number}"))
    assert len(set(keys)) == len(keys)
