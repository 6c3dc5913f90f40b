"""The open rows of `ops.quarantine` for the person who settles them.

What a batch does with that table is in `warehouse.quarantine`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import NotInQuarantineError
from sync_pipeline.records import Reject
from sync_pipeline.warehouse.statements import named, statement


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which open rows are meant: these ids, these streams, or all; of one code or of any."""

    ids: Sequence[int] = ()
    streams: Sequence[Stream] = ()
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An open row, without its bytes."""

    id: int
    stream: Stream
    scope: str | None
    record_id: str | None
    code: str
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What has become of some rows: how they were settled, or what is wrong with them still.

    ``rejected`` gives, by the row's id, the reason for which its record was rejected since then.
    """

    settled: Mapping[int, str]
    rejected: Mapping[int, str]


def list_open(
    connection: Connection, chosen: Chosen, *, most: int | None
) -> tuple[list[Kept], int]:
    """Return open rows by id, at most ``most``, and how many there are in all."""
    parameters = {
        "ids": list(chosen.ids) or None,
        "streams": [str(stream) for stream in chosen.streams] or None,
        "code": chosen.code,
        "most": most,
    }
    rows = connection.execute(statement("list_quarantined"), parameters).all()
    kept = [
        Kept(
            row.id,
            STREAMS[row.stream],
            row.scope,
            row.record_id,
            row.code,
            row.reason,
            row.first_seen_at,
            row.last_seen_at,
        )
        for row in rows
    ]
    return kept, rows[0].matching if rows else 0


def find_row(connection: Connection, row_id: int) -> Mapping[str, object] | None:
    """Return one row by column name with its bytes, open or settled."""
    rows = connection.execute(statement("show_quarantined"), {"id": row_id}).mappings()
    row = rows.one_or_none()
    return None if row is None else dict(row)


def find_rejects(connection: Connection, ids: Sequence[int]) -> dict[int, Reject]:
    """Return what was rejected, with its bytes, by the row's id."""
    rows = connection.execute(statement("rejected_bytes"), {"ids": list(ids)})
    return {
        row.id: Reject(
            row.record_id,
            row.payload_raw,
            row.error_code,
            row.reason,
            row.observed_at,
            row.scope or "",
        )
        for row in rows
    }


def standing_of(
    connection: Connection, stream: Stream, ids: Sequence[int], *, since: datetime
) -> Standing:
    """Return what readings since then have made of these rows of the stream.

    A row is rejected still when its record is: another defect of it is none the better.
    """
    parameters = named(stream) | {"ids": list(ids), "since": since}
    rows = connection.execute(statement("standing_of_quarantined"), parameters).all()
    return Standing(
        {row.id: row.resolution for row in rows if row.resolution is not None},
        {row.id: row.reason for row in rows if row.resolution is None and row.reason is not None},
    )


def discard(connection: Connection, ids: Sequence[int], *, reason: str) -> None:
    """Settle open rows for good: `undiscarded` passes over the same bytes from then on.

    Raises NotInQuarantineError when one of them is not open; then the caller rolls back.
    """
    require_open(ids, settle(connection, ids, f"discarded: {reason}"))


def require_open(ids: Sequence[int], found: set[int]) -> None:
    """Raise NotInQuarantineError for the first of ``ids`` that is not among those found open."""
    missing = sorted(set(ids) - found)
    if missing:
        raise NotInQuarantineError(f"no open row of the quarantine has the id {missing[0]}")


def settle(connection: Connection, ids: Sequence[int], resolution: str) -> set[int]:
    """Settle those of the rows that are open; return their ids."""
    parameters = {"ids": list(ids), "resolution": resolution}
    return set(connection.execute(statement("settle_quarantined"), parameters).scalars())
