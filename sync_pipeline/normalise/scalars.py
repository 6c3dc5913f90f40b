"""The decoders of single foreign JSON values; what a form cannot keep comes out as null."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import msgspec

from sync_pipeline.normalise.opening import is_storable

PLACEHOLDER_BELOW_S = 86_400
DAY_PARTS = ("year", "month", "day")
_MILLISECONDS_ABOVE = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT32 = 2**31
_WHOLE = re.compile(r"\s*-?[0-9]{1,18}\s*")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


def text(value: object) -> str | None:
    """Return text without NUL, which no column can hold; empty → null."""
    return value.replace("\x00", "") or None if isinstance(value, str) else None


def trimmed(value: object) -> str | None:
    """Return text without surrounding white space and NUL; empty → null."""
    return (text(value) or "").strip() or None


def boolean(value: object) -> bool | None:
    """Return a truth value, also from text or from 1/0."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value)
    return True if word in _TRUE else False if word in _FALSE else None


def small_integer(value: object) -> int | None:
    """Return a whole number, also from digits, that fits into 32 bits."""
    number = _whole(value)
    return number if number is not None and -_INT32 <= number < _INT32 else None


def instant_of_epoch(value: object) -> datetime | None:
    """Return the instant of seconds (or, above 10¹¹, milliseconds) since 1970."""
    number = value if isinstance(value, float) else _whole(value)
    if number is None:
        return None
    try:
        since = (
            timedelta(milliseconds=number)
            if number > _MILLISECONDS_ABOVE
            else timedelta(seconds=number)
        )
        return _EPOCH + since if since.total_seconds() >= PLACEHOLDER_BELOW_S else None
    except OverflowError:
        return None


@lru_cache(maxsize=65_536)
def instant(value: str) -> datetime | None:
    """Return the instant of an ISO 8601 text, in UTC; the year 1 is a placeholder."""
    try:
        read = datetime.fromisoformat(value.strip())
        utc = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if utc.year > 1 else None


def day_of_instant(value: object) -> date | None:
    """Return the date of an ISO 8601 text as it is written there; the year 1 is a placeholder."""
    written = _written(value)
    return written.date() if written is not None and written.year > 1 else None


def is_beyond_midnight(value: object) -> bool:
    """Tell whether an ISO 8601 text says a time other than midnight, or an offset."""
    written = _written(value)
    # A time with an offset equals none without.
    return written is not None and written.timetz() != time.min


def day(value: object) -> date | None:
    """Return the date of an object of year, month and day."""
    if not isinstance(value, dict):
        return None
    year, month, day = (small_integer(value.get(name)) for name in DAY_PARTS)
    if year is None or month is None or day is None:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def json_inside(raw: bytes) -> bytes | None:
    """Return the JSON that a JSON string holds, any other JSON as it came; ``"null"`` → null."""
    if not raw.startswith(b'"'):
        return raw
    inner = msgspec.json.decode(raw, type=str).strip().encode()
    if inner == b"null":
        return None
    return inner if is_storable(inner) else raw


def _written(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


def _whole(value: object) -> int | None:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
