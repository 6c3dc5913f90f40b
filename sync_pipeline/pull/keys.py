"""Find a record's key in its bytes without decoding the rest of it."""

from __future__ import annotations

import msgspec


class _Keyed(msgspec.Struct):
    id: str | int | None = None
    system_name: str | None = msgspec.field(name="systemName", default=None)


_KEYED = msgspec.json.Decoder(_Keyed)


def record_key(raw: bytes) -> str | None:
    """Return the record's ``id`` (or RoSaaS ``systemName``) as text; null when it has none."""
    try:
        keyed = _KEYED.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    name = keyed.system_name if keyed.system_name is not None else keyed.id
    text = str(name).strip() if name is not None else ""
    return text if text and "\x00" not in text else None
