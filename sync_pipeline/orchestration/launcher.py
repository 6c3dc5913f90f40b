"""`WarmRunLauncher`: the process of a run is a fork of one that has imported everything already.

A process that starts from nothing takes seconds of CPU for its imports before it does anything for
its run. Every process that opens the Dagster instance imports this module: it is to stay light.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from typing import Self

import psutil
from dagster import DagsterInstance, DagsterRun
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, serialize_value
from dagster._serdes.config_class import ConfigurableClassData

PROCESS_TAG = "sync/process"
_IMPORTED = ("dagster._cli.api", "dagster_postgres", "sync_pipeline.definitions")


class WarmRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Launches runs on this machine; the first one waits for the imports."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([*_IMPORTED])
        super().__init__()  # type: ignore[no-untyped-call] # as its own is typed

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What `dagster.yaml` says."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, object]:
        """Nothing can be set."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData,
        config_value: Mapping[str, object],  # noqa: ARG003 -- Dagster's signature
    ) -> Self:
        """Make one for an instance."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the process of a run, and note which it is."""
        run = context.dagster_run
        origin = run.job_code_origin
        assert origin is not None  # noqa: S101 -- the code location gives it to each run
        asked = ExecuteRunArgs(origin, run.run_id, self._instance.get_ref())
        # Ended with whoever launched it, as the processes of a code location are.
        process = self._processes.Process(
            target=carry_out, args=(serialize_value(asked), dict(os.environ)), daemon=True
        )
        process.start()
        assert process.pid is not None  # noqa: S101 -- it was started
        self._instance.add_run_tags(run.run_id, {PROCESS_TAG: _written(process.pid)})

    def terminate(self, run_id: str) -> bool:
        """Have a run end at its next step; return whether there was a process to be told."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        process = _process_of(run)
        if process is None:
            self._instance.report_engine_event("its process has ended", run)
            return False
        process.send_signal(signal.SIGTERM)
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon may ask for a run's process."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether a run's process is alive; of one that was not launched here, it is."""
        if PROCESS_TAG not in run.tags or _process_of(run) is not None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process ended without a word")


def carry_out(asked: str, environ: Mapping[str, str]) -> None:
    """Do in a process of its own what `dagster api execute_run` does."""
    # The process that was forked may be older than what its launcher has in there.
    os.environ.clear()
    os.environ.update(environ)
    from dagster._cli.api import execute_run_command  # noqa: PLC0415 -- not for every process

    execute_run_command.main([asked], standalone_mode=False)


def _written(pid: int) -> str:
    """Return what tells a process from a later one of the same number."""
    try:
        return f"{pid}@{psutil.Process(pid).create_time()}"
    except psutil.NoSuchProcess:
        return f"{pid}@ended"


def _process_of(run: DagsterRun) -> psutil.Process | None:
    noted = run.tags.get(PROCESS_TAG, "")
    pid = noted.partition("@")[0]
    try:
        process = psutil.Process(int(pid))
        is_same = _written(process.pid) == noted
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except (ValueError, psutil.NoSuchProcess):
        return None
