"""Records for the normalisers, and their rows as plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
from pandas.testing import assert_frame_equal

from sync_pipeline.entities import ENTITIES, STREAMS, Entity
from sync_pipeline.normalise import streams
from sync_pipeline.normalise.frame import schema
from sync_pipeline.records import Record

OBSERVED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NORMALISERS = {name: streams.NORMALISERS[stream] for name, stream in STREAMS.items()}
_JSON = frozenset(name for entity in ENTITIES.values() for name in entity.json_columns)
# What every row has beside the columns of its entity and its attributes.
_ALWAYS = ("scope", "raw_hash", "observed_at")


def record(
    detail: str | bytes,
    *,
    record_id: str = "id-1",
    listed: str | bytes = b"",
    scope: str | None = None,
) -> Record:
    """Return a record as a source gives it."""
    as_listed, as_detail = (f.encode() if isinstance(f, str) else f for f in (listed, detail))
    brought_by = record_id if scope is None else scope
    return Record(record_id, brought_by, as_listed, as_detail, b"hash", OBSERVED_AT)


def row_of(
    stream: str, detail: str | bytes, *, record_id: str = "id-1", listed: str = ""
) -> dict[str, object]:
    """Normalise one record; return its columns that are not null, without the key asked for.

    The same for the contact whose list brought it, where the stream has lists of contacts.
    """
    normaliser = NORMALISERS[stream]
    asked = record(detail, record_id=record_id, listed=listed, scope="contact-1")
    normalised = normaliser([asked])
    assert normalised.rejects == []
    (row,) = rows_of(normalised.frame)
    assert row.pop(normaliser.entity.key) == record_id
    scope_column = normaliser.scope_column
    if scope_column is not None and row[scope_column] == "contact-1":
        del row[scope_column]
    return {name: value for name, value in row.items() if name not in _ALWAYS}


def rows_of(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as dictionaries without nulls; JSON decoded, numbers in it as their text."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return [
        {
            name: as_spelled(value) if name in _JSON and isinstance(value, str) else value
            for name, value in row.items()
            if value is not None
        }
        for row in table.to_pylist()
    ]


def assert_frame(stream: str, records: Iterable[Record], *rows: Mapping[str, object]) -> None:
    """Compare the whole frame of ``records``: columns, types, and every value.

    JSON may be given as any spelling of the same; what a row always has may be left out.
    """
    normaliser = NORMALISERS[stream]
    normalised = normaliser(records)
    assert normalised.rejects == []
    always = {"raw_hash": b"hash", "observed_at": OBSERVED_AT}
    expected = frame_of(normaliser.entity, [always | dict(row) for row in rows])
    for name in _JSON.intersection(expected.columns):
        for frame in (normalised.frame, expected):
            frame[name] = frame[name].map(_in_order, na_action="ignore").astype(frame[name].dtype)
    assert_frame_equal(normalised.frame, expected)


def frame_of(entity: Entity, rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return the frame that these rows make, nulls where a row says nothing."""
    wanted = schema(entity)
    complete = [dict.fromkeys(wanted.names) | dict(row) for row in rows]
    table = pa.Table.from_pylist(complete, schema=wanted)
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def as_spelled(text: str) -> object:
    """Decode JSON, each number to its spelling."""
    decoded: object = json.loads(text, parse_float=_Spelled, parse_int=_Spelled)
    return decoded


def _in_order(text: str) -> str:
    decoded = json.loads(text, parse_float=_as_number, parse_int=_as_number)
    return json.dumps(decoded, sort_keys=True)


def _as_number(spelling: str) -> dict[str, str]:
    return {"number": spelling}


class _Spelled(str):
    """A number of JSON by its spelling; equal to the Python number that is written so."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str(self) == (other if isinstance(other, str) else json.dumps(other))

    __hash__ = str.__hash__
