"""The values that sources give: raw records with the instant of their request, and counters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """One record: its raw JSON bytes (UTF-8), undecoded."""

    record: bytes
    sent_at: datetime
    """When the attempt that brought it was sent (aware, UTC): versions are ordered by this."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, its records as raw JSON bytes (UTF-8) in the source's order."""

    records: tuple[bytes, ...]
    total: int | None
    """What the source says; None when it says nothing that can be used."""
    sent_at: datetime
    has_more: bool | None = None


@dataclass(slots=True)
class Meter:
    """What the calls of one API object cost so far."""

    requests: int = 0
    """Attempts, logins included."""
    retries: int = 0
    bytes_read: int = 0
    """Body bytes after unpacking."""
