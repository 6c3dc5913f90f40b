"""The two hashes of a row: of its bytes as received, and of its canonical content.

The first only saves work; the second decides what is a change. Both are 128 bits of xxh3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import xxhash

from sync_pipeline.entities import Entity

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _spelling(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


# A float would make different numbers the same: they keep their spelling.
_SPELLED = msgspec.json.Decoder(float_hook=_spelling)
_SPELLED_OBJECT = msgspec.json.Decoder(dict[str, object], float_hook=_spelling)
_SORTED = msgspec.json.Encoder(order="sorted")
_COLON, _MINUS, _BRACE = b":-{"
_PACKED = msgspec.msgpack.Encoder()
_FEWEST_FIELDS = 16


def raw_hash(raw: bytes, *, context: str, version: int) -> bytes:
    """Return the hash of a record's bytes in their context.

    ``context`` holds whatever else shapes the row (endpoint, parent); ``version`` is the
    normaliser's, so that a new one sees every record again.
    """
    return xxhash.xxh3_128_digest(_salt(context, version) + raw)


def raw_hashes(raws: Iterable[bytes], *, context: str, version: int) -> list[bytes]:
    """Return the `raw_hash` of each of many records."""
    salt = _salt(context, version)
    return [xxhash.xxh3_128_digest(salt + raw) for raw in raws]


def content_hashes(entity: Entity, frame: pd.DataFrame) -> list[bytes]:
    """Return one hash per row of ``frame`` over its columns and attributes.

    The order of keys in JSON, its blanks and escapes, and the entity's volatile fields do not
    count; the spelling of a number does.
    """
    if frame.empty:
        return []
    columns = {name: _values(frame[name]) for name in [*entity.columns, "attributes"]}
    columns = {name: values for name, values in columns.items() if values}
    for name in columns.keys() & set(entity.json_columns):
        left_out = entity.volatile if name == "attributes" else frozenset[str]()
        columns[name] = (
            _canonical_attributes(columns[name], left_out)
            if name == "attributes"
            else [_canonical(value, left_out) for value in columns[name]]
        )
    rows = map(_row_type(entity.name, tuple(columns)), *columns.values())
    return [xxhash.xxh3_128_digest(_PACKED.encode(row)) for row in rows]


@cache
def _salt(context: str, version: int) -> bytes:
    return msgspec.msgpack.encode((version, context))


@cache
def _row_type(entity: str, names: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return what a row is encoded as: by the names of its values, without the nulls.

    So a column that is added later makes no change of rows that lack it.
    """
    # Of a type with fewer fields, other bytes come first: a row would depend on its neighbours.
    padding = [f"_{number}" for number in range(_FEWEST_FIELDS - len(names))]
    fields = [(name, object, None) for name in [*names, *padding]]
    return msgspec.defstruct(entity, fields, omit_defaults=True)


def _values(column: pd.Series) -> Sequence[object]:
    """Return the values of a column, none at all where every one is null."""
    array: pa.ChunkedArray = column.array.__arrow_array__()
    if array.null_count == len(array):
        return []
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    elif pa.types.is_date(array.type):
        array = array.cast(pa.int32())
    values: list[object] = array.to_pylist()
    return values


def _canonical_attributes(
    values: Sequence[object], left_out: frozenset[str]
) -> Sequence[bytes | None]:
    """Return the `_canonical` form of each, which most often is the text as it is."""
    texts = [value.encode() if isinstance(value, str) else b"" for value in values]
    names = [b'"%b":' % name.encode() for name in left_out]
    if _are_plain(texts, names):
        return texts
    return [
        text if text and _is_plain(text, names) else _canonical(value, left_out)
        for text, value in zip(texts, values, strict=True)
    ]


def _is_plain(text: bytes, left_out: Sequence[bytes]) -> bool:
    """Tell whether there is nothing to change in these attributes.

    Their members are in order already. What else there is to change stands in an object, in an
    array or behind a backslash; or it is a number that is spelled ``-0``.
    """
    return not (
        b"\\" in text
        or b"[" in text
        or b"{" in text[1:]
        or b":-0" in text
        or any(name in text for name in left_out)
    )


def _are_plain(texts: Sequence[bytes], left_out: Sequence[bytes]) -> bool:
    """Tell whether `_is_plain` certainly holds for all of ``texts``, by a look over all at once."""
    joined = b"".join(texts)
    if not all(texts) or b"\\" in joined or b"[" in joined:
        return False
    characters = np.frombuffer(joined, np.uint8)
    is_negative = (characters[:-1] == _COLON) & (characters[1:] == _MINUS)
    return (
        np.count_nonzero(characters == _BRACE) == len(texts)
        and not is_negative.any()
        and not any(name in joined for name in left_out)
    )


def _canonical(text: object, left_out: frozenset[str]) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        if not left_out:
            return _SORTED.encode(_SPELLED.decode(text))
        members = _SPELLED_OBJECT.decode(text)
        for name in left_out:
            members.pop(name, None)
        return _SORTED.encode(members)
    except msgspec.ValidationError:
        # A whole number of thousands of digits.
        return _canonical_by_member(text, left_out)


def _canonical_by_member(text: str, left_out: frozenset[str]) -> bytes:
    try:
        members = _OBJECT.decode(text)
    except msgspec.ValidationError:
        return text.encode()
    kept = {name: _sorted(raw) for name, raw in members.items() if name not in left_out}
    return _SORTED.encode(kept)


def _sorted(raw: msgspec.Raw) -> msgspec.Raw:
    try:
        return msgspec.Raw(_SORTED.encode(_SPELLED.decode(raw)))
    except msgspec.ValidationError:
        # Then its bytes are what there is to compare.
        return raw
