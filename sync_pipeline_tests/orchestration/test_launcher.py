"""Runs as the daemon launches them: in processes of their own, which can be ended or can die."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster import DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus
from sqlalchemy import Engine

from sync_pipeline.orchestration.launcher import PROCESS_TAG
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.pull_vendors import TENANTS, Vendors
from sync_pipeline_tests.scripted_server import Scripted
from sync_pipeline_tests.waiting import eventually

LAUNCHER = {"module": "sync_pipeline.orchestration.launcher", "class": "WarmRunLauncher"}
KEY = dg.AssetKey(["rosaas", "tenants"])


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Yield an instance that launches runs as ours does."""
    # The fork server lives as long as this process: longer than the folder of its tests.
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    overrides = {"run_launcher": LAUNCHER}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        yield instance


def launched(instance: dg.DagsterInstance) -> str:
    repository = ReconstructableRepository.for_module("sync_pipeline.definitions", "defs")
    job = repository.get_reconstructable_job("pull_job")
    run = instance.create_run_for_job(
        job.get_definition().get_subset(asset_selection={KEY}),
        asset_selection=frozenset({KEY}),
        job_code_origin=job.get_python_origin(),
        status=DagsterRunStatus.STARTING,
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def begun(instance: dg.DagsterInstance, vendors: Vendors) -> dg.DagsterRun:
    """Return a run that waits for an answer of its vendor."""
    vendors.server.script("GET", TENANTS, Scripted(200, b"{}", delay_s=120))
    run_id = launched(instance)
    eventually(lambda: vendors.asked(TENANTS) == 1)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is DagsterRunStatus.STARTED
    return run


def process_of(run: dg.DagsterRun) -> psutil.Process:
    return psutil.Process(int(run.tags[PROCESS_TAG].partition("@")[0]))


def test_a_run_is_carried_out_in_a_process_of_its_own(
    instance: dg.DagsterInstance, engine: Engine, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"})
    run_id = launched(instance)
    eventually(lambda: status(instance, run_id) is DagsterRunStatus.SUCCESS)
    assert rows(engine, "SELECT tenant_name, run_id FROM warehouse.tenants") == [("acme", run_id)]


def test_a_run_that_is_terminated_ends_as_cancelled(
    instance: dg.DagsterInstance, vendors: Vendors
) -> None:
    run = begun(instance, vendors)
    assert instance.run_launcher.terminate(run.run_id)
    eventually(lambda: status(instance, run.run_id) is DagsterRunStatus.CANCELED)
    assert not instance.run_launcher.terminate(run.run_id)


def test_a_process_that_was_killed_is_told_from_one_that_works(
    instance: dg.DagsterInstance, vendors: Vendors
) -> None:
    run = begun(instance, vendors)

    def health() -> WorkerStatus:
        return instance.run_launcher.check_run_worker_health(run).status

    assert health() is WorkerStatus.RUNNING
    process_of(run).kill()
    eventually(lambda: health() is WorkerStatus.FAILED)


def test_a_run_that_was_not_launched_here_is_left_alone(instance: dg.DagsterInstance) -> None:
    with_none = dg.DagsterRun("pull_job", run_id="r", status=DagsterRunStatus.STARTED)
    checked = instance.run_launcher.check_run_worker_health(with_none)
    assert checked.status is WorkerStatus.RUNNING
