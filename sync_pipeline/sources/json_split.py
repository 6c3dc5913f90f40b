r"""Split JSON that the fast splitter refuses although its structure is sound.

The case: half of a surrogate pair (``"\ud83d"``), left behind where a text was cut in the
middle of an emoji. Python's own parser takes it; only the record that holds it is to be refused
later, with its bytes, not the whole page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BLANKS = re.compile(r"[ \t\n\r]*")
_PARSER = json.JSONDecoder()


def split_object(body: bytes) -> dict[str, bytes]:
    """Return the members of a JSON object, each value raw; ValueError for anything else."""
    text = body.decode()
    found: dict[str, bytes] = {}
    for at in _elements(text, "{", "}"):
        name, end = _PARSER.raw_decode(text, at)
        colon = _after_blanks(text, end)
        if not isinstance(name, str) or text[colon : colon + 1] != ":":
            raise ValueError("not a member of an object")
        start = _after_blanks(text, colon + 1)
        found[name] = _raw(text, start)
    return found


def split_array(body: bytes) -> tuple[bytes, ...]:
    """Return the elements of a JSON array as raw bytes; ValueError for anything else."""
    text = body.decode()
    return tuple(_raw(text, at) for at in _elements(text, "[", "]"))


def _elements(text: str, opening: str, closing: str) -> Iterator[int]:
    """Yield where each element (of an object: each name) begins."""
    _PARSER.decode(text)
    at = _after_blanks(text, 0)
    if text[at : at + 1] != opening:
        raise ValueError("JSON of another kind")
    at = _after_blanks(text, at + 1)
    while text[at] != closing:
        yield at
        _, at = _PARSER.raw_decode(text, at)
        at = _after_blanks(text, at)
        if text[at] == ":":
            _, at = _PARSER.raw_decode(text, _after_blanks(text, at + 1))
            at = _after_blanks(text, at)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)


def _raw(text: str, start: int) -> bytes:
    _, end = _PARSER.raw_decode(text, start)
    return text[start:end].encode()


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at
