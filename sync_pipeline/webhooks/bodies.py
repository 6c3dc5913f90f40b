"""A webhook's body as JSON: what is accepted, and what of it PostgreSQL can hold. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "str | bool | Sequence[Json] | Mapping[str, Json] | None"

LONGEST_BYTES = 1024 * 1024
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json", re.ASCII | re.IGNORECASE)
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class BadBodyError(Exception):
    """The body is not one that is taken: which status, which field, and why."""

    def __init__(self, status: int, field: str, message: str) -> None:
        super().__init__(message)
        self.status, self.field, self.message = status, field, message


class Number(str):
    """A number as it is written, so that none is too long or too large to be read."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object; ``text`` is what jsonb is given, None where it cannot hold it."""

    raw: bytes
    members: Mapping[str, Json]
    text: str | None

    def find(self, *names: str) -> Json:
        """Return the first member that has one of the names, in any case; None without one."""
        return find(self.members, *names)


def find(members: Mapping[str, Json], *names: str) -> Json:
    """Return the first member that has one of the names (in lower case) in any case."""
    by_name = {name.lower(): value for name, value in members.items()}
    return next((by_name[name] for name in names if by_name.get(name) is not None), None)


def check_type(content_type: str, content_encoding: str) -> None:
    """Raise BadBodyError for what does not say that it is JSON in UTF-8."""
    kind, *parameters = content_type.split(";")
    if not _JSON_TYPE.fullmatch(kind.strip()):
        raise BadBodyError(415, "content-type", "should be application/json")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in _CHARSETS:
            raise BadBodyError(415, "content-type", "the charset should be utf-8")
    if content_encoding.strip().lower() not in ("", "identity"):
        raise BadBodyError(415, "content-encoding", "should not be set: the body is to be plain")


def read_object(raw: bytes) -> Body:
    """Return the body's JSON object; raise BadBodyError for anything else."""
    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        raise BadBodyError(400, "body", "should be text in UTF-8") from None
    except ValueError:
        raise BadBodyError(400, "body", "should be JSON") from None
    except RecursionError:
        raise BadBodyError(400, "body", "is nested too deeply") from None
    if not isinstance(value, dict):
        raise BadBodyError(400, "body", "should be a JSON object")
    return Body(raw, value, text if _is_storable(text, value) else None)


def _refuse_constant(name: str) -> Number:
    raise ValueError(f"{name} is not JSON")


def _is_storable(text: str, value: Json) -> bool:
    if "\\u" not in text:
        return True
    if _NUL.search(text):
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair.
        return False
    return True
