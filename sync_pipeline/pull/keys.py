"""Find a record's key in its bytes without decoding the rest of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter

import msgspec

from sync_pipeline.entities import Stream
from sync_pipeline.mapping.fields import Form
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.records import is_storable_id

KeyOf = Callable[[bytes], str | None]


def key_reader(*names: str, is_lower: bool = False) -> KeyOf:
    """Return a function that reads the first of these members as a key; null without one."""
    slots = [f"member_{position}" for position, _ in enumerate(names)]
    struct = msgspec.defstruct(
        "Keyed",
        [(slot, str | int | None, None) for slot in slots],
        rename=dict(zip(slots, names, strict=True)),
    )
    decode = msgspec.json.Decoder(struct).decode
    values = attrgetter(*slots)

    def decoded(raw: bytes) -> Sequence[object]:
        found = values(decode(raw))
        return found if len(slots) > 1 else (found,)

    def read(raw: bytes) -> str | None:
        try:
            members = decoded(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            # A defect elsewhere in the record is no reason not to know which record it is.
            members = _patiently(raw, names)
        key = next((text for member in members if (text := _text(member))), "")
        if not is_storable_id(key):
            return None
        return key.lower() if is_lower else key

    return read


record_id = key_reader("id")


@cache
def key_of(stream: Stream) -> KeyOf:
    """Return the function that reads the key of the stream's records."""
    field = NORMALISERS[stream].key_field
    return key_reader(*field.paths, is_lower=field.form is Form.LOWER)


def _text(member: object) -> str:
    is_key = isinstance(member, str | int) and not isinstance(member, bool)
    return str(member).strip() if is_key else ""


def _patiently(raw: bytes, names: tuple[str, ...]) -> list[object]:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    return [record.get(name) for name in names] if isinstance(record, dict) else []
