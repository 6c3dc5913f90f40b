"""Read one paged list completely: from its last page to its first.

A deletion under the reader shifts later rows to the left: read backwards, that makes a harmless
duplicate instead of a gap. New rows come in at the tail, so that is looked at once more in the
end. Where the order cannot be shown to be strict the reading stays `incomplete`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from sync_pipeline.pull.keys import record_id
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason

FetchPage = Callable[[int], Awaitable[Page]]
KeyOf = Callable[[bytes], str | None]

# Beyond any real list, so that a server without an end cannot hold a run for ever.
MOST_PAGES = 1 << 16


@dataclass(slots=True)
class Sweep:
    """The rows of a list by key (the newest reading of each), and how complete they are."""

    started_at: datetime
    key_of: KeyOf = record_id
    rows: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    keyless: dict[bytes, datetime] = field(default_factory=dict)
    duplicates: int = 0
    proof: Proof = Proof.INCOMPLETE
    reason: Reason | None = Reason.ORDER_NOT_PROVEN

    def take(self, page: Page) -> bool:
        """Keep a page's rows; tell whether it brought one that was not known."""
        before = len(self.rows) + len(self.keyless)
        for raw in page.records:
            key = self.key_of(raw)
            if key is None:
                self.duplicates += raw in self.keyless
                self.keyless[raw] = page.sent_at
            else:
                self.duplicates += key in self.rows
                self.rows[key] = (raw, page.sent_at)
        return len(self.rows) + len(self.keyless) > before

    def marks(self, page: Page) -> set[str | bytes]:
        """Return what tells the page from another one: the keys of its rows, else their bytes."""
        return {self.key_of(raw) or raw for raw in page.records}


async def sweep_list(
    fetch: FetchPage, *, key_of: KeyOf = record_id, most_pages: int = MOST_PAGES
) -> Sweep:
    """Read the list that ``fetch`` pages through (from 1); one request when one page is all.

    n pages with a true total take n + 2 requests; without one, at most 2·log2 n + 1 more.
    """
    first = await fetch(1)
    sweep = Sweep(first.sent_at, key_of)
    sweep.take(first)
    if is_whole_list(first):
        sweep.proof, sweep.reason = Proof.SINGLE_RESPONSE, None
        return sweep
    last, page = await _last_page(fetch, sweep, first, most_pages)
    latest = first
    for number in range(last, 0, -1):
        latest = page or await fetch(number)
        page = None
        sweep.take(latest)
    then, now = _pages(first, len(first.records)), _pages(latest, len(first.records))
    # As many pages further on as the list says that it has grown since.
    tail = min(last + (now - then if then and now else 0), most_pages)
    if tail > 1:
        await _reread_tail(fetch, sweep, tail=tail)
    return sweep


def is_whole_list(first: Page) -> bool:
    """Tell whether the first page says that there is nothing beyond it."""
    if first.total is not None:
        return first.total == len(first.records)
    return first.has_more is False or not (first.records or first.has_more)


async def _reread_tail(fetch: FetchPage, sweep: Sweep, *, tail: int) -> None:
    for number in range(tail, 0, -1):
        page = await fetch(number)
        if page.records and not sweep.take(page):
            return


async def _last_page(
    fetch: FetchPage, sweep: Sweep, first: Page, most_pages: int
) -> tuple[int, Page | None]:
    """Return the number of the last page: by the total, else by doubling and bisection.

    With the page itself where nothing was asked after it: then it need not be read again.
    """
    search = _Search(fetch, sweep, sweep.marks(first))
    high = min(_pages(first, len(first.records)) or 0, most_pages)
    if high and await search.has(high):
        return high, search.newest
    if not high:
        high = 2
        while high <= most_pages and await search.has(high):
            high *= 2
    high = min(high, most_pages + 1)
    while high - search.low > 1:
        middle = (search.low + high) // 2
        if not await search.has(middle):
            high = middle
    return search.low, search.newest


@dataclass(slots=True)
class _Search:
    """Asks pages whether they hold rows; ``low`` is the highest that does."""

    fetch: FetchPage
    sweep: Sweep
    first_marks: set[str | bytes]
    low: int = 1
    low_marks: set[str | bytes] = field(default_factory=set)
    newest: Page | None = None
    """The page ``low``, when it was the latest to be asked for."""

    async def has(self, number: int) -> bool:
        page = await self.fetch(number)
        marks = self.sweep.marks(page)
        # Beyond the end some servers give nothing, some their first page again, or their last.
        if marks <= self.first_marks | self.low_marks:
            self.newest = None
            return False
        self.low, self.low_marks, self.newest = number, marks, page
        return True


def _pages(page: Page, per_page: int) -> int | None:
    if page.total is None or page.total <= per_page:
        return None
    return ceil(page.total / max(per_page, 1))
