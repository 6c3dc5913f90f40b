"""A pull from the command line: each stream as Dagster runs, until everything asked for is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from sync_pipeline import console
from sync_pipeline.entities import Stream
from sync_pipeline.operate.ready import Ready
from sync_pipeline.orchestration.dead_runs import settle_dead_runs
from sync_pipeline.orchestration.launch import (
    Asked,
    Launched,
    Launcher,
    new_run_id,
    open_launcher,
)
from sync_pipeline.pull.drift import breaches, policy_of, said_of
from sync_pipeline.warehouse.absences import open_absences
from sync_pipeline.warehouse.drift import field_news
from sync_pipeline.warehouse.engine import in_words, transaction
from sync_pipeline.warehouse.locks import hold_launch
from sync_pipeline.warehouse.runs import RunKey, find_run

_COUNTED = ("inserted", "updated", "unchanged", "duplicate", "outdated", "ignored", "quarantined")
_SHOWN = ("read", *_COUNTED, "deleted")
_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Pulled:
    """What the runs over one stream came to: their rows of `ops.sync_runs`, in order."""

    stream: Stream
    runs: Sequence[Mapping[str, object]]
    error: str | None
    drift: Sequence[str] = ()

    def count(self, name: str) -> int:
        """Return the sum of a count over the runs."""
        return sum(int(str(run[name])) for run in self.runs)

    def is_complete(self) -> bool:
        """Tell whether everything was read and proven."""
        gaps = self.count("scopes_incomplete") + self.count("scopes_denied")
        return bool(self.runs and self.runs[-1]["is_complete"]) and not gaps

    def row(self) -> dict[str, object]:
        """Return the line that a person reads."""
        counts = {name: self.count(f"rows_{name}") for name in _SHOWN}
        outcome = "failed" if self.error else "succeeded"
        return {
            "stream": str(self.stream),
            "outcome": outcome,
            **counts,
            "complete": self.is_complete(),
        }

    def complaints(self) -> list[str]:
        """Return what a person should know, one line each; empty when all is well."""
        if self.error:
            return [f"{self.stream} failed: {self.error}"]
        gaps = {
            "scopes_incomplete": "not proven complete",
            "scopes_denied": "denied to this identity",
            "rows_quarantined": "quarantined (ops.quarantine says why)",
        }
        counted = [
            f"{self.stream}: {said}: {self.count(name):,} {name.partition('_')[0]}"
            for name, said in gaps.items()
            if self.count(name)
        ]
        return [*counted, *self.drift]


def pull_streams(ready: Ready, streams: Sequence[Stream], asked: Asked) -> list[Pulled]:
    """Pull each stream in turn; a stream that fails does not keep the next one from its turn."""
    # Dagster's instance and the runs' own resource read the environment.
    os.environ.update(ready.environ)
    with ready.engine() as engine, open_launcher(ready.settings) as launcher:
        settle_dead_runs(engine, launcher.instance)
        return [
            _pull(ready, engine, launcher, stream, replace(asked, as_of=datetime.now(UTC)))
            for stream in streams
        ]


def _pull(ready: Ready, engine: Engine, launcher: Launcher, stream: Stream, asked: Asked) -> Pulled:
    runs: list[Mapping[str, object]] = []
    if asked.allow_deletes:
        _say_what_may_go(engine, stream)
    while True:
        launched = _run(engine, launcher, stream, asked)
        with transaction(engine) as connection:
            row = find_run(connection, RunKey(launched.run_id, stream))
        runs += [row] if row else []
        # A run ends with its slice of time: another one goes on where it stopped.
        if launched.error or row is None or not _is_cut_short(row):
            return Pulled(stream, runs, launched.error, _drift(ready, engine, stream, runs))


def _drift(
    ready: Ready, engine: Engine, stream: Stream, runs: Sequence[Mapping[str, object]]
) -> list[str]:
    if policy_of(ready.settings, stream) == "keep":
        return []
    run_ids = [str(run["run_id"]) for run in runs]
    with transaction(engine) as connection:
        news = field_news(connection, streams=[stream], run_ids=run_ids)
    return [f"{said_of(one)} (see `sync-pipeline drift`)" for one in breaches(news)]


def _say_what_may_go(engine: Engine, stream: Stream) -> None:
    with transaction(engine) as connection:
        count, examples = open_absences(connection, stream, most=_EXAMPLES)
    if count:
        # Ids say nothing about a person.
        some = ", ".join(examples) + (", …" if count > len(examples) else "")
        console.err.print(
            f"{stream}: {count:,} records may be deleted, if they are gone: {some}", markup=False
        )


def _run(engine: Engine, launcher: Launcher, stream: Stream, asked: Asked) -> Launched:
    run_id = new_run_id()
    with launch_held(engine, run_id), console.progress_of(engine, stream, run_id):
        return launcher.run(stream, asked, run_id=run_id)


@contextmanager
def launch_held(engine: Engine, run_id: str) -> Iterator[None]:
    """Hold the lock by which others see that this command lives, as long as its run takes."""
    with ExitStack() as stack:
        with in_words():
            connection = stack.enter_context(engine.connect())
            # Not back to the pool in the end: the lock is to end with this session.
            connection.detach()
            hold_launch(connection, run_id)
            connection.commit()
        # What fails meanwhile may be another database: Dagster's.
        yield


def _is_cut_short(row: Mapping[str, object]) -> bool:
    read = int(str(row["scopes_read"]))
    return 0 < read < int(str(row["scopes_total"]))
