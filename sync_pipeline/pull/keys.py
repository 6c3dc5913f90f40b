"""Find a record's key in its bytes without decoding the rest of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from operator import attrgetter

import msgspec

from sync_pipeline.entities import Stream
from sync_pipeline.mapping.fields import Form
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.records import LONGEST_ID_BYTES, is_storable_id

# A whole number, or a text that stands for itself.
_KEY_AT_ONCE = rb'\{%s:(?:(0|[1-9][0-9]{0,17})|"([!#-\[\]-~]{1,200})")[,}]'


class KeyOf:
    """Reads the first of some members of a record as its key; null without one."""

    def __init__(self, *names: str, is_lower: bool) -> None:
        self._names = names
        self._is_lower = is_lower
        slots = [f"member_{position}" for position, _ in enumerate(names)]
        struct = msgspec.defstruct(
            "Keyed",
            [(slot, str | int | None, None) for slot in slots],
            rename=dict(zip(slots, names, strict=True)),
        )
        self._one = msgspec.json.Decoder(struct)
        self._all = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type] # made at run time
        self._members = attrgetter(*slots)
        name = re.escape(msgspec.json.encode(names[0]))
        self._begins_with = re.compile(_KEY_AT_ONCE % name)

    def __call__(self, raw: bytes) -> str | None:
        """Return the key of one record."""
        try:
            found: object = self._members(self._one.decode(raw))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            # A defect elsewhere in the record is no reason not to know which record it is.
            return self._key(tuple(_patiently(raw, self._names)))
        return self._key(found)

    def of_all(self, raws: Sequence[bytes]) -> list[str | None]:
        """Return the key of each of the elements of an array.

        Most records begin with their key. Should the name come a second time in one, normalising
        takes the later value for another id than the one it was asked for by, and rejects it.
        """
        begun = list(map(self._begins_with.match, raws))
        if None not in begun:
            keys = [one[one.lastindex or 1].decode() for one in begun if one]
            return [key.lower() for key in keys] if self._is_lower else list(keys)
        try:
            decoded = self._all.decode(b"[" + b",".join(raws) + b"]")
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return [self(raw) for raw in raws]
        found: list[object] = list(map(self._members, decoded))
        return self._plain(found) or [self._key(one) for one in found]

    def _plain(self, found: Sequence[object]) -> list[str | None]:
        """Return the keys of all at once where each is plainly an id; else none at all."""
        kinds = set(map(type, found))
        if not kinds <= {str, int}:
            return []
        keys = list(map(str, found))
        if str in kinds:
            keys = [key.strip() for key in keys]
        joined = "".join(keys)
        is_plain = joined.isascii() and "\x00" not in joined
        if not (is_plain and all(keys) and max(map(len, keys), default=0) <= LONGEST_ID_BYTES):
            return []
        return [key.lower() for key in keys] if self._is_lower else list(keys)

    def _key(self, found: object) -> str | None:
        members = found if isinstance(found, tuple) else (found,)
        key = next((text for member in members if (text := _text(member))), "")
        if not is_storable_id(key):
            return None
        return key.lower() if self._is_lower else key


def key_reader(*names: str, is_lower: bool = False) -> KeyOf:
    """Return what reads the first of these members as a key."""
    return KeyOf(*names, is_lower=is_lower)


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
