"""Make rows of a batch's records, piece by piece: one while the server takes in another.

Where nearly all that comes is new, this is done before the batch's turn to be loaded, and while
another one is: nothing is wasted then by not asking first what the table holds.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from sync_pipeline.entities import Stream
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.reading import Reading
from sync_pipeline.records import Drift, Record, Reject
from sync_pipeline.warehouse.load import rows_of

PIECE_ROWS = 2_500


@dataclass(frozen=True, slots=True)
class Piece:
    """What some records came to."""

    rows: pa.Table
    rejects: list[Reject]
    drift: Drift


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings to load together, and their records: one a key, in order, the latest of each.

    ``ahead`` is what these came to, if that is known already; ``repeated`` were left out.
    """

    readings: Sequence[Reading]
    records: list[Record]
    repeated: int
    ahead: Sequence[Piece] | None = None


def batch_of(stream: Stream, readings: Sequence[Reading], *, is_ahead: bool = False) -> Batch:
    """Return ``readings`` as a batch; normalised already if ``is_ahead``."""
    records, repeated = latest(r for reading in readings for r in reading.records)
    with collector_paused():
        ahead = list(pieces(stream, records)) if is_ahead else None
    return Batch(readings, records, repeated, ahead)


def pieces(stream: Stream, records: Sequence[Record]) -> Iterator[Piece]:
    """Yield what the records come to, as it is asked for."""
    for start in range(0, len(records), PIECE_ROWS):
        normalised = NORMALISERS[stream](records[start : start + PIECE_ROWS])
        rows = rows_of(stream.entity, normalised.frame)
        yield Piece(rows, normalised.rejects, normalised.drift)


def latest(records: Iterable[Record]) -> tuple[list[Record], int]:
    """Return one record per key, in order, the latest reading of it, and how many others."""
    found: dict[str, Record] = {}
    repeated = 0
    for record in records:
        known = found.get(record.record_id)
        repeated += known is not None
        if known is None or record.observed_at >= known.observed_at:
            found[record.record_id] = record
    return [found[name] for name in sorted(found)], repeated


@contextmanager
def collector_paused() -> Iterator[None]:
    """Look for no cycles of garbage meanwhile: a batch makes many objects, and no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
