"""Find a record's key in its bytes without decoding the rest of it."""

from __future__ import annotations

import msgspec

# A longer text is no id: no index of PostgreSQL could hold it.
LONGEST_KEY_BYTES = 1_000


class _ById(msgspec.Struct):
    key: str | int | None = msgspec.field(name="id", default=None)


class _BySystemName(msgspec.Struct):
    key: str | int | None = msgspec.field(name="systemName", default=None)


_BY_ID = msgspec.json.Decoder(_ById)
_BY_SYSTEM_NAME = msgspec.json.Decoder(_BySystemName)


def record_id(raw: bytes) -> str | None:
    """Return the record's ``id`` as text; null when none can be read."""
    return _readable_key(raw, _BY_ID)


def tenant_name(raw: bytes) -> str | None:
    """Return the tenant's ``systemName`` in lower case, as RoSaaS does; null without one."""
    name = _readable_key(raw, _BY_SYSTEM_NAME)
    return None if name is None else name.lower()


def _readable_key(
    raw: bytes, decoder: msgspec.json.Decoder[_ById] | msgspec.json.Decoder[_BySystemName]
) -> str | None:
    try:
        key = decoder.decode(raw).key
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    text = str(key).strip() if key is not None else ""
    is_storable = "\x00" not in text and len(text.encode()) <= LONGEST_KEY_BYTES
    return text if text and is_storable else None
