"""Which of many texts are to be opened with care: found by a look over all of them at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DEEPEST = 100
# Half of a surrogate pair, or a number of a size that jsonb may refuse: looked at closely. (Many
# an id has digits after an "e"; but a number stands at the start of a value.)
SUSPICIOUS = re.compile(rb"\\u[dD][89a-fA-F]|(?:^|[\[:,])\s*-?\d[\d.]*[eE][+-]?\d{4}|\d{300}")
_SHORTEST = len(b"1e1000")
_ZERO, _NINE, _E, _LOWER = np.uint8(ord("0")), 9, ord("e"), np.uint8(0x20)
_AFTER_A_NUMBER = np.isin(np.arange(256), list(b",]} \t\r\n"))
_DIGITS_AS_0 = bytes.maketrans(b"0123456789", b"0" * 10)
_MANY_DIGITS = b"0" * 15


def suspects(texts: Sequence[bytes]) -> list[bool]:
    """Tell which texts opening them would look at beyond decoding them, and maybe a few others."""
    joined = b",".join([*texts, b""])
    try:
        joined.decode()
    except UnicodeDecodeError:
        return [True] * len(texts)
    found = [False] * len(texts)
    if b"[" in joined or joined.count(b"{") > len(texts):
        found = [brackets(raw) > DEEPEST for raw in texts]
    if b"\\" in joined or _may_hold_a_huge_number(joined):
        column = pa.array(texts, pa.binary())
        matches = pc.match_substring_regex(column, SUSPICIOUS.pattern.decode()).to_pylist()
        found = [one or other for one, other in zip(found, matches, strict=True)]
    return found


def _may_hold_a_huge_number(joined: bytes) -> bool:
    """Tell whether one of these texts, each ended by a comma, may hold what is looked for.

    That is an exponent of four digits, or 300 digits in a row.
    """
    # So many digits in a row are at 15 places of every 20th.
    if len(joined) <= _SHORTEST:
        return False
    if _MANY_DIGITS in joined[::20].translate(_DIGITS_AS_0):
        return True
    text = np.frombuffer(joined, np.uint8)
    is_digit = text - _ZERO <= _NINE
    # A digit, an "e", perhaps a sign, four digits: with and without, these are three of them.
    is_exponent = is_digit[:-5] & is_digit[3:-2] & is_digit[4:-1] & is_digit[5:]
    is_exponent &= (text[1:-4] | _LOWER) == _E
    ends = np.flatnonzero(is_exponent) + 6
    # In a text, as in most ids, such digits are not followed by what follows a number.
    while len(ends):
        going_on = is_digit[ends]
        if _AFTER_A_NUMBER[text[ends[~going_on]]].any():
            return True
        ends = ends[going_on] + 1
    return False


def brackets(raw: bytes) -> int:
    """Return how many arrays and objects it may open."""
    return raw.count(b"[") + raw.count(b"{")
