"""The record of each run (`ops.sync_runs`): begun, counted batch by batch, finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.progress import Reason
from sync_pipeline.warehouse.statements import named, statement


@dataclass(frozen=True, slots=True)
class RunKey:
    """What names a row of `ops.sync_runs`."""

    run_id: str
    stream: Stream

    def parameters(self) -> dict[str, object]:
        """Return the key as statement parameters."""
        return named(self.stream) | {"run_id": self.run_id}


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Rows and scopes of one batch."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    outdated: int = 0
    quarantined: int = 0
    ignored: int = 0
    scopes_read: int = 0
    scopes_incomplete: int = 0
    scopes_denied: int = 0

    def __add__(self, other: BatchCounts) -> BatchCounts:
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return BatchCounts(**sums)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a source client has sent and received so far in a run."""

    requests: int = 0
    retries: int = 0
    bytes_read: int = 0


def abandon_runs(connection: Connection, stream: Stream) -> list[str]:
    """Close the runs of the stream that died; return their ids."""
    parameters = named(stream) | {"stream": str(stream)}
    return list(connection.execute(statement("abandon_runs"), parameters).scalars())


def abandoned_among(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Return which of the runs have died."""
    found = connection.execute(statement("abandoned_among"), {"run_ids": list(run_ids)})
    return list(found.scalars())


def begin_run(connection: Connection, key: RunKey, *, cause: str) -> None:
    """Open the run's row."""
    connection.execute(statement("begin_run"), key.parameters() | {"cause": cause})


def plan_run(connection: Connection, key: RunKey, *, scopes_total: int) -> None:
    """Store how many scopes the run set out to read."""
    connection.execute(statement("plan_run"), key.parameters() | {"scopes_total": scopes_total})


def count_batch(connection: Connection, key: RunKey, counts: BatchCounts, traffic: Traffic) -> None:
    """Add a batch to the run, in the batch's own transaction."""
    connection.execute(
        statement("count_batch"), key.parameters() | asdict(counts) | asdict(traffic)
    )


def note_deferred(connection: Connection, key: RunKey, deferred: Mapping[Reason, int]) -> None:
    """Count in what the API would not give earlier and was not asked for again."""
    counts = {
        "denied": deferred.get(Reason.DENIED, 0),
        "incomplete": deferred.get(Reason.NOT_FOUND, 0),
    }
    connection.execute(statement("note_deferred"), key.parameters() | counts)


def finish_run(
    connection: Connection,
    key: RunKey,
    traffic: Traffic,
    *,
    is_complete: bool,
    error: str | None = None,
) -> None:
    """Close the run: succeeded, or failed with ``error`` (in words, without a person's data)."""
    outcome = "failed" if error else "succeeded"
    ending = {"outcome": outcome, "is_complete": is_complete, "error": error}
    connection.execute(statement("finish_run"), key.parameters() | asdict(traffic) | ending)


def find_run(connection: Connection, key: RunKey) -> Mapping[str, object] | None:
    """Return the run's row by column name, if there is one."""
    row = connection.execute(statement("read_run"), key.parameters()).mappings().one_or_none()
    return None if row is None else dict(row)
