"""The rows of a warehouse and of the sandbox's world in one form, to be compared as wholes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sync_pipeline.entities import DAY, INSTANT, JSON, Entity, Kind
from sync_pipeline_tests.system.installation import Installation

Row = dict[str, object]


def carried_columns(entity: Entity) -> dict[str, Kind]:
    """Return every business column of the entity, and `attributes`, by the facts of the product."""
    return {"source": INSTANT.__class__()} | entity.columns | {"attributes": JSON}


def selection(entity: Entity) -> str:
    """Return the query for what a table holds of the rows that are not deleted."""
    columns = carried_columns(entity)
    selected = ", ".join(f"{n}::text" if kind is JSON else n for n, kind in columns.items())
    return f"SELECT {selected} FROM warehouse.{entity.name} WHERE deleted_at IS NULL"


def found_rows(entity: Entity, rows: Iterable[Sequence[object]]) -> list[Row]:
    """Return what `selection` found, by key; JSON as text with sorted keys."""
    columns = carried_columns(entity)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in named:
        for name, kind in columns.items():
            if kind is JSON and row[name] is not None:
                row[name] = _json_text(json.loads(str(row[name])))
    return _by_key(entity, named)


def true_rows(entity: Entity, rows: list[Row]) -> list[Row]:
    """Return the sandbox's rows of an entity, by key, typed by its columns."""
    columns = carried_columns(entity)
    for row in rows:
        assert set(row) == set(columns), "the world and the table have the same columns"
        for name, kind in columns.items():
            row[name] = _typed(row[name], kind)
    return _by_key(entity, rows)


def warehouse_rows(installation: Installation, entity: Entity) -> list[Row]:
    """Return the entity's current rows, by key; JSON as text with sorted keys."""
    return found_rows(entity, installation.ask(selection(entity)))


def world_rows(
    installation: Installation,
    entity: Entity,
    *,
    source: str | None = None,
    crmcom_version: str = "v1",
) -> list[Row]:
    """Return what the warehouse should hold: the sandbox's world, typed by the entity's columns."""
    rows = installation.world(entity.name, source=source, crmcom_version=crmcom_version)
    return true_rows(entity, rows)


def differing_keys(
    found: Iterable[Row], true: Iterable[Row], entity: Entity
) -> set[tuple[str, str]]:
    """Return the keys (source, id) of the rows that are not the same on both sides."""

    def keyed(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
        return {(str(row["source"]), str(row[entity.key])): row for row in rows}

    mine, theirs = keyed(found), keyed(true)
    return {key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)}


def differences(found: list[Row], true: list[Row], entity: Entity) -> list[tuple[Row, Row]]:
    """Return the pairs of rows that are not equal; the keys must be."""
    key = ("source", entity.key)
    assert [[row[k] for k in key] for row in found] == [[row[k] for k in key] for row in true]
    return [(one, other) for one, other in zip(found, true, strict=True) if one != other]


def _by_key(entity: Entity, rows: list[Row]) -> list[Row]:
    """Return the rows in the order of their keys."""
    return sorted(rows, key=lambda row: (str(row["source"]), str(row[entity.key])))


def _typed(value: object, kind: Kind) -> object:
    if value is None:
        return None
    if kind is JSON:
        return _json_text(value)
    if kind is INSTANT:
        return datetime.fromisoformat(str(value))
    return date.fromisoformat(str(value)) if kind is DAY else value


def _json_text(value: object) -> str:
    # As text, for Python takes 1, 1.0 and True for the same.
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def personal_values(installation: Installation) -> set[str]:
    """Return what must never be seen outside the warehouse's tables."""
    of_contacts = ("first_name", "middle_name", "last_name", "company_name", "email", "phone")
    found = {row[name] for row in installation.world("contacts") for name in of_contacts}
    for row in installation.world("communications"):
        found |= {row["subject"], row["content"]}
    return {str(value) for value in found if value and str(value).strip()}
