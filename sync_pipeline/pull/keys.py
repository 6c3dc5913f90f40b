"""Find a record's key in its bytes without decoding the rest of it."""

from __future__ import annotations

import json

import msgspec

from sync_pipeline.records import is_storable_id


class _Keyed(msgspec.Struct):
    id: str | int | None = None
    systemName: str | int | None = None  # noqa: N815 -- RoSaaS's name


_KEYED = msgspec.json.Decoder(_Keyed)


def record_id(raw: bytes) -> str | None:
    """Return the record's ``id`` as text; null when none can be read."""
    return _readable_key(raw, "id")


def tenant_name(raw: bytes) -> str | None:
    """Return the tenant's ``systemName`` in lower case, as RoSaaS does; null without one."""
    name = _readable_key(raw, "systemName")
    return None if name is None else name.lower()


def _readable_key(raw: bytes, member: str) -> str | None:
    try:
        key = getattr(_KEYED.decode(raw), member)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # A defect elsewhere in the record is no reason not to know which record it is.
        key = _patiently(raw, member)
    text = str(key).strip() if isinstance(key, str | int) and not isinstance(key, bool) else ""
    return text if is_storable_id(text) else None


def _patiently(raw: bytes, member: str) -> object:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return record.get(member) if isinstance(record, dict) else None
