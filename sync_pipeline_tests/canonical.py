"""Records for the normalisers, and their rows as plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from sync_pipeline.entities import Entity
from sync_pipeline.normalise.communications import normalise_communications
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.normalise.frame import Normalised, schema
from sync_pipeline.normalise.tenants import normalise_tenants
from sync_pipeline.records import Record

OBSERVED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NORMALISERS: dict[str, Callable[[Iterable[Record]], Normalised]] = {
    "contacts": normalise_contacts,
    "communications": normalise_communications,
    "tenants": normalise_tenants,
}
KEYS = {
    "contacts": "contact_id",
    "communications": "communication_id",
    "tenants": "tenant_name",
}
_JSON = ("attributes", "metadata", "specifications")
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
    entity: str, detail: str | bytes, *, record_id: str = "id-1", listed: str = ""
) -> dict[str, object]:
    """Normalise one record; return its columns that are not null, without the key asked for.

    The same for the contact whose list brought a communication.
    """
    asked = record(detail, record_id=record_id, listed=listed, scope="contact-1")
    normalised = NORMALISERS[entity]([asked])
    assert normalised.rejects == []
    (row,) = rows_of(normalised.frame)
    assert row.pop(KEYS[entity]) == record_id
    if entity == "communications" and row["contact_id"] == "contact-1":
        del row["contact_id"]
    return {name: value for name, value in row.items() if name not in _ALWAYS}


def rows_of(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as dictionaries without nulls; JSON decoded, numbers in it as their text."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return [
        {
            name: as_spelled(value)
            if name in ("attributes", "metadata", "specifications")
            else value
            for name, value in row.items()
            if value is not None
        }
        for row in table.to_pylist()
    ]


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


class _Spelled(str):
    """A number of JSON by its spelling; equal to the Python number that is written so."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str(self) == (other if isinstance(other, str) else json.dumps(other))

    __hash__ = str.__hash__
