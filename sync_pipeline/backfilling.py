"""A backfill from the command line: launched, followed to its end, told as a pull is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance
from sqlalchemy import Engine

from sync_pipeline import console
from sync_pipeline.errors import SettingsError, SetupError
from sync_pipeline.operate.ready import Ready
from sync_pipeline.orchestration.backfill_launch import (
    Days,
    begin_backfill_here,
    is_daemon_running,
    request_backfill,
    run_backfill_here,
    state_of,
)
from sync_pipeline.orchestration.dead_runs import settle_dead_runs
from sync_pipeline.orchestration.launch import new_run_id, open_instance
from sync_pipeline.pull.backfill_windows import Backfill, windows_of
from sync_pipeline.pulling import Pulled, launch_held
from sync_pipeline.warehouse.backfills import unfinished_backfill
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.runs import RunKey, find_run

_LOOK_EVERY_S = 1.0
_UNSHOWN = ("duplicate", "outdated", "deleted")


@dataclass(frozen=True, slots=True)
class Backfilled:
    """How a backfill ended."""

    backfill_id: str
    asked: Days
    pulled: Pulled

    def row(self) -> dict[str, object]:
        """Return all that is to be told of it."""
        days = {"backfill": self.backfill_id, "days": len(self.asked.days)}
        return {"stream": str(self.asked.stream), **days} | self.pulled.row()

    def line(self) -> dict[str, object]:
        """Return what a person reads of that."""
        return {name: value for name, value in self.row().items() if name not in _UNSHOWN}


def backfill_days(ready: Ready, asked: Days) -> Backfilled:
    """Read days of a stream again; go on with a backfill of the same days that did not end well."""
    missing = ready.settings.missing_for(asked.stream.source, asked.stream.entity.name)
    if missing:
        raise SettingsError(f"{asked.stream} is off: set {missing} to read it")
    # Dagster's instance and the runs' own resource read the environment.
    os.environ.update(ready.environ)
    with ready.engine() as engine, open_instance() as instance:
        settle_dead_runs(engine, instance)
        asked = _gone_on_with(engine, asked, ready)
        if is_daemon_running(instance, ready.home):
            return _followed(ready, engine, instance, asked)
        return _run_here(ready, engine, instance, asked)


def _gone_on_with(engine: Engine, asked: Days, ready: Ready) -> Days:
    words = Backfill(windows_of(asked.days)).words
    since = datetime.now(UTC) - timedelta(hours=ready.settings.staleness_bound_hours)
    with transaction(engine) as connection:
        found = unfinished_backfill(connection, asked.stream, words, since=since)
    if found is None:
        return asked
    console.err.print(
        f"going on with backfill {found.origin}, which has read {found.contacts:,} contacts",
        markup=False,
    )
    return Days(asked.stream, asked.first, asked.last, found.origin)


def _followed(ready: Ready, engine: Engine, instance: DagsterInstance, asked: Days) -> Backfilled:
    backfill_id = request_backfill(instance, asked, ready.settings)
    page = f"http://127.0.0.1:{ready.settings.ui_port}/runs/b/{backfill_id}"
    console.err.print(f"backfill {backfill_id} is the daemon's: {page}", markup=False)
    shown: set[str] = set()
    while not (state := state_of(instance, backfill_id)).is_over:
        for run_id, is_over in state.runs:
            if run_id not in shown and not is_over:
                shown.add(run_id)
                with console.progress_of(engine, asked.stream, run_id):
                    _await_run(instance, backfill_id, run_id)
        if not is_daemon_running(instance, ready.home):
            raise SetupError(f"the stack has ended: backfill {backfill_id} goes on when it is up")
        time.sleep(_LOOK_EVERY_S)
    rows = [row for run_id, _ in state.runs if (row := _row(engine, asked, run_id))]
    error = None if state.is_well else _error(rows)
    return Backfilled(backfill_id, asked, Pulled(asked.stream, rows, error))


def _await_run(instance: DagsterInstance, backfill_id: str, run_id: str) -> None:
    while (run_id, False) in state_of(instance, backfill_id).runs:
        time.sleep(_LOOK_EVERY_S)


def _run_here(ready: Ready, engine: Engine, instance: DagsterInstance, asked: Days) -> Backfilled:
    run_id = new_run_id()
    backfill_id = begin_backfill_here(instance, asked, ready.settings)
    with launch_held(engine, run_id), console.progress_of(engine, asked.stream, run_id):
        launched = run_backfill_here(
            instance, backfill_id, asked, settings=ready.settings, run_id=run_id
        )
    rows = [row] if (row := _row(engine, asked, run_id)) else []
    return Backfilled(backfill_id, asked, Pulled(asked.stream, rows, launched.error))


def _row(engine: Engine, asked: Days, run_id: str) -> Mapping[str, object] | None:
    with transaction(engine) as connection:
        return find_run(connection, RunKey(run_id, asked.stream))


def _error(rows: list[Mapping[str, object]]) -> str:
    said = [str(row["error"]) for row in rows if row["error"]]
    return said[-1] if said else "cancelled, or its runs did not get to their work (see the UI)"
