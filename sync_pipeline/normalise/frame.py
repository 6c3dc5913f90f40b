"""Assemble the frame of an entity: its exact columns and types, and what must hold of it.

Grain: one row per record. Beside the entity's columns there are ``scope, attributes, raw_hash,
observed_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

from sync_pipeline.entities import BYTES, INSTANT, JSON, TEXT, Entity, Kind
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.normalise import forms
from sync_pipeline.normalise.leftovers import Leftovers, Taken
from sync_pipeline.normalise.opening import Members, open_records
from sync_pipeline.records import Record, Reject

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
) -> Normalised:
    """Decode ``records`` by ``fields`` (and ``derive``, for columns that share a field).

    A record whose own id differs from the one it was asked or listed by is rejected.
    """
    readable, opened, rejects = open_records(records)
    columns, attributes = _columns(opened, fields, derive)
    columns |= {
        "scope": forms.column([r.scope for r in readable], forms.STRING),
        "attributes": forms.column(attributes, forms.STRING),
        "raw_hash": forms.column([r.raw_hash for r in readable], forms.BYTES),
        "observed_at": forms.column([r.observed_at for r in readable], forms.INSTANT),
    }
    asked = forms.column([record.record_id for record in readable], forms.STRING)
    # A single answer may leave its id out: then it is the one that was asked for.
    found = columns[entity.key]
    if _arrow(found).null_count:
        found = found.fillna(asked)
    typed = _typed(columns | {entity.key: found}, schema(entity), len(readable))
    is_own = pc.equal(_arrow(found), _arrow(asked))
    if not pc.all(is_own).as_py():
        foreign = pc.invert(is_own).to_pylist()
        rejects += [_foreign(record) for record in compress(readable, foreign)]
        typed = typed[is_own.to_numpy()].reset_index(drop=True)
    return Normalised(typed, rejects)


def _columns(
    opened: list[Members],
    fields: Sequence[Field],
    derive: Callable[[Leftovers], Columns] | None,
) -> tuple[Columns, list[bytes]]:
    leftovers = Leftovers(opened)
    columns: Columns = {}
    for field in fields:
        taken = leftovers.take(field.paths)
        columns[field.column] = _decode(field, taken, columns)
        leftovers.give_back(taken, _lost(field, taken, columns[field.column]))
    if derive is not None:
        columns |= derive(leftovers)
    return columns, leftovers.attributes()


def _decode(field: Field, taken: Taken, columns: Columns) -> pd.Series:
    if field.form in forms.OF_RAW:
        return forms.OF_RAW[field.form](taken.raw)
    if field.form in forms.OF_VALUES:
        return forms.OF_VALUES[field.form](taken.decoded())
    if field.form is Form.PHONE:
        return forms.phone(taken.spelled(), columns.get("phone_country"))
    if field.form is Form.KEYWORD:
        return forms.keyword(taken.spelled(), field.keywords or {})
    return forms.OF_TEXT[field.form](taken.spelled())


def _lost(field: Field, taken: Taken, decoded: pd.Series) -> set[int]:
    lost: set[int] = set()
    nulls = _arrow(decoded).null_count
    if nulls and nulls > taken.count_missing():
        lost |= set(decoded.isna().to_numpy().nonzero()[0].tolist())
    if field.form not in forms.OF_RAW:
        # Text columns drop U+0000, which PostgreSQL cannot keep there.
        lost |= taken.rows_with_nul()
    if field.form in forms.ROWS_BEYOND:
        lost |= forms.ROWS_BEYOND[field.form](taken.decoded())
    return lost


def _typed(columns: Columns, wanted: pa.Schema, rows: int) -> pd.DataFrame:
    typed = {
        field.name: _arrow(columns[field.name]).cast(field.type)
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
