"""The two hashes of a row: of its bytes as received, and of its canonical content.

The first only saves work; the second decides what is a change. Both are 128 bits of xxh3.
"""

from __future__ import annotations

import msgspec
import pandas as pd
import xxhash

from sync_pipeline.entities import Entity

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def raw_hash(raw: bytes, *, context: str, version: int) -> bytes:
    """Return the hash of a record's bytes in their context.

    ``context`` holds whatever else shapes the row (endpoint, parent); ``version`` is the
    normaliser's, so that a new one sees every record again.
    """
    salted = xxhash.xxh3_128(f"{version}\x00{context}\x00".encode())
    salted.update(raw)
    return salted.digest()


def content_hashes(entity: Entity, frame: pd.DataFrame) -> list[bytes]:
    """Return one hash per row of ``frame`` over its columns and attributes.

    The order of keys in JSON, and the entity's volatile fields, do not count.
    """
    names = [*entity.columns, "attributes"]
    columns = [frame[name].array.__arrow_array__().to_pylist() for name in names]
    kinds = entity.table.columns
    for position, name in enumerate(names):
        if str(kinds[name].type) == "JSONB":
            columns[position] = [_canonical(entity, value) for value in columns[position]]
    return [
        xxhash.xxh3_128(msgspec.msgpack.encode(row)).digest() for row in zip(*columns, strict=True)
    ]


def _canonical(entity: Entity, text: str | None) -> bytes | None:
    if text is None:
        return None
    raw = text.encode()
    if raw[:1] != b"{":
        return raw
    members = {
        name: _sorted(bytes(value))
        for name, value in _MEMBERS.decode(raw).items()
        if name not in entity.volatile
    }
    return msgspec.msgpack.encode(sorted(members.items()))


def _sorted(raw: bytes) -> bytes:
    # Scalars keep their spelling; within objects, and in escaped text, the same can be spelt twice.
    if raw[:1] not in b"[{" and b"\\" not in raw:
        return raw
    try:
        return msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    except msgspec.ValidationError:
        return raw
