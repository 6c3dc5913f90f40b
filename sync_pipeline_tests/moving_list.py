"""A paged list in memory that can change between any two requests, and counts these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sync_pipeline.sources.answers import Page

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
Beyond = Literal["nothing", "first page", "last page"]


def row(number: int | str) -> bytes:
    """Return the bytes of a row with that id."""
    return b'{"id":"%s"}' % str(number).encode()


@dataclass(slots=True)
class MovingList:
    """Rows in the order of their creation; ``between`` is called before each answer but the first.

    ``has_total`` and ``says_more`` are what the server says (``stated``: a total of its own
    making), ``beyond`` what it gives past the end. Rows in ``hidden`` places it leaves out.
    """

    rows: list[bytes]
    size: int = 2
    has_total: bool = True
    says_more: bool | None = None
    beyond: Beyond = "nothing"
    between: Callable[[], None] = lambda: None
    stated: int | None = None
    hidden: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    async def fetch(self, number: int) -> Page:
        if self.asked:
            self.between()
        self.asked.append(number)
        last = max(1, -(-len(self.rows) // self.size))
        shown = {"nothing": number, "first page": 1, "last page": last}[self.beyond]
        number = number if number <= last else shown
        places = range((number - 1) * self.size, min(number * self.size, len(self.rows)))
        total = len(self.rows) if self.stated is None else self.stated
        return Page(
            tuple(self.rows[place] for place in places if place not in self.hidden),
            total if self.has_total else None,
            BEGINNING + timedelta(seconds=len(self.asked)),
            self.says_more,
        )
