"""Open records without decoding their values: bytes to members, or a reason why not.

Here a record is refused when PostgreSQL could not hold it, so that one bad record never takes
its batch along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from sync_pipeline.records import Record, Reject

Members = dict[str, msgspec.Raw]
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
# Half of a surrogate pair, or a number of a size that jsonb may refuse: looked at closely.
_SUSPICIOUS = re.compile(rb"\\u[dD][89a-fA-F]|[eE][+-]?\d{4}|\d{300}")
_LARGEST_EXPONENT = 10_000
_MEMBERS = msgspec.json.Decoder(Members)


class UnreadableError(Exception):
    """The record cannot be read; the first argument is its code, the second the reason."""


def open_records(records: Iterable[Record]) -> tuple[list[Record], list[Members], list[Reject]]:
    """Return the readable records, their members (list form overlaid by detail), the rejects."""
    readable: list[Record] = []
    opened: list[Members] = []
    rejects: list[Reject] = []
    for record in records:
        try:
            members = _open(record.listed) | _open(record.detail)
        except UnreadableError as exc:
            code, reason = exc.args
            rejects.append(
                Reject(record.record_id, record.payload, code, reason, record.observed_at)
            )
        else:
            readable.append(record)
            opened.append(members)
    return readable, opened, rejects


def nul_shown(raw: bytes) -> bytes:
    r"""Return JSON in which U+0000, which jsonb cannot hold, stands as the text ``\u0000``."""
    return NUL.sub(rb"\1\\\\u0000", raw)


def _open(raw: bytes) -> Members:
    if not raw:
        return {}
    try:
        members = _MEMBERS.decode(raw)
        raw.decode("utf-8")
        if _SUSPICIOUS.search(raw):
            _look_closely(raw)
    except UnicodeError as exc:
        raise UnreadableError("bad_text", "holds text that is not valid Unicode") from exc
    except (msgspec.ValidationError, RecursionError) as exc:
        raise UnreadableError("not_an_object", "is not a JSON object of usual depth") from exc
    except (msgspec.DecodeError, ValueError) as exc:
        raise UnreadableError("bad_json", "is not valid JSON") from exc
    return members


def _look_closely(raw: bytes) -> None:
    def number(text: str) -> Decimal:
        value = Decimal(text)
        if value.adjusted() > _LARGEST_EXPONENT or value.adjusted() < -_LARGEST_EXPONENT:
            raise UnreadableError("bad_number", "holds a number that no column can keep")
        return value

    decoded = json.loads(raw, parse_float=number, parse_int=number)
    # Encoding refuses a lone surrogate, which PostgreSQL would refuse too.
    json.dumps(decoded, ensure_ascii=False, default=str).encode("utf-8")
