"""What the readings of a batch tell when they are put together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync_pipeline.pull.normalising import Batch
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.writing import WrittenRecords
from sync_pipeline.records import Record, Reject
from sync_pipeline.warehouse.missed import Missed, ProvenList
from sync_pipeline.warehouse.progress import Proof, Reason
from sync_pipeline.warehouse.runs import BatchCounts


def counts_of(
    batch: Batch, written: WrittenRecords, *, quarantined: int, ignored: int
) -> BatchCounts:
    """Return what was read and what each row counts as; ``ignored`` are discarded rejects."""
    readings, loaded = batch.readings, written.loaded
    progress = [r for r in readings if r.is_scope or r.is_progress]
    return BatchCounts(
        inserted=loaded.inserted,
        updated=loaded.updated,
        unchanged=loaded.unchanged + len(written.sieved) + sum(r.unchanged for r in readings),
        duplicate=batch.repeated + sum(r.duplicates for r in readings),
        outdated=loaded.outdated,
        quarantined=quarantined,
        ignored=ignored + sum(r.ignored for r in readings),
        scopes_read=sum(r.is_scope for r in readings),
        scopes_incomplete=sum(r.proof is Proof.INCOMPLETE for r in progress),
        scopes_denied=sum(r.reason is Reason.DENIED for r in readings),
    )


def sighted(readings: Sequence[Reading]) -> dict[str, datetime]:
    """Return when each record was last seen, one with a defect as well."""
    seen: list[Record | Reject] = []
    for reading in readings:
        seen += [*reading.records, *reading.repeats, *reading.rejects]
    seen.sort(key=lambda record: record.observed_at)
    return {record.record_id: record.observed_at for record in seen if record.record_id}


def proven_lists(readings: Sequence[Reading]) -> list[ProvenList]:
    """Return the lists that were read to their proven end, with the keys that they hold."""
    return [
        ProvenList(r.scope, r.read_at, r.seen)
        for r in readings
        if r.seen is not None and r.proof is not Proof.INCOMPLETE
    ]


def missed(readings: Sequence[Reading]) -> list[Missed]:
    """Return what was named and is not there, with the time of its reading."""
    return [Missed(name, r.scope, r.read_at) for r in readings for name in r.missing]


def sound(records: Sequence[Record], rejects: Sequence[Reject]) -> dict[str, datetime]:
    """Return when each record was read that is sound, changed or not."""
    broken = {reject.record_id for reject in rejects}
    return {r.record_id: r.observed_at for r in records if r.record_id not in broken}
