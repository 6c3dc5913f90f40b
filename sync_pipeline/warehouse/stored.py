"""What the warehouse already holds of some keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    column,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from sync_pipeline.entities import BYTES, TEXT, Entity, Stream
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.upsert import WATERMARKS

HASH_BYTES = 16
# In the place of the hash of a record that has none: no row holds it.
_NO_HASH = bytes(HASH_BYTES)


@dataclass(frozen=True, slots=True)
class Compared:
    """Of a list of keys, the places of those that the table lacks, and of those with other bytes.

    What is at neither place is stored with the very bytes.
    """

    missing: list[int]
    differing: list[int]


def standing_of(
    connection: Connection, stream: Stream, keys: Sequence[str], hashes: Sequence[bytes | None] = ()
) -> Compared:
    """Compare ``keys``, and the raw hashes that go with them, with the current rows.

    Without hashes every stored row differs.
    """
    if not keys:
        return Compared([], [])
    # Arrays of the driver's are made element by element; these two in one go.
    asked = {
        "source": stream.source,
        "keys": msgspec.json.encode(keys).decode(),
        "hashes": b"".join(hashed or _NO_HASH for hashed in hashes),
    }
    row = connection.execute(_comparison(stream.entity), asked).one()
    return Compared(row.missing or [], row.differing or [])


def outpaced(
    connection: Connection, stream: Stream, scopes: Sequence[str], read_at: Sequence[datetime]
) -> set[int]:
    """Return the places of those of which a later reading than theirs has proven the scope."""
    if not scopes:
        return set()
    wanted = func.json_array_elements_text(cast(bindparam("scopes", type_=String), JSON))
    query = (
        select(WATERMARKS.c.scope, WATERMARKS.c.proven_at)
        .where(WATERMARKS.c.source == stream.source)
        .where(WATERMARKS.c.entity == stream.entity.name)
        .where(WATERMARKS.c.scope.in_(select(wanted)))
        .where(WATERMARKS.c.proven_at > min(read_at))
    )
    named = {"scopes": msgspec.json.encode(list(set(scopes))).decode()}
    proven = dict(connection.execute(query, named).all())
    if not proven:
        return set()
    return {
        place
        for place, (scope, at) in enumerate(zip(scopes, read_at, strict=True))
        if proven.get(scope, at) > at
    }


def owner_of(engine: Engine, stream: Stream, key: str) -> str | None:
    """Return the contact that a stored record hangs under; None where it is not known."""
    table, name = stream.entity.table, stream.entity.key
    asked = select(table.c.contact_id).where(table.c.source == stream.source, table.c[name] == key)
    with transaction(engine) as connection:
        owner: str | None = connection.execute(asked).scalar_one_or_none()
    return owner


@cache
def _comparison(entity: Entity) -> Select[Sequence[int], Sequence[int]]:
    table = entity.table
    key = table.c[entity.key]
    keys = cast(bindparam("keys", type_=String), JSON)
    asked = (
        func.json_array_elements_text(keys)
        .table_valued(column("key", TEXT), with_ordinality="number", name="asked")
        .render_derived()
    )
    place = cast(asked.c.number - 1, Integer)
    hashed = func.substring(
        bindparam("hashes", type_=BYTES), place * HASH_BYTES + 1, HASH_BYTES, type_=BYTES
    )
    found = asked.outerjoin(
        table, and_(table.c.source == bindparam("source", type_=TEXT), key == asked.c.key)
    )
    return select(
        func.array_agg(place).filter(key.is_(None)).label("missing"),
        func.array_agg(place)
        .filter(key.is_not(None), table.c.raw_hash.is_distinct_from(hashed))
        .label("differing"),
    ).select_from(found)


def written_at(
    connection: Connection, stream: Stream, keys: Sequence[str], *, run_id: str
) -> dict[str, datetime]:
    """Return, of the keys whose current version the run wrote, when that was observed."""
    if not keys:
        return {}
    table = stream.entity.table
    key = table.c[stream.entity.key]
    query = (
        select(key, table.c.observed_at)
        .where(table.c.source == stream.source)
        .where(key == func.any(bindparam("keys", list(keys), type_=ARRAY(TEXT))))
        .where(table.c.run_id == run_id)
    )
    return dict(connection.execute(query).all())


def holds_any(connection: Connection, stream: Stream) -> bool:
    """Tell whether the table holds a row of the source, deleted or not."""
    table = stream.entity.table
    query = select(exists().where(table.c.source == stream.source))
    return bool(connection.execute(query).scalar_one())


def count_rows(connection: Connection, stream: Stream) -> int:
    """Return how many rows of the source its table holds that are not deleted."""
    table = stream.entity.table
    query = (
        select(func.count())
        .select_from(table)
        .where(table.c.source == stream.source, table.c.deleted_at.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def preview(connection: Connection, stream: Stream, *, most: int = 5) -> list[tuple[object, ...]]:
    """Return a few rows of the columns that never hold a person's data."""
    table = stream.entity.table
    columns = [table.c[name] for name in stream.entity.presentable]
    query = select(*columns).where(table.c.source == stream.source, table.c.deleted_at.is_(None))
    rows = connection.execute(query.limit(most))
    return [tuple(row) for row in rows]
