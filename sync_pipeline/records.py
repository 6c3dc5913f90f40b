"""The values that travel from a source to a table: records as received, and the rejected ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
