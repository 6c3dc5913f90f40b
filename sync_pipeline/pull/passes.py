"""One pass over a list: from its last page to its first, and once more at its tail.

A deletion under the reader shifts later rows to the left: read backwards, that makes a harmless
duplicate instead of a gap. Here is also what a pass notices that speaks against it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sync_pipeline.pull.creation import CreationOrder
from sync_pipeline.pull.listing import EndSearch, Listing
from sync_pipeline.pull.swept import Mark, SweptPage
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Reason

# What is read is not what was asked for, or may go on for ever: nothing is gained by the rest.
ENDING = (Reason.FILTER_IGNORED,)
# Beside a quarter of the pages.
_STEPS_BACK = 2


@dataclass(slots=True)
class Pass:
    """Iterate over `read` once, then look at the rest.

    ``flaw`` is the first thing that speaks against it, ``is_single`` tells that the whole list
    came in one answer after all, ``is_bringing`` that rows came which were unknown before.
    """

    listing: Listing
    take: Callable[[Page], SweptPage]
    order: CreationOrder = field(init=False)
    flaw: Reason | None = None
    is_single: bool = False
    is_bringing: bool = False
    least_total: int | None = None
    newest: tuple[int, Page] | None = None
    """The page that was read last."""
    _size: int = 0
    _last: int = 0
    _has_promise: bool = False
    _is_full: bool = False
    _before: list[Mark] = field(default_factory=list)
    _last_marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order = CreationOrder(self.listing.created_of)

    async def read(self, newest: tuple[int, Page]) -> AsyncIterator[SweptPage]:
        """Yield the pages as they are read; ``newest`` is the page that was read just before."""
        number, page = await self._begin(newest)
        self.order.steps_back = _STEPS_BACK + number // 4
        latest = newest[1]
        while number and self.flaw not in ENDING:
            latest = page or await self.listing.page(number)
            page = None
            if latest is newest[1] and number > 1:
                marks = self.listing.marks(latest)
            else:
                swept = self._taken(number, latest)
                yield swept
                marks = swept.marks
            self._look_at(number, latest, marks)
            if number == self._last:
                self.order.begin_anew()
            number = self.order.next_after(number, latest.records, marks)
        self.order.begin_anew()
        self.order.steps_back = 0
        tail = 0 if self.flaw in ENDING else self._tail_begins(latest)
        async for swept in self._tail(tail):
            yield swept
        if self._has_promise:
            self._object(Reason.PROMISES_MORE)

    async def _begin(self, newest: tuple[int, Page]) -> tuple[int, Page | None]:
        """Return the last page's number, and the page where it is at hand."""
        number, page = newest[0], self.listing.believed(newest[1])
        self._size = self.listing.size
        if page.total is not None and 1 < self.listing.pages_in(page.total) <= number:
            self._last = self.listing.pages_in(page.total)
            return self._last, page if number == self._last else None
        first = page if number == 1 else await self.listing.page(1)
        search = EndSearch(self.listing, first)
        self._last, last_page = await search.last_page()
        # The first page may have come short.
        self._size = self.listing.size
        if self._last == 1 and search.is_repeating:
            self._object(Reason.REPEATED_PAGE)
        if search.is_missing:
            self._object(Reason.TOTAL_NOT_REACHED)
        if self._last >= self.listing.most_pages:
            self._object(Reason.PAGE_CAP)
        asked = self.listing.asked_rows
        if first.total is None and self._last > 1 and asked and self._size < asked:
            self._object(Reason.PAGES_CAPPED)
        return self._last, last_page

    def _look_at(self, number: int, page: Page, marks: list[Mark]) -> None:
        """Note what a page of the way down says against the pass."""
        rows = len(marks)
        if marks and marks == self._before:
            if 1 < number == self._last - 1 and page.total is None:
                # Beyond its end the list gives its last page again.
                self._last = number
            else:
                self._object(Reason.REPEATED_PAGE)
        if rows > self._size:
            # The page that the others were measured by was short.
            self._object(Reason.SHORT_PAGE)
        elif page.total is not None:
            self._compare(number, rows, page.total)
        elif rows < self._size and number < self._last and self._before:
            self._object(Reason.SHORT_PAGE)
        if number == self._last:
            is_end = page.total is None or page.total <= number * self._size
            self._has_promise = bool(page.has_more) and is_end
            self._is_full, self._last_marks = rows == self._size, marks
        self.is_single = number == 1 and page.total is not None and self.listing.is_whole(page)
        self._before = marks or self._before

    def _compare(self, number: int, rows: int, total: int) -> None:
        due = min(self._size, max(0, total - (number - 1) * self._size))
        if rows > due:
            self._object(Reason.TOTAL_EXCEEDED)
        elif rows < due:
            is_end = number == self._last
            self._object(Reason.TOTAL_NOT_REACHED if is_end else Reason.SHORT_PAGE)

    def _tail_begins(self, latest: Page) -> int:
        """Return the list's last page by now; one page further where the last one was full."""
        last = self._last if latest.total is None else self.listing.pages_in(latest.total)
        if last <= 1:
            return 0
        is_further = last == self._last and self._is_full
        return min(last + is_further, self.listing.most_pages)

    async def _tail(self, tail: int) -> AsyncIterator[SweptPage]:
        """Read the list's end once more, from page ``tail`` until a page holds only known rows."""
        number = tail
        while number:
            page = await self.listing.page(number)
            swept = self._taken(number, page)
            yield swept
            is_beyond = number > self._last
            # Beyond its end a list may give its first page again, or its last.
            if is_beyond and swept.marks not in ([], self._before, self._last_marks):
                self._has_promise = False
                if page.total is not None:
                    self._compare(number, len(page.records), page.total)
            if not swept.is_bringing and (page.records or is_beyond):
                return
            number = self.order.next_after(number, page.records, swept.marks)

    def _taken(self, number: int, page: Page) -> SweptPage:
        if page.total is not None:
            least = self.least_total
            self.least_total = page.total if least is None else min(least, page.total)
        swept = self.take(page)
        self.is_bringing = self.is_bringing or swept.is_bringing
        if swept.is_outside:
            self.flaw = Reason.FILTER_IGNORED
        self.newest = number, page
        return swept

    def _object(self, flaw: Reason) -> None:
        self.flaw = self.flaw or flaw
