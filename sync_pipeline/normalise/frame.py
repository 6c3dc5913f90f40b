"""Assemble the frame of an entity: its exact columns and types, and what must hold of it.

Grain: one row per record. Beside the entity's columns there are ``scope, attributes, raw_hash,
observed_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary

from sync_pipeline.entities import BYTES, INSTANT, JSON, TEXT, Entity
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.normalise import forms
from sync_pipeline.normalise.leftovers import Leftovers, Taken
from sync_pipeline.normalise.opening import Members, open_records
from sync_pipeline.records import Record, Reject

# Part of every stored hash: raise it when a frame of the same bytes would come out different.
NORMALISER_VERSION = 1

_ARROW = {Boolean: pa.bool_(), Integer: pa.int32(), Date: pa.date32(), LargeBinary: pa.binary()}


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
    bare = pd.Series(dtype=forms.STRING, index=range(len(readable)))
    frame = pd.DataFrame({name: columns.get(name, bare) for name in entity.columns})
    frame["scope"] = pd.Series([r.scope for r in readable], dtype=forms.STRING)
    frame["attributes"] = pd.Series(attributes, dtype=forms.STRING)
    frame["raw_hash"] = pd.Series([r.raw_hash for r in readable], dtype=forms.BYTES)
    frame["observed_at"] = pd.Series([r.observed_at for r in readable], dtype=forms.INSTANT)
    typed = _typed(frame, schema(entity))
    # A single answer may leave its id out: then it is the one that was asked for.
    typed[entity.key] = typed[entity.key].fillna(_ids(readable))
    foreign = typed[entity.key] != _ids(readable)
    rejects += [_foreign(readable[row]) for row in typed.index[foreign]]
    return Normalised(typed[~foreign].reset_index(drop=True), rejects)


def _columns(
    opened: list[Members],
    fields: Sequence[Field],
    derive: Callable[[Leftovers], Columns] | None,
) -> tuple[Columns, list[str]]:
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
        return forms.phone(taken.spelled(), columns["phone_country"])
    if field.form is Form.KEYWORD:
        return forms.keyword(taken.spelled(), field.keywords or {})
    return forms.OF_TEXT[field.form](taken.spelled())


def _lost(field: Field, taken: Taken, decoded: pd.Series) -> set[int]:
    lost = {row for row, is_null in enumerate(decoded.isna().tolist()) if is_null}
    if field.form not in forms.OF_RAW:
        # Text columns drop U+0000, which PostgreSQL cannot keep there.
        lost |= taken.rows_with_nul()
    if field.form is Form.DAY_PARTS:
        lost |= forms.rows_beyond_day_parts(taken.decoded())
    return lost


def _typed(frame: pd.DataFrame, wanted: pa.Schema) -> pd.DataFrame:
    table = pa.Table.from_pandas(frame[wanted.names], schema=wanted, preserve_index=False)
    typed: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return typed


def _ids(records: Sequence[Record]) -> pd.Series:
    return pd.Series([record.record_id for record in records], dtype=forms.STRING)


def _foreign(record: Record) -> Reject:
    reason = "carries another id than the one it was asked for by"
    return Reject(record.record_id, record.payload, "foreign_id", reason, record.observed_at)


def _arrow_type(kind: object) -> pa.DataType:
    if isinstance(kind, DateTime):
        return pa.timestamp("us", tz="UTC")
    return _ARROW.get(type(kind), pa.string())
