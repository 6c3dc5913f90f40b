"""Read one paged list completely: from its last page to its first.

A deletion under the reader shifts later rows to the left: read backwards, that makes a harmless
duplicate instead of a gap. New rows come in at the tail, so that is looked at once more in the
end. Where the order cannot be shown to be strict the reading stays `incomplete`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil

from sync_pipeline.pull.keys import KeyOf, record_id
from sync_pipeline.pull.seen import Seen
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason

FetchPage = Callable[[int], Awaitable[Page]]

# Beyond any real list, so that a server without an end cannot hold a run for ever.
MOST_PAGES = 1 << 16
_NOT_BEGUN = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SweptPage:
    """A page's rows by key: those that are new to the sweep, and those that came before.

    ``keyless`` are the new ones in which no key can be read.
    """

    rows: dict[str, bytes]
    repeats: dict[str, bytes]
    keyless: list[bytes]
    duplicates: int
    sent_at: datetime

    @property
    def is_bringing(self) -> bool:
        """Whether it brought a row that was not known."""
        return bool(self.rows or self.keyless)


@dataclass(slots=True)
class Sweep:
    """One reading of a list; iterate over `pages` once, then look at ``proof``."""

    fetch: FetchPage
    key_of: KeyOf = record_id
    most_pages: int = MOST_PAGES
    started_at: datetime = _NOT_BEGUN
    proof: Proof = Proof.INCOMPLETE
    reason: Reason | None = Reason.ORDER_NOT_PROVEN
    _seen: Seen = field(default_factory=Seen)
    _is_all_keyed: bool = True

    @property
    def seen(self) -> Seen | None:
        """The keys of all rows, where the list is proven whole and each of its rows has a key.

        Otherwise None: then nothing follows from a key that did not come.
        """
        return self._seen if self._is_all_keyed and self.proof is not Proof.INCOMPLETE else None

    async def pages(self) -> AsyncIterator[SweptPage]:
        """Yield the pages as they are read; one request when one page is all.

        n pages with a true total take n + 2 requests; without one, at most 2·log2 n + 1 more.
        """
        first = await self.fetch(1)
        self.started_at = first.sent_at
        yield self._taken(first)
        if is_whole_list(first):
            self.proof, self.reason = Proof.SINGLE_RESPONSE, None
            return
        last, page = await self._last_page(first)
        latest = first
        for number in range(last, 0, -1):
            latest = page or await self.fetch(number)
            page = None
            yield self._taken(latest)
        then, now = _pages(first, len(first.records)), _pages(latest, len(first.records))
        # As many pages further on as the list says that it has grown since.
        tail = min(last + (now - then if then and now else 0), self.most_pages)
        async for swept in self._tail(tail if tail > 1 else 0):
            yield swept

    async def _tail(self, tail: int) -> AsyncIterator[SweptPage]:
        for number in range(tail, 0, -1):
            page = await self.fetch(number)
            swept = self._taken(page)
            yield swept
            if page.records and not swept.is_bringing:
                return

    def _taken(self, page: Page) -> SweptPage:
        keys = self.key_of.of_all(page.records)
        marks = [raw if key is None else key for key, raw in zip(keys, page.records, strict=True)]
        swept = SweptPage({}, {}, [], 0, page.sent_at)
        duplicates = 0
        found = zip(keys, page.records, self._seen.add(marks), strict=True)
        for key, raw, is_new in found:
            duplicates += not is_new
            if key is None:
                self._is_all_keyed = False
                swept.keyless.extend([raw] if is_new else [])
            elif is_new or key in swept.rows:
                swept.rows[key] = raw
            else:
                swept.repeats[key] = raw
        return replace(swept, duplicates=duplicates)

    def _marks(self, page: Page) -> set[str | bytes]:
        """Return what tells the page from another one: the keys of its rows, else their bytes."""
        keys = self.key_of.of_all(page.records)
        return {key or raw for key, raw in zip(keys, page.records, strict=True)}

    async def _last_page(self, first: Page) -> tuple[int, Page | None]:
        """Return the number of the last page: by the total, else by doubling and bisection.

        With the page itself where nothing was asked after it: then it need not be read again.
        """
        search = _Search(self.fetch, self._marks, self._marks(first))
        high = min(_pages(first, len(first.records)) or 0, self.most_pages)
        if high and await search.has(high):
            return high, search.newest
        if not high:
            high = 2
            while high <= self.most_pages and await search.has(high):
                high *= 2
        high = min(high, self.most_pages + 1)
        while high - search.low > 1:
            middle = (search.low + high) // 2
            if not await search.has(middle):
                high = middle
        return search.low, search.newest


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


async def sweep_list(
    fetch: FetchPage, *, key_of: KeyOf = record_id, most_pages: int = MOST_PAGES
) -> SweptList:
    """Read a list that is known to be small enough to be held as a whole."""
    sweep = Sweep(fetch, key_of, most_pages)
    rows: dict[str, tuple[bytes, datetime]] = {}
    keyless: dict[bytes, datetime] = {}
    duplicates = 0
    async for page in sweep.pages():
        duplicates += page.duplicates
        rows |= {key: (raw, page.sent_at) for key, raw in (page.rows | page.repeats).items()}
        keyless |= dict.fromkeys(page.keyless, page.sent_at)
    return SweptList(
        rows, keyless, duplicates, sweep.started_at, sweep.proof, sweep.reason, sweep.seen
    )


def is_whole_list(first: Page) -> bool:
    """Tell whether the first page says that there is nothing beyond it."""
    if first.total is not None:
        return first.total == len(first.records)
    return first.has_more is False or not (first.records or first.has_more)


@dataclass(slots=True)
class _Search:
    """Asks pages whether they hold rows; ``low`` is the highest that does."""

    fetch: FetchPage
    marks_of: Callable[[Page], set[str | bytes]]
    first_marks: set[str | bytes]
    low: int = 1
    low_marks: set[str | bytes] = field(default_factory=set)
    newest: Page | None = None
    """The page ``low``, when it was the latest to be asked for."""

    async def has(self, number: int) -> bool:
        page = await self.fetch(number)
        marks = self.marks_of(page)
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
