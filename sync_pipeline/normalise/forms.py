"""The decoders of value forms: a column of foreign JSON values in, a canonical column out.

A value that a form cannot keep becomes null; the caller gives its raw bytes back to
`attributes`. Sources and rules: the table of canonical values in the interface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import pyarrow as pa

from sync_pipeline.mapping.fields import Form
from sync_pipeline.normalise import codes, phones, scalars
from sync_pipeline.normalise.opening import nul_shown

Values = Sequence[object]

STRING = pd.ArrowDtype(pa.string())
BOOLEAN = pd.ArrowDtype(pa.bool_())
INTEGER = pd.ArrowDtype(pa.int32())
DAY = pd.ArrowDtype(pa.date32())
INSTANT = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))
BYTES = pd.ArrowDtype(pa.binary())


def column(values: Sequence[object], dtype: pd.ArrowDtype) -> pd.Series:
    """Return the column of these values; text and JSON may come as UTF-8."""
    return series(pa.array(values, dtype.pyarrow_dtype))


def series(array: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Return the column that holds this array."""
    return pd.Series(pd.arrays.ArrowExtensionArray(array))


def verbatim(values: Values) -> pd.Series:
    """Read text as it came, without NUL; empty → null."""
    return column([scalars.text(value) for value in values], STRING)


def text(values: Values) -> pd.Series:
    """Read text without surrounding white space and NUL; empty → null."""
    return column(_trimmed(values), STRING)


def lower(values: Values) -> pd.Series:
    """Read trimmed text in lower case."""
    return _translated(values, str.lower)


def language(values: Values) -> pd.Series:
    """Read ISO 639 codes as ISO 639-1; unknown → null."""
    return _translated(values, codes.language)


def country(values: Values) -> pd.Series:
    """Read ISO 3166-1 codes as alpha-2; unknown → null."""
    return _translated(values, codes.country)


def phone(values: Values, regions: pd.Series | None) -> pd.Series:
    """Read numbers dialled in ``regions`` (alpha-2) as E.164; not a valid number → null."""
    dialled_in = [None] * len(values) if regions is None else _listed(regions)
    parsed = [
        None if number is None else phones.e164(number, region)
        for number, region in zip(_trimmed(values), dialled_in, strict=True)
    ]
    return column(parsed, STRING)


def keyword(values: Values, keywords: dict[str, str]) -> pd.Series:
    """Read words of an enumeration in any case; an unknown one as it came."""
    return _translated(values, lambda word: keywords.get(word.upper(), word))


def boolean(values: Values) -> pd.Series:
    """Read true/false, also as text in any case or as 1/0; anything else → null."""
    return column([scalars.boolean(value) for value in values], BOOLEAN)


def integer(values: Values) -> pd.Series:
    """Read whole numbers that a PostgreSQL integer holds, also as digits; else → null."""
    return column([scalars.small_integer(value) for value in values], INTEGER)


def epoch(values: Values) -> pd.Series:
    """Read seconds (or, above 10¹¹, milliseconds) since 1970; under a day, a placeholder → null."""
    return column([scalars.instant_of_epoch(value) for value in values], INSTANT)


def instant(values: Values) -> pd.Series:
    """Read ISO 8601 with 0 to 7 fraction digits, naive = UTC; the year 1, a placeholder → null."""
    return column(
        [scalars.instant(value) if isinstance(value, str) else None for value in values], INSTANT
    )


def day_parts(values: Values) -> pd.Series:
    """Read objects of year, month and day (numbers or digits); partial, impossible → null."""
    return column([scalars.day(value) for value in values], DAY)


def day_of_instant(values: Values) -> pd.Series:
    """Read the date part of ISO 8601 instants, whatever their time says; unreadable → null."""
    return column([scalars.day_of_instant(value) for value in values], DAY)


def identifier(values: Values) -> pd.Series:
    """Read ids; 0 stands for none → null."""
    return _translated(values, lambda word: None if word == "0" else word)


def rows_beyond_midnight(values: Values) -> set[int]:
    """Return the rows whose instant says more than a date."""
    return {row for row, value in enumerate(values) if scalars.is_beyond_midnight(value)}


def rows_beyond_day_parts(values: Values) -> set[int]:
    """Return the rows whose object says more than year, month and day."""
    return {
        row
        for row, value in enumerate(values)
        if isinstance(value, dict) and not value.keys() <= set(scalars.DAY_PARTS)
    }


def json(raw: Sequence[bytes | None]) -> pd.Series:
    """Read any JSON as JSON text as it came (U+0000 shown as its escape)."""
    return column([None if r is None else nul_shown(r) for r in raw], STRING)


def json_text(raw: Sequence[bytes | None]) -> pd.Series:
    """Read JSON, once more where it is a string that holds JSON, as JSON text."""
    return json([None if r is None else scalars.json_inside(r) for r in raw])


OF_TEXT: dict[Form, Callable[[Values], pd.Series]] = {
    Form.TEXT: text,
    Form.VERBATIM: verbatim,
    Form.LOWER: lower,
    Form.LANGUAGE: language,
    Form.COUNTRY: country,
    Form.ID: identifier,
}
OF_VALUES: dict[Form, Callable[[Values], pd.Series]] = {
    Form.BOOLEAN: boolean,
    Form.INTEGER: integer,
    Form.EPOCH: epoch,
    Form.INSTANT: instant,
    Form.DAY_PARTS: day_parts,
    Form.DAY_OF_INSTANT: day_of_instant,
}
# Rows whose value says more than the column keeps.
ROWS_BEYOND: dict[Form, Callable[[Values], set[int]]] = {
    Form.DAY_PARTS: rows_beyond_day_parts,
    Form.DAY_OF_INSTANT: rows_beyond_midnight,
}
OF_RAW: dict[Form, Callable[[Sequence[bytes | None]], pd.Series]] = {
    Form.JSON: json,
    Form.JSON_TEXT: json_text,
}


def _translated(values: Values, translate: Callable[[str], str | None]) -> pd.Series:
    words = _trimmed(values)
    return column([None if word is None else translate(word) for word in words], STRING)


def _trimmed(values: Values) -> list[str | None]:
    trimmed = [(value.strip() or None) if isinstance(value, str) else None for value in values]
    if "\x00" in "".join(filter(None, trimmed)):
        return [scalars.trimmed(value) for value in values]
    return trimmed


def _listed(texts: pd.Series) -> list[str | None]:
    listed: list[str | None] = texts.array.__arrow_array__().to_pylist()
    return listed
