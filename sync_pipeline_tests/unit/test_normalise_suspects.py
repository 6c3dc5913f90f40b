"""The look over a whole batch finds what the look at a single record would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_pipeline.normalise.suspects import DEEPEST, SUSPICIOUS, suspects

SOUND = b'{"id":1,"code":"0e12345","at":"12 1e2345, and on","n":1.5e-7}'
NUMBER = st.from_regex(
    rb"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,7})?", fullmatch=True
)
FRAME = st.sampled_from([b'{"a":%b}', b'{"a" : [1, %b ]}', b'{"a":[%b,2]}', b'{"a":\n%b\n,"b":1}'])


@given(NUMBER, FRAME)
def test_a_number_is_found_wherever_it_stands(number: bytes, frame: bytes) -> None:
    raw = frame % number
    assert suspects([SOUND, raw, SOUND])[1] is bool(SUSPICIOUS.search(raw))


@pytest.mark.parametrize("padding", range(20))
def test_a_number_of_300_digits_is_found_wherever_it_begins(padding: int) -> None:
    raw = b'{"%b":1%b}' % (b"x" * padding, b"0" * 299)
    assert suspects([SOUND, raw]) == [False, True]


@pytest.mark.parametrize(
    ("raw", "is_suspect"),
    [
        (b"", False),
        (b"1e9999", True),
        (b'{"a":1e9999', True),
        (b'{"a":"' + rb"\ud83d" + b'"}', True),
        (b'{"a":"' + rb"\u00e9\n" + b'"}', False),
        (b"[" * (DEEPEST + 1), True),
        (b"[" * DEEPEST, False),
    ],
)
def test_the_other_oddities_are_found(raw: bytes, *, is_suspect: bool) -> None:
    assert suspects([SOUND, raw]) == [False, is_suspect]


def test_where_something_is_not_utf8_every_text_is_looked_at() -> None:
    assert suspects([SOUND, b"\xff"]) == [True, True]
