"""Drop what is unchanged, by the hash of its bytes, before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.records import Record
from sync_pipeline.warehouse.stored import outpaced, standing_of


@dataclass(frozen=True, slots=True)
class Sieved:
    """The records that are to be loaded.

    Of ``new`` the table holds no row, and no later proof of the scope is known; they are in the
    order of their keys.
    """

    new: list[Record]
    known: list[Record]


def sieve(
    connection: Connection, stream: Stream, records: Sequence[Record], *, is_full: bool = False
) -> Sieved:
    """Drop each record whose (key, hash of bytes) is that of the stored row; keep all if is_full.

    One that has a detail beside its list form stays: it was read because more than the bytes of
    the list may have changed, and the hash is of these alone. Keys are unique.
    """
    ordered = sorted(records, key=lambda record: record.record_id)
    keys = [record.record_id for record in ordered]
    hashes = [] if is_full else [record.raw_hash for record in ordered]
    standing = standing_of(connection, stream, keys, hashes)
    missing = [ordered[place] for place in standing.missing]
    held = outpaced(
        connection, stream, [r.scope for r in missing], [r.observed_at for r in missing]
    )
    new = [record for place, record in enumerate(missing) if place not in held]
    known = [missing[place] for place in sorted(held)]
    known += [ordered[place] for place in standing.differing]
    if not is_full:
        settled = {r.record_id for r in missing} | {r.record_id for r in known}
        known += [r for r in ordered if r.listed and r.detail and r.record_id not in settled]
    return Sieved(new, known)


def changed_records(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> list[Record]:
    """Return the records that `sieve` keeps."""
    sieved = sieve(connection, stream, records)
    return [*sieved.new, *sieved.known]
