"""The decoders of value forms: a column of foreign JSON values in, a canonical column out.

A value that a form cannot keep becomes null; the caller gives its raw bytes back to
`attributes`. Sources and rules: the table of canonical values in the interface, quirks section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import msgspec
import pandas as pd
import pyarrow as pa

from sync_pipeline.mapping.fields import Form
from sync_pipeline.normalise import codes
from sync_pipeline.normalise.opening import nul_shown

Values = Sequence[object]

PLACEHOLDER_BELOW_S = 86_400
_MILLISECONDS_ABOVE = 1e11
_INT32 = 2**31
_TRUE, _FALSE = ("true", "1"), ("false", "0")

STRING = pd.ArrowDtype(pa.string())
BOOLEAN = pd.ArrowDtype(pa.bool_())
INTEGER = pd.ArrowDtype(pa.int32())
DAY = pd.ArrowDtype(pa.date32())
INSTANT = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))
BYTES = pd.ArrowDtype(pa.binary())


def verbatim(values: Values) -> pd.Series:
    """Text as it came; a number in its JSON spelling; NUL removed; empty → null."""
    plain = pd.Series([_text(value) for value in values], dtype=STRING)
    return plain.where(plain != "", None)


def text(values: Values) -> pd.Series:
    """Text without surrounding white space; empty → null."""
    trimmed = verbatim(values).str.strip()
    return trimmed.where(trimmed != "", None)


def lower(values: Values) -> pd.Series:
    """Return trimmed text in lower case."""
    return text(values).str.lower()


def language(values: Values) -> pd.Series:
    """ISO 639-1; unknown → null."""
    return text(values).map(codes.language, na_action="ignore").astype(STRING)


def country(values: Values) -> pd.Series:
    """ISO 3166-1 alpha-2; unknown → null."""
    return text(values).map(codes.country, na_action="ignore").astype(STRING)


def phone(values: Values, regions: pd.Series) -> pd.Series:
    """E.164 of numbers dialled in ``regions`` (alpha-2); not a valid number → null."""
    numbers = text(values)
    parsed = [
        None if pd.isna(number) else codes.phone(number, None if pd.isna(region) else region)
        for number, region in zip(numbers, regions, strict=True)
    ]
    return pd.Series(parsed, dtype=STRING)


def keyword(values: Values, keywords: dict[str, str]) -> pd.Series:
    """A word of the enumeration in any case; an unknown one as it came."""
    words = text(values)
    return words.map(lambda word: keywords.get(word.upper(), word), na_action="ignore").astype(
        STRING
    )


def boolean(values: Values) -> pd.Series:
    """true/false, also as text in any case or as 1/0; anything else → null."""
    return pd.Series([_boolean(value) for value in values], dtype=BOOLEAN)


def integer(values: Values) -> pd.Series:
    """A whole number that a PostgreSQL integer holds, also as digits; anything else → null."""
    return pd.Series([_integer(value) for value in values], dtype=INTEGER)


def epoch(values: Values) -> pd.Series:
    """Seconds (or, above 10¹¹, milliseconds) since 1970; below a day it is a placeholder → null."""
    return pd.Series([_epoch(value) for value in values], dtype=INSTANT)


def instant(values: Values) -> pd.Series:
    """ISO 8601 with 0–7 fraction digits, naive = UTC; the year 1 is a placeholder → null."""
    return pd.Series(
        [_instant(value) if isinstance(value, str) else None for value in values], dtype=INSTANT
    )


def day_parts(values: Values) -> pd.Series:
    """Objects of year, month and day (numbers or digits); partial or impossible → null."""
    return pd.Series([_day(value) for value in values], dtype=DAY)


def json(raw: Sequence[bytes | None]) -> pd.Series:
    """Any JSON as it came, as JSON text (U+0000 shown as its escape)."""
    return pd.Series([None if r is None else nul_shown(r).decode() for r in raw], dtype=STRING)


def json_text(values: Values) -> pd.Series:
    """JSON, decoded once more where it is a string that holds JSON; as JSON text."""
    return json([None if value is None else _unwrapped(value) for value in values])


DECODERS: dict[Form, Callable[[Values], pd.Series]] = {
    Form.TEXT: text,
    Form.VERBATIM: verbatim,
    Form.LOWER: lower,
    Form.LANGUAGE: language,
    Form.COUNTRY: country,
    Form.BOOLEAN: boolean,
    Form.INTEGER: integer,
    Form.EPOCH: epoch,
    Form.INSTANT: instant,
    Form.DAY_PARTS: day_parts,
    Form.JSON_TEXT: json_text,
}


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return msgspec.json.encode(value).decode()


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value)
    return True if word in _TRUE else False if word in _FALSE else None


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and -_INT32 <= value < _INT32 else None


def _epoch(value: object) -> datetime | None:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value / 1000 if value > _MILLISECONDS_ABOVE else value
    if seconds < PLACEHOLDER_BELOW_S:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=65_536)
def _instant(value: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(value.strip())
        utc = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if utc.year > 1 else None


def _day(value: object) -> date | None:
    if not isinstance(value, dict):
        return None
    parts = [_integer(value.get(name)) for name in ("year", "month", "day")]
    try:
        return date(*[part for part in parts if part is not None])
    except (TypeError, ValueError):
        return None


def _unwrapped(value: object) -> bytes:
    if isinstance(value, str):
        inner = value.strip().encode("utf-8")
        try:
            msgspec.json.decode(inner)
        except (msgspec.DecodeError, RecursionError):
            return msgspec.json.encode(value)
        return inner
    return msgspec.json.encode(value)
