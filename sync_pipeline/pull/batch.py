"""One batch of readings into the warehouse: sieve → normalise → load, all or nothing.

Rows, history, rejects, progress and counts are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection

from sync_pipeline.errors import DriftError
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.change import changed_scopes, hints, with_places
from sync_pipeline.pull.drift import FieldWatch
from sync_pipeline.pull.normalising import (
    Batch,
    Piece,
    batch_of,
    collector_paused,
    latest,
    pieces,
)
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.recall import with_recalled
from sync_pipeline.pull.sieve import sieve
from sync_pipeline.records import Drift, Record, Reject
from sync_pipeline.warehouse.absences import forget_absences, has_absences
from sync_pipeline.warehouse.backfills import note_backfilled
from sync_pipeline.warehouse.engine import UnstorableError, in_words
from sync_pipeline.warehouse.load import Loaded, load, load_pieces
from sync_pipeline.warehouse.missed import Missed, ProvenList, note_absences, note_missed
from sync_pipeline.warehouse.progress import (
    Proof,
    Reason,
    hold_scopes,
    record_progress,
)
from sync_pipeline.warehouse.quarantine import quarantine, resolve_quarantine, undiscarded
from sync_pipeline.warehouse.registry import note_access
from sync_pipeline.warehouse.runs import BatchCounts, RunKey, Traffic, count_batch
from sync_pipeline.warehouse.stored import count_rows, holds_any


@dataclass(frozen=True, slots=True)
class _Written:
    """What some records came to: keys ``sieved`` had the stored row's bytes, ``brought`` not."""

    loaded: Loaded
    brought: list[Record]
    drift: Drift
    sieved: Sequence[str]
    rejects: list[Reject]


@dataclass(slots=True)
class Tally:
    """How many rows of the table a run has met by the stream's own list; null when uncertain.

    Of that list alone it is sure that a record comes once: a sweep hands on what is new to it.
    ``was_empty`` says that the table held nothing of the source when the run began.
    """

    rows: int | None = 0
    was_empty: bool = False

    def with_batch(self, batch: Batch, written: _Written) -> int | None:
        """Return how many there are with those of a batch."""
        is_of_list = all(not record.scope for record in batch.records)
        # A rejected record may have a row or not, and an outdated one may be deleted.
        is_kept = not (written.rejects or written.loaded.outdated)
        if self.rows is None or not (is_of_list and is_kept):
            return None
        return self.rows + len(batch.records)


@dataclass(frozen=True, slots=True)
class Loader:
    """Where the batches of one run go; ``is_full`` loads also what the sieve would drop.

    ``fields`` is told of their fields.
    """

    connection: Connection
    run: RunKey
    is_full: bool = False
    fields: FieldWatch = field(default_factory=FieldWatch)
    tally: Tally = field(default_factory=Tally)

    def look_first(self) -> None:
        """Note in the tally whether the table holds anything of the source."""
        with in_words(), self.connection.begin():
            self.tally.was_empty = not holds_any(self.connection, self.run.stream)

    def load_batch(self, batch: Batch, traffic: Traffic) -> BatchCounts:
        """Commit ``batch``; return what it came to. Raises WarehouseError, DriftError."""
        try:
            return self._load_batch(batch, traffic)
        except DriftError:
            with in_words(), self.connection.begin():
                self.fields.tell(self.connection, self.run)
            raise

    def _load_batch(self, batch: Batch, traffic: Traffic) -> BatchCounts:
        with in_words(), collector_paused():
            try:
                with self.connection.begin():
                    counts, met = self._load(batch, traffic)
            except UnstorableError:
                # The normaliser let through what PostgreSQL cannot hold: find the record, keep
                # it aside, and do not let it take the others along.
                self.tally.rows = None
                return self._load_apart(batch.readings, traffic)
            self.tally.rows = met
            return counts

    def _load(self, batch: Batch, traffic: Traffic) -> tuple[BatchCounts, int | None]:
        stream, readings, records = self.run.stream, batch.readings, batch.records
        before = hold_scopes(self.connection, stream, [reading.scope for reading in readings])
        if has_absences(self.connection, stream):
            forget_absences(self.connection, stream, _sighted(readings))
        written = self._write(records, batch.ahead)
        repeats, _ = latest(r for reading in readings for r in reading.repeats)
        again = self._write(repeats)
        elsewhere = [r for reading in readings for r in reading.rejects]
        rejects = [*written.rejects, *elsewhere]
        kept = undiscarded(self.connection, stream, rejects)
        kept_again = undiscarded(self.connection, stream, again.rejects)
        quarantine(self.connection, stream, [*kept, *kept_again])
        resolve_quarantine(self.connection, stream, _sound(records, rejects))
        progress = [reading.progress for reading in readings if reading.is_progress]
        changed = changed_scopes(self.connection, self.run, written.brought, changed_before=before)
        placed = with_places(progress, changed_before=before, changed=changed)
        record_progress(self.connection, stream, placed)
        met = self.tally.with_batch(batch, written)
        lists = _proven_lists(readings)
        note_absences(self.connection, stream, lists, is_whole=self._is_whole(lists, met))
        note_missed(self.connection, stream, _missed(readings))
        note_backfilled(self.connection, [done for r in readings if (done := r.backfilled)])
        access = {r.scope: r.access for r in readings if r.access}
        note_access(self.connection, access, changed=hints(self.run, readings, changed))
        counts = _counts(batch, written, len(kept))
        counts += BatchCounts(ignored=len(rejects) - len(kept))
        self.fields.look(self.connection, self.run, written.drift, unchanged=written.sieved)
        count_batch(self.connection, self.run, counts, traffic)
        return counts, met

    def _is_whole(self, lists: Sequence[ProvenList], met: int | None) -> bool:
        """Tell whether the stream's own list has named every row of the table."""
        if met is None or all(read.scope for read in lists):
            return False
        return self.tally.was_empty or met == count_rows(self.connection, self.run.stream)

    def _write(self, records: list[Record], ahead: Sequence[Piece] | None = None) -> _Written:
        """Bring ``records`` into the table; the keys are unique and in order."""
        stream = self.run.stream
        sieved = sieve(self.connection, stream, records, is_full=self.is_full)
        # Looked up before the first row is on its way: then the session is taken.
        known = with_recalled(self.connection, stream, sieved.known)
        is_all_new = len(sieved.new) == len(records)
        new = ahead if ahead is not None and is_all_new else pieces(stream, sieved.new)
        rejects: list[Reject] = []
        drifts: list[Drift] = []
        loaded = load_pieces(
            self.connection,
            stream,
            _rows(new, rejects, drifts),
            _rows(pieces(stream, known), rejects, drifts),
            run_id=self.run.run_id,
        )
        brought = [*sieved.new, *known]
        same: list[str] = []
        if len(brought) < len(records):
            differing = {record.record_id for record in brought}
            same = [r.record_id for r in records if r.record_id not in differing]
        return _Written(loaded, brought, sum(drifts, Drift()), same, rejects)

    def _load_apart(self, readings: Sequence[Reading], traffic: Traffic) -> BatchCounts:
        if len(readings) > 1:
            middle = len(readings) // 2
            first = self._load_batch(batch_of(self.run.stream, readings[:middle]), traffic)
            rest = batch_of(self.run.stream, readings[middle:])
            return first + self._load_batch(rest, traffic)
        (reading,) = readings
        sound, refused = self._probe(reading.records)
        repeats, _ = self._probe(reading.repeats)
        rejects = [*reading.rejects, *refused]
        apart = replace(reading, records=sound, repeats=repeats, rejects=rejects)
        with self.connection.begin():
            return self._load(batch_of(self.run.stream, [apart]), traffic)[0]

    def _probe(self, records: list[Record]) -> tuple[list[Record], list[Reject]]:
        """Tell the records that PostgreSQL takes from those that it refuses, by halving."""
        trial = self.connection.begin()
        try:
            recalled = with_recalled(self.connection, self.run.stream, records)
            frame = NORMALISERS[self.run.stream](recalled).frame
            load(self.connection, self.run.stream, frame, run_id=self.run.run_id)
        except UnstorableError as exc:
            trial.rollback()
            if len(records) == 1:
                return [], [_refused(records[0], exc)]
        else:
            trial.rollback()
            return records, []
        middle = len(records) // 2
        sound, refused = self._probe(records[:middle])
        more_sound, more_refused = self._probe(records[middle:])
        return sound + more_sound, refused + more_refused


def _rows(made: Iterable[Piece], rejects: list[Reject], drifts: list[Drift]) -> Iterator[pa.Table]:
    """Yield the rows of each piece as it is made; add the rest to the lists."""
    for piece in made:
        rejects += piece.rejects
        drifts.append(piece.drift)
        yield piece.rows


def _counts(batch: Batch, written: _Written, rejected: int) -> BatchCounts:
    readings, loaded = batch.readings, written.loaded
    progress = [r for r in readings if r.is_scope or r.is_progress]
    return BatchCounts(
        inserted=loaded.inserted,
        updated=loaded.updated,
        unchanged=loaded.unchanged + len(written.sieved) + sum(r.unchanged for r in readings),
        duplicate=batch.repeated + sum(r.duplicates for r in readings),
        outdated=loaded.outdated,
        quarantined=rejected,
        ignored=sum(r.ignored for r in readings),
        scopes_read=sum(r.is_scope for r in readings),
        scopes_incomplete=sum(r.proof is Proof.INCOMPLETE for r in progress),
        scopes_denied=sum(r.reason is Reason.DENIED for r in readings),
    )


def _sighted(readings: Sequence[Reading]) -> dict[str, datetime]:
    """Return when each record was last seen, one with a defect as well."""
    seen: list[Record | Reject] = []
    for reading in readings:
        seen += [*reading.records, *reading.repeats, *reading.rejects]
    seen.sort(key=lambda record: record.observed_at)
    return {record.record_id: record.observed_at for record in seen if record.record_id}


def _proven_lists(readings: Sequence[Reading]) -> list[ProvenList]:
    return [
        ProvenList(r.scope, r.read_at, r.seen)
        for r in readings
        if r.seen is not None and r.proof is not Proof.INCOMPLETE
    ]


def _missed(readings: Sequence[Reading]) -> list[Missed]:
    return [Missed(name, r.scope, r.read_at) for r in readings for name in r.missing]


def _sound(records: Sequence[Record], rejects: Sequence[Reject]) -> dict[str, datetime]:
    """Return when each record was read that is sound, changed or not."""
    broken = {reject.record_id for reject in rejects}
    return {r.record_id: r.observed_at for r in records if r.record_id not in broken}


def _refused(record: Record, exc: UnstorableError) -> Reject:
    return record.rejected("unstorable", str(exc))
