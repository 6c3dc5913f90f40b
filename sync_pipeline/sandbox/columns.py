"""Canonical columns to and from JSON, each by the type that its row class states."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from .rows import ENTITIES

if TYPE_CHECKING:
    from .rows import JsonObject, JsonValue, Row

_TYPES = {
    kind.__name__: {field.name: str(field.type) for field in fields(kind)}
    for kind in ENTITIES.values()
}
# Kept as they come, but for empty ones.
_VERBATIM = ("subject", "content")


class BadChangeError(ValueError):
    """What is wrong with a change that somebody asks for."""


def with_columns(row: Row, columns: JsonObject) -> Row:
    """Give the row with these columns; raises BadChangeError."""
    return replace(row, **read_columns(type(row), columns))  # type: ignore[arg-type] # read as its fields


def row_of(kind: type[Row], columns: JsonObject) -> Row:
    """Make a row from all of its columns; raises BadChangeError."""
    return kind(**read_columns(kind, columns))  # type: ignore[arg-type] # read as its fields


def read_columns(kind: type[Row], columns: JsonObject) -> dict[str, JsonValue | date]:
    """Read columns of that row class; raises BadChangeError for a name or a value that is none."""
    known = _types(kind)
    for name in columns:
        if name not in known:
            raise BadChangeError(f"{name!r} is no column; there are {', '.join(known)}")
    return {name: _read(name, known[name], value) for name, value in columns.items()}


def _types(kind: type[Row]) -> dict[str, str]:
    return _TYPES[kind.__name__]


def _read(name: str, stated: str, value: JsonValue) -> JsonValue | date:
    form = stated.removesuffix(" | None")
    if form == "str" and isinstance(value, str):
        value = (value if name in _VERBATIM else value.strip()) or None
        value = value.lower() if value and name == "email" else value
    if value is None:
        if form == stated and form != "JsonValue":
            raise BadChangeError(f"{name} cannot be null")
        return None
    return _as(name, form, value)


def _as(name: str, form: str, value: JsonValue) -> JsonValue | date:
    match form, value:
        case ("str", str()) | ("bool", bool()) | ("JsonValue", _):
            return value
        case ("JsonObject", dict()) | ("list[JsonValue]", list()):
            return value
        case ("int", int()) if not isinstance(value, bool):
            return value
        case "date", str():
            return _parsed(name, date, value)
        case "datetime", str():
            at = _parsed(name, datetime, value)
            if isinstance(at, datetime) and at.tzinfo is not None:
                return at
            raise BadChangeError(f"{name} needs an offset from UTC")
    raise BadChangeError(f"{name} should be {form}, not {value!r}")


def _parsed(name: str, kind: type[date], text: str) -> date:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        text = f"{name} should be {kind.__name__} in ISO 8601, not {text!r}"
        raise BadChangeError(text) from None
