"""The decoders of forms for whole columns of plain words: what `forms` makes of them, at once.

None where the words are not as plain as that; then `forms` decodes them one by one.
"""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.normalise import forms

_MIDNIGHT = "T00:00:00"
_DATE = len("2026-12-31")
_AFTER_PLACEHOLDERS = date(2, 1, 1)


def decoded(field: Field, words: pa.StringArray) -> pd.Series | None:
    """Return the column of ``words``, null where it cannot keep one; none of them is shortened."""
    match field.form:
        case Form.TEXT:
            return forms.series(_trimmed(words))
        case Form.ID:
            trimmed = _trimmed(words)
            return forms.series(pc.if_else(pc.equal(trimmed, "0"), None, trimmed))
        case Form.LOWER if pc.all(pc.string_is_ascii(words), min_count=0).as_py():
            return forms.series(pc.ascii_lower(_trimmed(words)))
        case Form.KEYWORD:
            coded = words.dictionary_encode()
            known = forms.keyword(coded.dictionary.to_pylist(), field.keywords or {})
            return forms.series(known.array.__arrow_array__().take(coded.indices))
        case Form.DAY_OF_INSTANT:
            return _days(words)
        case _:
            return None


def _trimmed(words: pa.StringArray) -> pa.StringArray:
    # Of the white space that `str.strip` knows this leaves control characters; no word has any.
    trimmed = pc.utf8_trim_whitespace(words)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _days(words: pa.StringArray) -> pd.Series | None:
    """Return the days where all words are a day at midnight, or nothing."""
    at_midnight = pc.if_else(pc.equal(words, ""), None, words)
    is_one = pc.and_(
        pc.ends_with(at_midnight, _MIDNIGHT),
        pc.equal(pc.binary_length(at_midnight), _DATE + len(_MIDNIGHT)),
    )
    if not pc.all(is_one, min_count=0).as_py():
        return None
    try:
        days = pc.utf8_slice_codeunits(at_midnight, 0, _DATE).cast(pa.date32())
    except pa.ArrowInvalid:
        return None
    is_placeholder = pc.less(days, pa.scalar(_AFTER_PLACEHOLDERS))
    return None if pc.any(is_placeholder, min_count=0).as_py() else forms.series(days)
