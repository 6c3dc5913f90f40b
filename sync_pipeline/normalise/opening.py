"""Open records without decoding their values: bytes to members, or a reason why not.

Here a record is refused when PostgreSQL could not hold it, so that one bad record never takes
its batch along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeVar

import msgspec

from sync_pipeline.normalise.suspects import DEEPEST, SUSPICIOUS, brackets, suspects
from sync_pipeline.records import Record, Reject

T = TypeVar("T")
Members = dict[str, msgspec.Raw]
_NUL_ESCAPE = rb"\u0000"
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_LARGEST_EXPONENT = 10_000
_MEMBERS = msgspec.json.Decoder(Members)
_ANY = msgspec.json.Decoder(msgspec.Raw)


class UnreadableError(Exception):
    """The record cannot be read; the first argument is its code, the second the reason."""


def open_records(records: Iterable[Record]) -> tuple[list[Record], list[Members], list[Reject]]:
    """Return the readable records, their members (list form overlaid by detail), the rejects."""
    records = list(records)
    listed = _opened([record.listed for record in records])
    detailed = _opened([record.supplement for record in records])
    readable: list[Record] = []
    opened: list[Members] = []
    rejects: list[Reject] = []
    for record, below, above in zip(records, listed, detailed, strict=True):
        try:
            members = _overlaid(
                _open(record.listed) if below is None else below,
                _open(record.supplement) if above is None else above,
            )
        except UnreadableError as exc:
            code, reason = exc.args
            rejects.append(record.rejected(code, reason))
        else:
            readable.append(record)
            opened.append(members)
    return readable, opened, rejects


def members_of(raw: bytes) -> Members | None:
    """Return the members of an object in an opened record; null where it is something else."""
    return _MEMBERS.decode(raw) if bytes(raw).startswith(b"{") else None


def object_of(members: Members) -> msgspec.Raw:
    """Return the object with these members, each as it came."""
    return msgspec.Raw(b"{" + b",".join(_name(n) + raw for n, raw in members.items()) + b"}")


def is_storable(raw: bytes) -> bool:
    """Tell whether the text is JSON (of any kind) that jsonb can hold but for U+0000."""
    try:
        _check(raw, _ANY)
    except UnreadableError:
        return False
    return True


def nul_shown(raw: bytes) -> bytes:
    r"""Return JSON in which U+0000, which jsonb cannot hold, stands as the text ``\u0000``."""
    return NUL.sub(rb"\1\\\\u0000", raw) if _NUL_ESCAPE in raw else raw


@lru_cache(maxsize=4096)
def _name(name: str) -> bytes:
    return msgspec.json.encode(name) + b":"


def _overlaid(listed: Members, detail: Members) -> Members:
    """Return both forms in one; of an object in both, what only the list form knows stays."""
    if not listed or not detail:
        return listed or detail
    both = listed | detail
    for name in listed.keys() & detail.keys():
        below, above = members_of(listed[name]), members_of(detail[name])
        if below is not None and above is not None:
            both[name] = object_of(below | above)
    return both


def _opened(texts: Sequence[bytes]) -> list[Members | None]:
    """Open what is plainly sound, all at once; null for whatever is to be opened with care."""
    if not any(texts):
        return [{} for _ in texts]
    return [
        {} if not raw else None if is_suspect else _opened_if_sound(raw)
        for raw, is_suspect in zip(texts, suspects(texts), strict=True)
    ]


def _opened_if_sound(raw: bytes) -> Members | None:
    try:
        return _MEMBERS.decode(raw)
    except (msgspec.DecodeError, ValueError):
        return None


def _open(raw: bytes) -> Members:
    return _check(raw, _MEMBERS) if raw else {}


def _check(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        if brackets(raw) > DEEPEST:
            _measure_depth(raw)
        raw.decode("utf-8")
        decoded = decoder.decode(raw)
        if SUSPICIOUS.search(raw):
            _look_closely(raw)
    except UnicodeError as exc:
        raise UnreadableError("bad_text", "holds text that is not valid Unicode") from exc
    except InvalidOperation as exc:
        raise UnreadableError("bad_number", "holds a number that no column can keep") from exc
    except msgspec.ValidationError as exc:
        raise UnreadableError("not_an_object", "is not a JSON object") from exc
    except (msgspec.DecodeError, ValueError) as exc:
        raise UnreadableError(*_damage(raw)) from exc
    return decoded


def _measure_depth(raw: bytes) -> None:
    depth = 0
    for token in _BRACKETS.finditer(raw):
        mark = token[0]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > DEEPEST:
            raise UnreadableError("too_deep", f"is nested deeper than {DEEPEST} levels")


def _look_closely(raw: bytes) -> None:
    decoded = json.loads(raw, parse_float=_number, parse_int=_number)
    # Encoding refuses a lone surrogate, which PostgreSQL would refuse too.
    json.dumps(decoded, ensure_ascii=False, default=str).encode("utf-8")


def _number(text: str) -> Decimal:
    value = Decimal(text)
    smallest = int(value.as_tuple().exponent)
    if max(value.adjusted(), -smallest) > _LARGEST_EXPONENT:
        raise InvalidOperation
    return value


def _damage(raw: bytes) -> tuple[str, str]:
    """Tell broken JSON from sound JSON that holds half a character."""
    try:
        json.loads(raw, parse_constant=int)  # NaN is no JSON
    except ValueError:
        return "bad_json", "is not valid JSON"
    return "bad_text", "holds text that is not valid Unicode"
