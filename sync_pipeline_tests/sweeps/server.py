"""A paged list in memory as servers have them, with their ways and their faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from random import Random

from sync_pipeline.sources.answers import Page

EPOCH_S = 1_700_000_000
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
ASKED_ROWS = 10


class Order(StrEnum):
    """How the server sorts; only the first two are what it was asked for."""

    ASCENDING = "ascending"
    UNSTABLE_TIES = "ascending, ties in any order"
    DESCENDING = "descending"
    BY_ID = "by id"


class Total(StrEnum):
    """What the server says of the length of the list."""

    TRUE = "true"
    NONE = "none"
    NONE_ABOVE = "none above a cap"
    CAPPED = "the cap, above it"
    TOO_HIGH = "too high"
    TOO_LOW = "too low"


class Fault(StrEnum):
    """What may be wrong with one answer."""

    SHORT = "short"
    EMPTY = "empty"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one server; ``has_gaps``: it skips what it was asked for and cuts pages short.

    ``says_more``: what it answers where it says whether there is more (None: it is silent).
    """

    size: int = 3
    order: Order = Order.ASCENDING
    total: Total = Total.TRUE
    total_cap: int = 9
    beyond: str = "nothing"
    says_more: str | None = None
    has_times: bool = True
    has_gaps: bool = False
    is_size_asked: bool = True
    """Whether pages have as many rows as were asked for."""

    @property
    def is_total_true(self) -> bool:
        return self.total in (Total.TRUE, Total.NONE, Total.NONE_ABOVE)

    @property
    def is_ordered(self) -> bool:
        """Whether rows keep their place while the list stands still."""
        return self.order is not Order.UNSTABLE_TIES

    @property
    def is_plain(self) -> bool:
        """Whether a list that stands still is to be proven at once."""
        is_told = self.is_size_asked or self.total is Total.TRUE
        is_honest = self.says_more != "always" and self.is_total_true and not self.has_gaps
        # One full page that comes again beyond the end may be a server that does not page at all.
        is_paging = self.beyond == "nothing" or self.total is Total.TRUE
        return is_told and is_honest and is_paging and self.is_ordered


@dataclass(slots=True)
class Row:
    """One row and its history, in the world's own time."""

    number: int
    created: int
    born: int
    version: int = 0
    died: int | None = None

    def raw(self, *, has_time: bool) -> bytes:
        time = b',"created_on":%d' % (EPOCH_S + self.created) if has_time else b""
        return b'{"id":"%d"%b,"v":%d}' % (self.number, time, self.version)


@dataclass(slots=True)
class ListServer:
    """The list; ``clock`` counts everything that happens to it or is asked of it."""

    ways: Ways
    chance: Random
    rows: dict[int, Row] = field(default_factory=dict)
    clock: int = 0
    last_created: int = 0
    _made: int = 0
    _answered: Page | None = None

    def insert(self, created: int) -> Row:
        """Add a row of that creation time."""
        self.clock += 1
        row = Row(self._made, created, self.clock)
        self._made += 1
        self.rows[row.number] = row
        self.last_created = max(self.last_created, created)
        return row

    def delete(self, number: int) -> None:
        self.clock += 1
        self.rows[number].died = self.clock

    def update(self, number: int) -> None:
        self.clock += 1
        self.rows[number].version += 1

    def living(self) -> list[Row]:
        return [row for row in self.rows.values() if row.died is None]

    def answer(self, number: int, fault: Fault | None) -> tuple[Page, bool]:
        """Return page ``number``, and whether it lies in a way that nothing in it shows."""
        self.clock += 1
        rows = list(self._sorted())
        true = self._page(rows, number)
        page = self._spoilt(true, fault)
        is_lie = page.records != true.records and page.total is None
        self._answered = page
        return page, is_lie

    def _page(self, rows: list[Row], number: int) -> Page:
        size = self.ways.size
        last = max(1, -(-len(rows) // size))
        shown = {"nothing": number, "first page": 1, "last page": last}[self.ways.beyond]
        number = number if number <= last else shown
        stride = 2 * size if self.ways.has_gaps else size
        found = rows[(number - 1) * stride : (number - 1) * stride + size]
        has_more = {
            None: None,
            "truly": number * stride < len(rows),
            "always": True,
        }[self.ways.says_more]
        raws = tuple(row.raw(has_time=self.ways.has_times) for row in found)
        sent_at = BEGINNING + timedelta(seconds=self.clock)
        return Page(raws, self._total(len(rows)), sent_at, has_more)

    def _spoilt(self, page: Page, fault: Fault | None) -> Page:
        match fault:
            case Fault.SHORT:
                return Page(page.records[:-1], page.total, page.sent_at, page.has_more)
            case Fault.EMPTY:
                return Page((), page.total, page.sent_at, page.has_more)
            case Fault.REPEATED if self._answered is not None:
                before = self._answered
                return Page(before.records, before.total, page.sent_at, before.has_more)
        return page

    def _sorted(self) -> Iterator[Row]:
        living = self.living()
        match self.ways.order:
            case Order.DESCENDING:
                yield from sorted(living, key=lambda row: (-row.created, -row.number))
            case Order.BY_ID:
                # As identifiers are: no order in time.
                yield from sorted(living, key=lambda row: row.number * 7_919 % 10_007)
            case Order.ASCENDING:
                yield from sorted(living, key=lambda row: (row.created, row.number))
            case Order.UNSTABLE_TIES:
                ascending = sorted(living, key=lambda row: row.created)
                for _, tied in groupby(ascending, key=lambda row: row.created):
                    group = list(tied)
                    self.chance.shuffle(group)
                    yield from group

    def _total(self, count: int) -> int | None:
        cap = self.ways.total_cap
        match self.ways.total:
            case Total.NONE:
                return None
            case Total.NONE_ABOVE:
                return count if count <= cap else None
            case Total.CAPPED:
                return min(count, cap)
            case Total.TOO_HIGH:
                return count + 2
            case Total.TOO_LOW:
                return max(0, count - 2)
            case Total.TRUE:
                return count
