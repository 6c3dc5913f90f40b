"""One list as a server gives it: its pages, what they have shown of it, and where it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from sync_pipeline.pull.creation import CreationTimes
from sync_pipeline.pull.keys import KeyOf, record_id
from sync_pipeline.pull.swept import Mark
from sync_pipeline.sources.answers import Page

FetchPage = Callable[[int], Awaitable[Page]]

# Beyond any real list, so that a server without an end cannot hold a run for ever.
MOST_PAGES = 1 << 16


@dataclass(slots=True)
class LongestPage:
    """The most rows that an endpoint has given in one page: it does not cut pages below that."""

    rows: int = 0


def marks_of(keys: Sequence[str | None], raws: Sequence[bytes]) -> list[Mark]:
    """Return what tells each row: its key, else its bytes."""
    return [raw if key is None else key for key, raw in zip(keys, raws, strict=True)]


@dataclass(slots=True)
class Listing:
    """How a list is asked for and its rows are told apart, and what its pages have shown.

    ``asked_rows`` is how many rows a page was asked to have. ``longest`` may be shared by all the
    lists of an endpoint.
    """

    fetch: FetchPage
    key_of: KeyOf = record_id
    created_of: CreationTimes | None = None
    most_pages: int = MOST_PAGES
    asked_rows: int | None = None
    longest: LongestPage = field(default_factory=LongestPage)
    size: int = 0
    """The rows of a full page, as far as this list has shown one."""
    is_total_true: bool = True
    """Otherwise the list is read as one without a total."""

    async def page(self, number: int) -> Page:
        """Ask for page ``number``."""
        page = await self.fetch(number)
        rows = len(page.records)
        self.size = max(self.size, rows)
        self.longest.rows = max(self.longest.rows, rows)
        return self.believed(page)

    def believed(self, page: Page) -> Page:
        """Return the page without a total that is not true."""
        return page if self.is_total_true else replace(page, total=None)

    def marks(self, page: Page) -> list[Mark]:
        """Return the marks of the page's rows."""
        return marks_of(self.key_of.of_all(page.records), page.records)

    def is_whole(self, first: Page) -> bool:
        """Tell whether the first page is the list: all of its total, or a short page."""
        rows = len(first.records)
        if first.total is not None:
            return first.total == rows and not first.has_more
        if first.has_more is not None:
            return not first.has_more
        return rows < max(self.longest.rows, 1)

    def pages_in(self, total: int) -> int:
        """Return how many pages ``total`` rows are."""
        return ceil(total / max(self.size, 1))


@dataclass(slots=True)
class EndSearch:
    """Finds the last page: by the total, else by doubling and bisection.

    ``low`` is the highest page that was seen to hold rows; ``is_repeating``: a page beyond gave
    rows all the same, those of a page before it; ``is_missing``: one had none against its total.
    """

    listing: Listing
    first: Page
    low: int = 1
    is_repeating: bool = False
    is_missing: bool = False
    _newest: Page | None = None
    _known: set[Mark] = field(default_factory=set)
    _firsts: set[Mark] = field(default_factory=set)

    async def last_page(self) -> tuple[int, Page | None]:
        """Return its number; with the page itself when it was the latest to be asked for."""
        self._firsts = set(self.listing.marks(self.first))
        total, most = self.first.total, self.listing.most_pages
        high = 0
        if total is not None and total > self.listing.size:
            high = min(self.listing.pages_in(total), most)
            if await self._has(high):
                return high, self._newest
        if not high:
            high = 2
            while high <= most and await self._has(high):
                if self._is_said_to_end():
                    return self.low, self._newest
                high *= 2
        high = min(high, most + 1)
        while high - self.low > 1:
            middle = (self.low + high) // 2
            if not await self._has(middle):
                high = middle
            elif self._is_said_to_end():
                break
        return self.low, self._newest

    def _is_said_to_end(self) -> bool:
        # That it is short says nothing here: it may be one in the middle.
        return self._newest is not None and self._newest.has_more is False

    async def _has(self, number: int) -> bool:
        page = await self.listing.page(number)
        marks = set(self.listing.marks(page))
        # Beyond the end some servers give nothing, some their first page again, or their last.
        if marks <= self._firsts | self._known:
            self.is_repeating = bool(marks)
            self.is_missing = (
                self.is_missing or (page.total or 0) > (number - 1) * self.listing.size
            )
            self._newest = None
            return False
        self.low, self._known, self._newest = number, marks, page
        return True
