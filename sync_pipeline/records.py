"""What travels from a source to a table: records, rejects, events, what is told of fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import msgspec

# A longer text is no id: no index of PostgreSQL could hold it.
LONGEST_ID_BYTES = 1_000


def is_storable_id(text: str) -> bool:
    """Tell whether PostgreSQL can keep ``text`` as the id of a record."""
    try:
        return bool(text) and "\x00" not in text and len(text.encode()) <= LONGEST_ID_BYTES
    except UnicodeEncodeError:
        return False


class Record(msgspec.Struct, frozen=True):
    """One record of a source, not decoded yet.

    ``scope`` is the list or request that brought it (a contact id, a tenant name); ``listed``
    and ``detail`` are the bytes of its two forms where a source has both (one may be empty);
    ``recalled`` is what the warehouse still knows of a detail that was not read again.
    ``raw_hash`` is the hash of the bytes that tell whether it changed; null when the next reading
    should not rely on it.

    No dataclass: there is one for each row that is read, and it takes ten times as long to make.
    """

    record_id: str
    scope: str
    listed: bytes
    detail: bytes
    raw_hash: bytes | None
    observed_at: datetime
    recalled: bytes = b""

    @property
    def supplement(self) -> bytes:
        """What is known beside the list form: the detail, or what is recalled of it."""
        return self.detail or self.recalled

    @property
    def payload(self) -> bytes:
        """The bytes as received; list form and detail as a JSON array where there are both."""
        if self.listed and self.detail:
            return b"[" + self.listed + b"," + self.detail + b"]"
        return self.listed or self.detail

    def rejected(self, code: str, reason: str) -> Reject:
        """Return the rejection of this record."""
        scope = self.scope
        return Reject(self.record_id, self.payload, code, reason, self.observed_at, scope)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that breaks the contract: its bytes, and why, without a person's data.

    ``scope`` is that of its reading: by it the record is asked for again.
    """

    record_id: str | None
    payload: bytes
    code: str
    reason: str
    observed_at: datetime
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the inbox stores it; two that are equal are the same body about the same."""

    source: str
    event: str
    kind: str
    subject: str | None
    payload_raw: bytes
    payload: str | None
    happened_at: datetime | None = None
    error: str | None = None

    def without_payload(self) -> Event:
        """Return the event with its bytes alone."""
        return replace(self, payload=None)


class FieldKind(StrEnum):
    """What is told of a field."""

    USUAL = "usual"
    NEW = "new"
    MISSING = "missing"
    RETYPED = "retyped"
    UNKNOWN_VALUE = "unknown_value"


@dataclass(frozen=True, slots=True)
class Sighting:
    """In how many rows that was, and the JSON type of one of the values."""

    rows: int
    example_type: str | None = None

    def __add__(self, other: Sighting) -> Sighting:
        types = (self.example_type, other.example_type)
        example = next((kind for kind in types if kind not in (None, "null")), types[0])
        return Sighting(self.rows + other.rows, example)


@dataclass(frozen=True, slots=True)
class Drift:
    """What some rows tell of their fields; ``present``: how many hold each mapped field."""

    rows: int = 0
    present: Mapping[str, int] = field(default_factory=dict)
    sightings: Mapping[tuple[FieldKind, str], Sighting] = field(default_factory=dict)

    def __add__(self, other: Drift) -> Drift:
        names = self.present.keys() | other.present.keys()
        present = {n: self.present.get(n, 0) + other.present.get(n, 0) for n in names}
        sightings = dict(self.sightings)
        for key, sighting in other.sightings.items():
            sightings[key] = sightings[key] + sighting if key in sightings else sighting
        return Drift(self.rows + other.rows, present, sightings)
