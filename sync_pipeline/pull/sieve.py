"""Drop what is unchanged, by the hash of its bytes, before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.records import Record
from sync_pipeline.warehouse.stored import stored_hashes


def changed_records(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> list[Record]:
    """Return the records whose (key, hash of bytes) is not that of the stored row.

    One that has a detail beside its list form stays: it was read because more than the bytes of
    the list may have changed, and the hash is of these alone.
    """
    stored = stored_hashes(connection, stream, [record.record_id for record in records])
    return [
        record
        for record in records
        if (record.listed and record.detail) or stored.get(record.record_id) != record.raw_hash
    ]
