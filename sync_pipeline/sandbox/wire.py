"""Requests and replies as the servers of the sandbox see them: plain values, no I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .changes import Change
    from .rows import JsonObject, JsonValue

JSON = b"application/json; charset=utf-8"
# Made once: `json.dumps` makes one for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `segments` are the decoded parts of the path."""

    method: str
    segments: tuple[str, ...]
    query_string: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Find the value of a header, its name in lower case; None when it is missing."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the last."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))

    def json_object(self) -> JsonObject | None:
        """Read the body as a JSON object; None when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; with `chunks` the body is streamed instead."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    chunks: Iterator[bytes] | None = field(default=None)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    # What the write that this answers comes to.
    change: Change | None = None


def encode(value: JsonValue) -> bytes:
    """Compact UTF-8 JSON."""
    return _encode(value).encode()
