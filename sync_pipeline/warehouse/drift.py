"""What is known of the sources' fields (`ops.fields`): names and types, counted, never a value.

What of it is news, and what follows from that, is decided in `pull.drift`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from sync_pipeline.entities import TEXT, Stream
from sync_pipeline.records import FieldKind, Sighting
from sync_pipeline.warehouse.runs import RunKey
from sync_pipeline.warehouse.statements import named, statement

Sightings = Mapping[tuple[FieldKind, str], Sighting]


@dataclass(frozen=True, slots=True)
class FieldNews:
    """One field that differs, as it is shown."""

    stream: str
    field: str
    kind: FieldKind
    example_type: str | None
    rows: int
    first_seen_at: datetime
    last_seen_at: datetime


def remembered(connection: Connection, stream: Stream) -> dict[FieldKind, set[str]]:
    """Return the stream's usual and new fields."""
    fields: dict[FieldKind, set[str]] = {FieldKind.USUAL: set(), FieldKind.NEW: set()}
    for field, kind in connection.execute(statement("remembered_fields"), named(stream)):
        fields[FieldKind(kind)].add(field)
    return fields


def note_fields(connection: Connection, run: RunKey, sightings: Sightings) -> None:
    """Add to the counts; in one order everywhere, so that no two batches wait in a circle."""
    if not sightings:
        return
    noted = sorted(sightings.items())
    connection.execute(
        statement("note_fields"),
        run.parameters()
        | {
            "fields": [name for (_, name), _ in noted],
            "kinds": [kind.value for (kind, _), _ in noted],
            "rows_seen": [sighting.rows for _, sighting in noted],
            "example_types": [sighting.example_type for _, sighting in noted],
        },
    )


def forget_usual(connection: Connection, stream: Stream, fields: Collection[str]) -> None:
    """Take back that these are in nearly all records."""
    if fields:
        parameters = named(stream) | {"fields": sorted(fields)}
        connection.execute(statement("forget_usual_fields"), parameters)


def filled_among(
    connection: Connection, stream: Stream, keys: Sequence[str], columns: Sequence[str]
) -> set[str]:
    """Return those of ``columns`` that any stored row with one of ``keys`` has a value in."""
    if not keys or not columns:
        return set()
    table = stream.entity.table
    query = (
        select(*[func.bool_or(table.c[name].is_not(None)).label(name) for name in columns])
        .where(table.c.source == stream.source)
        .where(table.c[stream.entity.key] == func.any(bindparam("keys", type_=ARRAY(TEXT))))
    )
    row = connection.execute(query, {"keys": list(keys)}).mappings().one()
    return {name for name in columns if row[name]}


def field_news(
    connection: Connection,
    *,
    streams: Sequence[Stream] = (),
    run_ids: Sequence[str] | None = None,
) -> list[FieldNews]:
    """Return the fields that differ: of these streams or all, seen last by these runs or any."""
    parameters = {
        "streams": [str(stream) for stream in streams] or None,
        "run_ids": None if run_ids is None else list(run_ids),
    }
    rows = connection.execute(statement("list_fields"), parameters).mappings()
    return [FieldNews(**row | {"kind": FieldKind(row["kind"])}) for row in map(dict, rows)]
