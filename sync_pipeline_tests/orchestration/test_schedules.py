"""What a tick decides, from facts in the database and in Dagster's instance."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from sqlalchemy import Engine

from sync_pipeline.entities import ROSAAS_TENANTS, STREAMS, Stream
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse import locks
from sync_pipeline_tests.pull_vendors import Vendors

pytestmark = pytest.mark.usefixtures("vendors")

TAGS = {
    "sync/source": "rosaas",
    "sync/entity": "tenants",
    "sync/cause": "schedule",
    "sync/lane": "bulk",
}


def tick(stream: Stream, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """Let the stream's schedule decide once."""
    definitions = build_definitions(read_settings(environment()))
    schedule = definitions.resolve_schedule_def(f"{stream.source}_{stream.entity.name}_schedule")
    with dg.build_schedule_context(
        instance=instance,
        resources={"pipeline": Pipeline()},
        repository_def=definitions.get_repository_def(),
    ) as context:
        decision = schedule(context)
    assert isinstance(decision, dg.RunRequest | dg.SkipReason)
    return decision


def said(decision: dg.RunRequest | dg.SkipReason) -> str | None:
    assert isinstance(decision, dg.SkipReason), decision
    return decision.skip_message


@pytest.mark.parametrize("name", STREAMS)
def test_a_tick_asks_for_a_run_over_its_stream_alone(
    name: str, instance: dg.DagsterInstance
) -> None:
    stream = STREAMS[name]
    request = tick(stream, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.asset_selection == [dg.AssetKey(name.split("/"))]
    assert {k: v for k, v in request.tags.items() if k.startswith("sync/")} == TAGS | {
        "sync/source": stream.source,
        "sync/entity": stream.entity.name,
    }
    assert request.run_config == {
        "ops": {name.replace("/", "__"): {"config": {"is_due_only": True}}}
    }
    # A key that was used once would never be launched again.
    assert request.run_key is None


def test_the_request_is_one_that_the_job_takes(instance: dg.DagsterInstance) -> None:
    request = tick(ROSAAS_TENANTS, instance)
    assert isinstance(request, dg.RunRequest)
    job = build_definitions(read_settings(environment())).resolve_job_def("pull_job")
    result = job.execute_in_process(
        instance=instance,
        asset_selection=list(request.asset_selection or ()),
        run_config=dict(request.run_config),
        tags=dict(request.tags),
    )
    assert result.success


def test_a_source_that_is_off_is_skipped_with_its_variable(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROSAAS_BASE_URL")
    assert said(tick(ROSAAS_TENANTS, instance)) == "rosaas/tenants is off: set ROSAAS_BASE_URL"


def test_a_stream_that_is_being_read_is_skipped(
    instance: dg.DagsterInstance, engine: Engine, vendors: Vendors
) -> None:
    assert vendors.asked("/") == 0
    with engine.connect() as connection:
        connection.detach()
        assert locks.try_lock(connection, ROSAAS_TENANTS)
        decision = tick(ROSAAS_TENANTS, instance)
        assert said(decision) == "rosaas/tenants is being read by a run at this moment"
        others = tick(STREAMS["crmcom/contacts"], instance)
        assert isinstance(others, dg.RunRequest)
    assert isinstance(tick(ROSAAS_TENANTS, instance), dg.RunRequest)


@pytest.mark.parametrize(
    "status",
    [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING],
)
def test_a_stream_whose_earlier_run_waits_is_skipped(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    origin = RemoteJobOrigin(repository, "pull_job")
    instance.add_run(
        dg.DagsterRun(job_name="pull_job", status=status, tags=TAGS, remote_job_origin=origin)
    )
    decision = tick(ROSAAS_TENANTS, instance)
    assert said(decision) == "an earlier run over rosaas/tenants still waits for its turn"
    assert isinstance(tick(STREAMS["crmcom/contacts"], instance), dg.RunRequest)


def test_a_tick_closes_a_run_whose_command_died(
    instance: dg.DagsterInstance, engine: Engine
) -> None:
    dead, alive = (
        instance.add_run(
            dg.DagsterRun(
                job_name="pull_job",
                status=dg.DagsterRunStatus.STARTED,
                tags=TAGS | {"sync/cause": "pull"},
            )
        ).run_id
        for _ in range(2)
    )
    with engine.connect() as connection:
        locks.hold_launch(connection, alive)
        tick(ROSAAS_TENANTS, instance)
    found = {run.run_id: run.status for run in instance.get_runs()}
    assert found == {dead: dg.DagsterRunStatus.FAILURE, alive: dg.DagsterRunStatus.STARTED}
