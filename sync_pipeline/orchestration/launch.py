"""Runs launched from the command line: in this process, recorded in the Dagster instance."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster import DagsterInstance
from dagster._core.instance import InstanceRef
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import DBAPIError

from sync_pipeline.entities import Stream
from sync_pipeline.errors import WarehouseError
from sync_pipeline.orchestration.assets import asset_key
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.schedules import run_config, run_tags
from sync_pipeline.pull.backfill_windows import Window
from sync_pipeline.settings import Settings

# What such a run prints is for the terminal. Captured, it would also go through helper processes,
# which Ctrl-C hits as well.
_UNCAPTURED = {
    "compute_logs": {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
QUIET: dict[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of a pull: what was not read since ``as_of`` (default: now)."""

    as_of: datetime | None = None
    is_full: bool = False
    only: tuple[str, ...] = ()
    allow_deletes: bool = False
    span: Window | None = None

    def options(self) -> dict[str, object]:
        """Return the configuration of a run that does so."""
        span = self.span or Window()
        return {
            "as_of": _written(self.as_of),
            "is_full": self.is_full,
            "only": [*self.only],
            "allow_deletes": self.allow_deletes,
            "since": _written(span.since),
            "until": _written(span.until),
        }


@dataclass(frozen=True, slots=True)
class Launched:
    """A finished run; ``error`` in words when it failed."""

    run_id: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Launcher:
    """Runs streams one after the other; what they share is put together once."""

    instance: DagsterInstance
    job: dg.JobDefinition

    def run(self, stream: Stream, asked: Asked, *, run_id: str) -> Launched:
        """Run ``pull_job`` over one stream and wait for it."""
        result = self.job.execute_in_process(
            instance=self.instance,
            run_id=run_id,
            asset_selection=[asset_key(stream)],
            run_config=QUIET | run_config(stream, **asked.options()),
            tags=run_tags(stream, "pull"),
            raise_on_error=False,
        )
        return Launched(run_id, None if result.success else error_of(result))


def new_run_id() -> str:
    """Return an id for a run, to watch it by while it runs."""
    return str(uuid.uuid4())


@contextmanager
def open_instance() -> Iterator[DagsterInstance]:
    """Yield the Dagster instance; raise WarehouseError when its storage is away."""
    # It logs each of its attempts to reach its storage.
    logging.getLogger().setLevel(logging.CRITICAL)
    try:
        ref = InstanceRef.from_dir(os.environ["DAGSTER_HOME"], overrides=_UNCAPTURED)
        with DagsterInstance.from_ref(ref) as instance:
            yield instance
    except (DagsterPostgresException, DBAPIError) as exc:
        raise WarehouseError(
            "Dagster's storage cannot be reached, or the connection broke (is PostgreSQL running "
            "where WAREHOUSE_URL or DAGSTER_PG_URL says?)"
        ) from exc


@contextmanager
def open_launcher(settings: Settings) -> Iterator[Launcher]:
    """Yield what runs streams; raise WarehouseError when Dagster's storage is away."""
    with open_instance() as instance:
        yield Launcher(instance, build_definitions(settings).resolve_job_def("pull_job"))


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def error_of(result: dg.ExecuteInProcessResult) -> str:
    """Return why a run in this process failed, in words."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data is not None:
                return failure.user_failure_data.description or "failed"
            if failure.error is not None:
                if failure.error.cls_name == "DagsterExecutionInterruptedError":
                    # Dagster keeps Ctrl-C to itself, but it was meant for the whole command.
                    raise KeyboardInterrupt
                return f"unexpected {failure.error.cls_name} (see the run {result.run_id})"
    return f"the run {result.run_id} did not get to its step"
