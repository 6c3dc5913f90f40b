"""What a warehouse holds after it all, without what says only when and by which run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, Table, column, func, select, table, text

from sync_pipeline.entities import Entity, Stream

_BUSINESS = ("attributes", "content_hash", "cause")
_COUNTED = ("rows_inserted", "rows_updated", "rows_deleted")
_RUNS = table("sync_runs", *map(column, ("source", "entity", *_COUNTED)), schema="ops")
_BESIDE = {
    "quarantine": text(
        "SELECT record_id, error_code, reason, encode(payload_raw, 'hex'), resolved_at IS NULL, "
        "resolution FROM ops.quarantine WHERE source = :source AND entity = :entity ORDER BY id"
    ),
    "absences": text(
        "SELECT record_id, scope FROM ops.absences WHERE source = :source AND entity = :entity"
    ),
    "open backfills": text(
        "SELECT origin, windows FROM ops.backfills WHERE source = :source AND entity = :entity"
    ),
    "proofs": text(
        "SELECT scope, proof, reason FROM ops.watermarks "
        "WHERE source = :source AND entity = :entity"
    ),
}
Rows = Counter[str]


@dataclass(frozen=True, slots=True)
class Picture:
    """One stream's rows, its versions in their order, its sums, and what is kept beside them."""

    rows: Rows
    history: Rows
    sums: tuple[int, int, int]
    beside: Mapping[str, Rows]

    def differences(self, other: Picture) -> list[str]:
        """Say in which respects the other one is different; no row is quoted."""
        pairs = {"rows": (self.rows, other.rows), "history": (self.history, other.history)}
        pairs |= {name: (self.beside[name], other.beside[name]) for name in self.beside}
        found = [
            f"{name}: {(mine - theirs).total()} missing, {(theirs - mine).total()} too many"
            for name, (mine, theirs) in pairs.items()
            if mine != theirs
        ]
        if self.sums != other.sums:
            found.append(f"inserted, updated, deleted: {other.sums} instead of {self.sums}")
        return found


def picture_of(connection: Connection, stream: Stream) -> Picture:
    """Look at one stream's part of the warehouse."""
    named = {"source": stream.source, "entity": stream.entity.name}
    inserted, updated, deleted = connection.execute(_sums(stream)).one()
    return Picture(
        rows=Counter(_current(connection, stream)),
        history=Counter(_chains(connection, stream)),
        sums=(inserted, updated, deleted),
        beside={
            name: Counter(map(repr, connection.execute(query, named)))
            for name, query in _BESIDE.items()
        },
    )


def split_of(connection: Connection, stream: Stream) -> str | None:
    """Say in what the rows and the counts of a stream differ; they are committed together."""
    entity = stream.entity
    counts = [
        select(func.count()).where(held.c.source == stream.source).scalar_subquery()
        for held in (entity.table, entity.history)
    ]
    # In one statement: another session may commit between two.
    looked = connection.execute(select(*counts, _sums(stream).subquery())).one()
    rows, versions, inserted, updated, deleted = (int(value) for value in looked)
    if (rows, versions) == (inserted, updated + deleted):
        return None
    return (
        f"{rows} rows and {versions} superseded versions, but {inserted} inserted, "
        f"{updated} updated and {deleted} deleted are counted"
    )


def _sums(stream: Stream) -> Select[int, int, int]:
    return (
        select(*[func.coalesce(func.sum(_RUNS.c[name]), 0).label(name) for name in _COUNTED])
        .where(_RUNS.c.source == stream.source)
        .where(_RUNS.c.entity == stream.entity.name)
    )


def _current(connection: Connection, stream: Stream) -> Iterator[str]:
    current = stream.entity.table
    query = select(*_columns(stream.entity, current)).where(current.c.source == stream.source)
    yield from map(repr, connection.execute(query))


def _chains(connection: Connection, stream: Stream) -> Iterator[str]:
    """Yield each record's superseded versions in order, and whether each begins where one ended."""
    past = stream.entity.history
    key = past.c[stream.entity.key]
    query = (
        select(key, past.c.valid_from, past.c.valid_to, *_columns(stream.entity, past))
        .where(past.c.source == stream.source)
        .order_by(key, past.c.valid_from)
    )
    current = stream.entity.table
    begun = dict(
        connection.execute(
            select(current.c[stream.entity.key], current.c.observed_at).where(
                current.c.source == stream.source
            )
        ).all()
    )
    chains: dict[str, list[tuple[object, ...]]] = {}
    for row in connection.execute(query):
        chains.setdefault(row[0], []).append(tuple(row))
    for name, versions in chains.items():
        ends = [version[2] for version in versions]
        begins = [version[1] for version in versions[1:]] + [begun.get(name)]
        yield repr((name, ends == begins, [version[3:] for version in versions]))


def _columns(entity: Entity, of: Table) -> list[ColumnElement[object]]:
    named = [of.c[name] for name in (*entity.columns, *_BUSINESS)]
    return [*named, of.c.deleted_at.is_not(None)]
