"""Assemble the frame of an entity: its exact columns and types, and what must hold of it.

Grain: one row per record. Beside the entity's columns there are ``scope, attributes, raw_hash,
observed_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

from sync_pipeline.entities import BYTES, INSTANT, JSON, TEXT, Entity, Kind
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.normalise import forms, plain_forms
from sync_pipeline.normalise.drift import Watch
from sync_pipeline.normalise.leftovers import Leftovers, MemberLeftovers, Taken
from sync_pipeline.normalise.opening import open_records
from sync_pipeline.normalise.plain import open_plainly
from sync_pipeline.normalise.plain_leftovers import PlainLeftovers
from sync_pipeline.records import Drift, Record, Reject

# Part of every stored hash. A changed mapping counts by itself: raise it for a change of the code
# (in `forms`, `scalars`, a `derive`) by which a frame of the same bytes comes out different.
NORMALISER_VERSION = 1

_ARROW: dict[type, pa.DataType] = {
    Text: pa.string(),
    JSONB: pa.string(),
    Boolean: pa.bool_(),
    Integer: pa.int32(),
    Date: pa.date32(),
    DateTime: pa.timestamp("us", tz="UTC"),
    LargeBinary: pa.binary(),
}


@dataclass(frozen=True, slots=True)
class Normalised:
    """A frame in canonical form, and the records that broke the contract."""

    frame: pd.DataFrame
    rejects: list[Reject]
    drift: Drift


Columns = dict[str, pd.Series]


def schema(entity: Entity) -> pa.Schema:
    """Return the Arrow schema of the entity's frame."""
    kinds = {"scope": TEXT} | entity.columns
    kinds |= {"attributes": JSON, "raw_hash": BYTES, "observed_at": INSTANT}
    return pa.schema([(name, _arrow_type(kind)) for name, kind in kinds.items()])


def normalise(
    entity: Entity,
    records: Iterable[Record],
    fields: Sequence[Field],
    derive: Callable[[Leftovers], Columns] | None = None,
    *,
    watch: Watch,
) -> Normalised:
    """Decode ``records`` by ``fields`` (and ``derive``, for columns that share a field).

    A record whose own id differs from the one it was asked or listed by is rejected. ``watch``
    looks at the fields meanwhile.
    """
    readable, table, rejects = _read(list(records), fields, derive, watch)
    columns = dict(zip(table.column_names, table.columns, strict=True)) | {
        "scope": pa.array([r.scope for r in readable], pa.string()),
        "raw_hash": pa.array([r.raw_hash for r in readable], pa.binary()),
        "observed_at": pa.array([r.observed_at for r in readable], _ARROW[DateTime]),
    }
    asked = pa.array([record.record_id for record in readable], pa.string())
    # A single answer may leave its id out: then it is the one that was asked for.
    found = pc.coalesce(columns[entity.key], asked)
    typed = _typed(columns | {entity.key: found}, schema(entity), len(readable))
    is_own = pc.equal(found, asked)
    if not pc.all(is_own).as_py():
        foreign = pc.invert(is_own).to_pylist()
        rejects += [_foreign(record) for record in compress(readable, foreign)]
        typed = typed[is_own.to_numpy()].reset_index(drop=True)
    return Normalised(typed, rejects, watch.drift(columns, len(readable)))


def _read(
    records: list[Record],
    fields: Sequence[Field],
    derive: Callable[[Leftovers], Columns] | None,
    watch: Watch,
) -> tuple[list[Record], pa.Table, list[Reject]]:
    """Return the readable records, their columns and `attributes`, the rejects."""
    plain, is_plain = open_plainly(records, fields)
    if plain is None:
        readable, opened, rejects = open_records(records)
        return readable, _columns(MemberLeftovers(opened), fields, derive, watch), rejects
    table = _columns(PlainLeftovers(plain), fields, derive, watch)
    if is_plain.all():
        return records, table, []
    readable, opened, rejects = open_records(compress(records, ~is_plain))
    others = _columns(MemberLeftovers(opened), fields, derive, watch)
    mixed = [*compress(records, is_plain), *readable]
    place = {id(record): place for place, record in enumerate(records)}
    order = np.argsort([place[id(record)] for record in mixed])
    in_order = pa.concat_tables([table, others]).take(order)
    return [mixed[place] for place in order], in_order, rejects


def _columns(
    leftovers: Leftovers,
    fields: Sequence[Field],
    derive: Callable[[Leftovers], Columns] | None,
    watch: Watch,
) -> pa.Table:
    columns: Columns = {}
    for field in fields:
        taken = leftovers.take(field.paths)
        plain = None if taken.words is None else plain_forms.decoded(field, taken.words)
        columns[field.column] = _decode(field, taken, columns) if plain is None else plain
        lost = _unkept(taken, columns[field.column])
        lost = lost if plain is not None else lost | _cut_short(field, taken)
        leftovers.give_back(taken, lost)
        watch.lost(field, taken, lost)
    if derive is not None:
        columns |= derive(leftovers)
    watch.left(leftovers)
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {n: _arrow(c) for n, c in columns.items()}
    return pa.table(arrays | {"attributes": leftovers.attributes()})


def _decode(field: Field, taken: Taken, columns: Columns) -> pd.Series:
    if field.form in forms.OF_RAW:
        return forms.OF_RAW[field.form](taken.raw)
    if field.form in forms.OF_VALUES:
        return forms.OF_VALUES[field.form](taken.decoded)
    if field.form is Form.PHONE:
        return forms.phone(taken.spelled(), columns.get("phone_country"))
    if field.form is Form.KEYWORD:
        return forms.keyword(taken.spelled(), field.keywords or {})
    return forms.OF_TEXT[field.form](taken.spelled())


def _unkept(taken: Taken, decoded: pd.Series) -> set[int]:
    """Return the rows whose value became null."""
    nulls = _arrow(decoded).null_count
    if not nulls or nulls == taken.count_missing():
        return set()
    rows: list[int] = decoded.isna().to_numpy().nonzero()[0].tolist()
    return set(rows)


def _cut_short(field: Field, taken: Taken) -> set[int]:
    """Return the rows whose value says more than its column keeps."""
    # Text columns drop U+0000, which PostgreSQL cannot keep there.
    rows = set() if field.form in forms.OF_RAW else taken.rows_with_nul()
    if field.form in forms.ROWS_BEYOND:
        rows |= forms.ROWS_BEYOND[field.form](taken.decoded)
    return rows


def _typed(columns: dict[str, pa.Array], wanted: pa.Schema, rows: int) -> pd.DataFrame:
    typed = {
        field.name: columns[field.name].cast(field.type)
        if field.name in columns
        else pa.nulls(rows, field.type)
        for field in wanted
    }
    arrays = {name: pd.arrays.ArrowExtensionArray(array) for name, array in typed.items()}
    return pd.DataFrame(arrays, index=pd.RangeIndex(rows), copy=False)


def _arrow(column: pd.Series) -> pa.ChunkedArray:
    return column.array.__arrow_array__()


def _foreign(record: Record) -> Reject:
    reason = "carries another id than the one it was asked for by"
    return record.rejected("foreign_id", reason)


def _arrow_type(kind: Kind) -> pa.DataType:
    return _ARROW[type(kind)]
