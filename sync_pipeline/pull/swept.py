"""What a sweep hands on: its pages one by one, or a whole list that is held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync_pipeline.pull.seen import Seen
from sync_pipeline.warehouse.progress import Proof, Reason

Mark = str | bytes


@dataclass(frozen=True, slots=True)
class SweptPage:
    """A page's rows by key: those that are new to the sweep, and those that came before.

    ``keyless`` are the new ones in which no key can be read. ``marks`` tell each row of the page:
    its key, else its bytes.
    """

    rows: dict[str, bytes]
    repeats: dict[str, bytes]
    keyless: list[bytes]
    sent_at: datetime
    marks: list[Mark]
    duplicates: int = 0
    is_outside: bool = False
    """Whether it holds rows that were not asked for."""

    @property
    def is_bringing(self) -> bool:
        """Whether it brought a row that was not known."""
        return bool(self.rows or self.keyless)


@dataclass(frozen=True, slots=True)
class SweptList:
    """A whole list in memory: its rows by key (the newest reading of each)."""

    rows: dict[str, tuple[bytes, datetime]]
    keyless: dict[bytes, datetime]
    duplicates: int
    started_at: datetime
    proof: Proof
    reason: Reason | None
    seen: Seen | None
    """As of `Sweep.seen`."""
