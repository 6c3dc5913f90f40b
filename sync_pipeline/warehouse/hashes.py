"""The two hashes of a row: of its bytes as received, and of its canonical content.

The first only saves work; the second decides what is a change. Both are 128 bits of xxh3.
"""

from __future__ import annotations

import msgspec
import pandas as pd
import xxhash

from sync_pipeline.entities import Entity

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
# A float would make different numbers the same: they keep their spelling.
_SPELLED = msgspec.json.Decoder(float_hook=lambda number: msgspec.Raw(number.encode()))


def raw_hash(raw: bytes, *, context: str, version: int) -> bytes:
    """Return the hash of a record's bytes in their context.

    ``context`` holds whatever else shapes the row (endpoint, parent); ``version`` is the
    normaliser's, so that a new one sees every record again.
    """
    salted = xxhash.xxh3_128(msgspec.msgpack.encode((version, context)))
    salted.update(raw)
    return salted.digest()


def content_hashes(entity: Entity, frame: pd.DataFrame) -> list[bytes]:
    """Return one hash per row of ``frame`` over its columns and attributes.

    The order of keys in JSON, its blanks and escapes, and the entity's volatile fields do not
    count; the spelling of a number does.
    """
    names = [*entity.columns, "attributes"]
    columns = [frame[name].array.__arrow_array__().to_pylist() for name in names]
    for position, name in enumerate(names):
        if name in entity.json_columns:
            left_out = entity.volatile if name == "attributes" else frozenset[str]()
            columns[position] = [_canonical(value, left_out) for value in columns[position]]
    return [_hash_of_values(names, row) for row in zip(*columns, strict=True)]


def _hash_of_values(names: list[str], row: tuple[object, ...]) -> bytes:
    # Without the nulls: a column that is added later makes no change of rows that lack it.
    held = [(name, value) for name, value in zip(names, row, strict=True) if value is not None]
    return xxhash.xxh3_128(msgspec.msgpack.encode(held)).digest()


def _canonical(text: str | None, left_out: frozenset[str]) -> bytes | None:
    if text is None:
        return None
    if not left_out:
        return _sorted(text.encode())
    members = _OBJECT.decode(text)
    kept = {name: _sorted(raw) for name, raw in members.items() if name not in left_out}
    return msgspec.msgpack.encode(sorted(kept.items()))


def _sorted(raw: bytes) -> bytes:
    try:
        return msgspec.json.encode(_SPELLED.decode(raw), order="sorted")
    except msgspec.ValidationError:
        # A whole number of thousands of digits; then its bytes are what there is to compare.
        return bytes(raw)
