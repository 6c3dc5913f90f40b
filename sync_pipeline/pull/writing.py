"""Records into their table: sieve → normalise → load, piece by piece, within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection

from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.normalising import Piece, pieces
from sync_pipeline.pull.recall import with_recalled
from sync_pipeline.pull.sieve import sieve
from sync_pipeline.records import Drift, Record, Reject
from sync_pipeline.warehouse.engine import UnstorableError
from sync_pipeline.warehouse.load import Loaded, load, load_pieces
from sync_pipeline.warehouse.runs import RunKey


@dataclass(frozen=True, slots=True)
class WrittenRecords:
    """What some records came to: keys ``sieved`` had the stored row's bytes, ``brought`` not."""

    loaded: Loaded
    brought: list[Record]
    drift: Drift
    sieved: Sequence[str]
    rejects: list[Reject]


def write_records(
    connection: Connection,
    run: RunKey,
    records: list[Record],
    *,
    ahead: Sequence[Piece] | None = None,
    is_full: bool = False,
) -> WrittenRecords:
    """Bring ``records`` into the table; the keys are unique and in order.

    ``ahead`` is what they came to, if that is known already; ``is_full`` loads also what the
    sieve would drop.
    """
    sieved = sieve(connection, run.stream, records, is_full=is_full)
    # Looked up before the first row is on its way: then the session is taken.
    known = with_recalled(connection, run.stream, sieved.known)
    is_all_new = len(sieved.new) == len(records)
    new = ahead if ahead is not None and is_all_new else pieces(run.stream, sieved.new)
    rejects: list[Reject] = []
    drifts: list[Drift] = []
    loaded = load_pieces(
        connection,
        run.stream,
        _rows(new, rejects, drifts),
        _rows(pieces(run.stream, known), rejects, drifts),
        run_id=run.run_id,
    )
    brought = [*sieved.new, *known]
    same: list[str] = []
    if len(brought) < len(records):
        differing = {record.record_id for record in brought}
        same = [r.record_id for r in records if r.record_id not in differing]
    return WrittenRecords(loaded, brought, sum(drifts, Drift()), same, rejects)


def told_apart(
    connection: Connection, run: RunKey, records: list[Record]
) -> tuple[list[Record], list[Reject]]:
    """Tell the records that PostgreSQL takes from those that it refuses, by halving."""
    trial = connection.begin()
    try:
        frame = NORMALISERS[run.stream](with_recalled(connection, run.stream, records)).frame
        load(connection, run.stream, frame, run_id=run.run_id)
    except UnstorableError as exc:
        trial.rollback()
        if len(records) == 1:
            return [], [records[0].rejected("unstorable", str(exc))]
    else:
        trial.rollback()
        return records, []
    middle = len(records) // 2
    sound, refused = told_apart(connection, run, records[:middle])
    more_sound, more_refused = told_apart(connection, run, records[middle:])
    return sound + more_sound, refused + more_refused


def _rows(made: Iterable[Piece], rejects: list[Reject], drifts: list[Drift]) -> Iterator[pa.Table]:
    """Yield the rows of each piece as it is made; add the rest to the lists."""
    for piece in made:
        rejects += piece.rejects
        drifts.append(piece.drift)
        yield piece.rows
