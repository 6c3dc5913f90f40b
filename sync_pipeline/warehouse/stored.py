"""What the warehouse already holds of some keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from sync_pipeline.entities import TEXT, Stream


def stored_hashes(connection: Connection, stream: Stream, keys: Sequence[str]) -> dict[str, bytes]:
    """Return the raw hash of each current row among ``keys``, by key."""
    table = stream.entity.table
    key = table.c[stream.entity.key]
    wanted = bindparam("keys", list(keys), type_=ARRAY(TEXT))
    query = (
        select(key, table.c.raw_hash)
        .where(table.c.source == stream.source)
        .where(key == func.any(wanted))
        .where(table.c.raw_hash.is_not(None))
    )
    return {str(row[0]): bytes(row[1]) for row in connection.execute(query)}


def count_rows(connection: Connection, stream: Stream) -> int:
    """Return how many rows of the source its table holds."""
    table = stream.entity.table
    query = select(func.count()).select_from(table).where(table.c.source == stream.source)
    return int(connection.execute(query).scalar_one())


def preview(connection: Connection, stream: Stream, *, most: int = 5) -> list[tuple[object, ...]]:
    """Return a few rows of the columns that never hold a person's data."""
    table = stream.entity.table
    columns = [table.c[name] for name in stream.entity.presentable]
    rows = connection.execute(select(*columns).where(table.c.source == stream.source).limit(most))
    return [tuple(row) for row in rows]
