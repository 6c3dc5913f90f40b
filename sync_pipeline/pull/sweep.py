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

from sync_pipeline.pull.keys import record_key
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason

FetchPage = Callable[[int], Awaitable[Page]]

# 2^20 pages: beyond any real list, so that a server without an end cannot hold a run for ever.
MOST_PAGES = 1 << 20


@dataclass(slots=True)
class Sweep:
    """The rows of a list by key (the newest reading of each), and how complete they are."""

    started_at: datetime
    rows: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    keyless: list[tuple[bytes, datetime]] = field(default_factory=list)
    duplicates: int = 0
    proof: Proof = Proof.INCOMPLETE
    reason: Reason | None = Reason.ORDER_NOT_PROVEN

    def take(self, page: Page) -> bool:
        """Keep a page's rows; tell whether it brought a key that was not known."""
        before = len(self.rows)
        for raw in page.records:
            key = record_key(raw)
            if key is None:
                self.keyless.append((raw, page.sent_at))
                continue
            self.duplicates += key in self.rows
            self.rows[key] = (raw, page.sent_at)
        return len(self.rows) > before


async def sweep_list(fetch: FetchPage) -> Sweep:
    """Read the list that ``fetch`` pages through (from 1); one request when one page is all.

    n pages with a true total take n + 2 requests; without one, 2·log2 n more.
    """
    first = await fetch(1)
    sweep = Sweep(first.sent_at)
    sweep.take(first)
    if is_whole_list(first):
        sweep.proof, sweep.reason = Proof.SINGLE_RESPONSE, None
        return sweep
    last, latest = await _last_page(fetch, first), first
    for number in range(last, 0, -1):
        latest = await fetch(number)
        sweep.take(latest)
    await _reread_tail(fetch, sweep, tail=_pages(latest, len(first.records)) or last)
    return sweep


def is_whole_list(first: Page) -> bool:
    """Tell whether the first page says that there is nothing beyond it."""
    if not first.records or first.total == len(first.records):
        return True
    return first.total is None and first.has_more is False


async def _reread_tail(fetch: FetchPage, sweep: Sweep, *, tail: int) -> None:
    for number in range(tail, 0, -1):
        page = await fetch(number)
        if page.records and not sweep.take(page):
            return


async def _last_page(fetch: FetchPage, first: Page) -> int:
    """Return the number of the last page: by the total, else by doubling and bisection."""
    by_total = _pages(first, len(first.records))
    if by_total is not None:
        return by_total
    keys = {record_key(raw) for raw in first.records}
    low, high = 1, 2
    while high < MOST_PAGES and await _has_page(fetch, high, keys):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if await _has_page(fetch, middle, keys):
            low = middle
        else:
            high = middle
    return low


async def _has_page(fetch: FetchPage, number: int, first_keys: set[str | None]) -> bool:
    # Some servers answer a page beyond the end with the first one again.
    page = await fetch(number)
    return bool({record_key(raw) for raw in page.records} - first_keys)


def _pages(page: Page, per_page: int) -> int | None:
    if page.total is None or page.total <= per_page:
        return None
    return min(ceil(page.total / per_page), MOST_PAGES)
