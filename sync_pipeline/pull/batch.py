"""One batch of readings into the warehouse, all or nothing.

Rows, history, rejects, progress and counts are one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.errors import DriftError
from sync_pipeline.pull.change import changed_scopes, hints, with_places
from sync_pipeline.pull.drift import FieldWatch
from sync_pipeline.pull.gathered import counts_of, missed, proven_lists, sighted, sound
from sync_pipeline.pull.normalising import Batch, Piece, batch_of, collector_paused, latest
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.writing import WrittenRecords, told_apart, write_records
from sync_pipeline.records import Record, Reject
from sync_pipeline.warehouse.absences import forget_absences, has_absences
from sync_pipeline.warehouse.backfills import note_backfilled
from sync_pipeline.warehouse.engine import UnstorableError, in_words
from sync_pipeline.warehouse.missed import ProvenList, note_absences, note_missed
from sync_pipeline.warehouse.progress import hold_scopes, record_progress
from sync_pipeline.warehouse.quarantine import quarantine, resolve_quarantine, undiscarded
from sync_pipeline.warehouse.registry import note_access
from sync_pipeline.warehouse.runs import BatchCounts, RunKey, Traffic, count_batch
from sync_pipeline.warehouse.stored import count_rows, holds_any


@dataclass(slots=True)
class Tally:
    """How many rows of the table a run has met by the stream's own list; null when uncertain.

    Of that list alone it is sure that a record comes once: a sweep hands on what is new to it.
    ``was_empty`` says that the table held nothing of the source when the run began.
    """

    rows: int | None = 0
    was_empty: bool = False

    def with_batch(self, batch: Batch, written: WrittenRecords) -> int | None:
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
        readings = batch.readings
        changed_before = self._hold(readings)
        written = self._write(batch.records, batch.ahead)
        repeats, _ = latest(repeat for reading in readings for repeat in reading.repeats)
        again = self._write(repeats)
        rejects = [*written.rejects, *(one for reading in readings for one in reading.rejects)]
        kept = self._keep_aside(batch.records, rejects, of_repeats=again.rejects)
        changed = self._note_progress(readings, written.brought, changed_before)
        met = self.tally.with_batch(batch, written)
        self._note_lists(readings, met)
        self._note_access(readings, changed)
        self.fields.look(self.connection, self.run, written.drift, unchanged=written.sieved)
        counts = counts_of(batch, written, quarantined=kept, ignored=len(rejects) - kept)
        count_batch(self.connection, self.run, counts, traffic)
        return counts, met

    def _hold(self, readings: Sequence[Reading]) -> Mapping[str, datetime]:
        """Keep other batches off; return when each scope that was read before changed."""
        connection, stream = self.connection, self.run.stream
        changed_before = hold_scopes(connection, stream, [reading.scope for reading in readings])
        if has_absences(connection, stream):
            forget_absences(connection, stream, sighted(readings))
        return changed_before

    def _write(self, records: list[Record], ahead: Sequence[Piece] | None = None) -> WrittenRecords:
        return write_records(self.connection, self.run, records, ahead=ahead, is_full=self.is_full)

    def _keep_aside(
        self,
        records: Sequence[Record],
        rejects: Sequence[Reject],
        *,
        of_repeats: Sequence[Reject],
    ) -> int:
        """Quarantine what breaks the contract, settle what is sound; return how many were kept."""
        connection, stream = self.connection, self.run.stream
        kept = undiscarded(connection, stream, rejects)
        kept_of_repeats = undiscarded(connection, stream, of_repeats)
        quarantine(connection, stream, [*kept, *kept_of_repeats])
        resolve_quarantine(connection, stream, sound(records, rejects))
        return len(kept)

    def _note_progress(
        self,
        readings: Sequence[Reading],
        brought: Sequence[Record],
        changed_before: Mapping[str, datetime],
    ) -> set[str]:
        """Record what each reading proves; return the scopes that changed."""
        changed = changed_scopes(self.connection, self.run, brought, changed_before=changed_before)
        progress = [reading.progress for reading in readings if reading.is_progress]
        placed = with_places(progress, changed_before=changed_before, changed=changed)
        record_progress(self.connection, self.run.stream, placed)
        return changed

    def _note_lists(self, readings: Sequence[Reading], met: int | None) -> None:
        connection, stream = self.connection, self.run.stream
        lists = proven_lists(readings)
        note_absences(connection, stream, lists, is_whole=self._is_whole(lists, met))
        note_missed(connection, stream, missed(readings))
        note_backfilled(connection, [done for r in readings if (done := r.backfilled)])

    def _is_whole(self, lists: Sequence[ProvenList], met: int | None) -> bool:
        """Tell whether the stream's own list has named every row of the table."""
        if met is None or all(read.scope for read in lists):
            return False
        return self.tally.was_empty or met == count_rows(self.connection, self.run.stream)

    def _note_access(self, readings: Sequence[Reading], changed: Collection[str]) -> None:
        access = {reading.scope: reading.access for reading in readings if reading.access}
        note_access(self.connection, access, changed=hints(self.run, readings, changed))

    def _load_apart(self, readings: Sequence[Reading], traffic: Traffic) -> BatchCounts:
        if len(readings) > 1:
            middle = len(readings) // 2
            first = self._load_batch(batch_of(self.run.stream, readings[:middle]), traffic)
            rest = batch_of(self.run.stream, readings[middle:])
            return first + self._load_batch(rest, traffic)
        (reading,) = readings
        sound_ones, refused = told_apart(self.connection, self.run, reading.records)
        repeats, _ = told_apart(self.connection, self.run, reading.repeats)
        rejects = [*reading.rejects, *refused]
        apart = replace(reading, records=sound_ones, repeats=repeats, rejects=rejects)
        with self.connection.begin():
            return self._load(batch_of(self.run.stream, [apart]), traffic)[0]
