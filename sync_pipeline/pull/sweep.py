"""Read one paged list completely, and say how that is known.

A pass reads from the last page to the first (`passes`); where the rows do not show their order
(`creation`), passes are repeated until they agree. docs/proofs.md says what each proof assumes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sync_pipeline.pull.creation import CreationTimes
from sync_pipeline.pull.keys import KeyOf, record_id
from sync_pipeline.pull.listing import MOST_PAGES, FetchPage, Listing, LongestPage, marks_of
from sync_pipeline.pull.passes import Pass
from sync_pipeline.pull.seen import Seen
from sync_pipeline.pull.swept import SweptList, SweptPage
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason

MOST_PASSES = 5
# Another pass would meet them again.
_LASTING = (Reason.PAGE_CAP, Reason.PAGES_CAPPED, Reason.FILTER_IGNORED)
_NOT_BEGUN = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Sweep:
    """One reading of a list; iterate over `pages` once, then look at ``proof``.

    ``created_of`` reads when a row was created, where rows say so. ``asked_rows`` is how many rows
    a page was asked to have; ``longest`` may be shared by all the lists of an endpoint. ``since``:
    only what was created from then on was asked for (whole seconds).
    """

    fetch: FetchPage
    key_of: KeyOf = record_id
    most_pages: int = MOST_PAGES
    created_of: CreationTimes | None = field(default=None, kw_only=True)
    asked_rows: int | None = field(default=None, kw_only=True)
    longest: LongestPage = field(default_factory=LongestPage, kw_only=True)
    since: datetime | None = field(default=None, kw_only=True)
    started_at: datetime = field(default=_NOT_BEGUN, init=False)
    proof: Proof = field(default=Proof.INCOMPLETE, init=False)
    reason: Reason | None = field(default=Reason.ORDER_NOT_PROVEN, init=False)
    _listing: Listing = field(init=False)
    _seen: Seen = field(default_factory=Seen, init=False)
    _is_all_keyed: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._listing = Listing(
            self.fetch, self.key_of, self.created_of, self.most_pages, self.asked_rows, self.longest
        )

    @property
    def seen(self) -> Seen | None:
        """The keys of all rows, where the list is proven whole and each of its rows has a key.

        Otherwise None: then nothing follows from a key that did not come.
        """
        return self._seen if self._is_all_keyed and self.proof is not Proof.INCOMPLETE else None

    async def pages(self) -> AsyncIterator[SweptPage]:
        """Yield the pages as they are read; one request when one page is all.

        A pass over n pages takes n + 2 requests; without a total, at most 2·log2 n + 1 more.
        """
        first = await self._listing.page(1)
        self.started_at = first.sent_at
        swept = self._take(first)
        yield swept
        if swept.is_outside:
            self.reason = Reason.FILTER_IGNORED
            return
        if self._listing.is_whole(first):
            self._prove(Proof.SINGLE_RESPONSE)
            return
        newest = 1, first
        for number in range(MOST_PASSES):
            reading = Pass(self._listing, self._take_again if number else self._take)
            async for swept in reading.read(newest):
                yield swept
            if self._is_settled(reading, is_first=not number):
                return
            newest = reading.newest or newest

    def _is_settled(self, reading: Pass, *, is_first: bool) -> bool:
        """Judge a pass that was read; tell whether another one is of no use."""
        flaw = reading.flaw
        if flaw is None and (reading.least_total or 0) > len(self._seen):
            flaw = Reason.TOTAL_NOT_REACHED
        if reading.is_single:
            self._prove(Proof.SINGLE_RESPONSE)
        elif flaw is not None:
            # What comes twice in a row is the server's way.
            is_its_way = flaw in _LASTING or flaw is self.reason
            self.reason = flaw
            if is_its_way and flaw is Reason.TOTAL_EXCEEDED:
                self._listing.is_total_true = False
                return False
            return is_its_way
        elif reading.order.is_shown:
            self._prove(Proof.TAIL_FIRST)
        elif not (is_first or reading.is_bringing):
            self._prove(Proof.AGREEING_PASSES)
        else:
            self.reason = Reason.ORDER_NOT_PROVEN
        return self.proof is not Proof.INCOMPLETE

    def _prove(self, proof: Proof) -> None:
        self.proof, self.reason = proof, None

    def _take_again(self, page: Page) -> SweptPage:
        """Take a page of a later pass: what is known of it was loaded, and is not again."""
        swept = self._take(page)
        return replace(swept, repeats={})

    def _take(self, page: Page) -> SweptPage:
        keys = self.key_of.of_all(page.records)
        marks = marks_of(keys, page.records)
        swept = SweptPage({}, {}, [], page.sent_at, marks, is_outside=self._is_outside(page))
        is_news = self._seen.add(marks)
        found = [key for key in keys if key is not None]
        if all(is_news) and len(found) == len(keys):
            swept.rows.update(zip(found, page.records, strict=True))
            return swept
        duplicates = 0
        for key, raw, is_new in zip(keys, page.records, is_news, strict=True):
            duplicates += not is_new
            if key is None:
                self._is_all_keyed = False
                swept.keyless.extend([raw] if is_new else [])
            elif is_new or key in swept.rows:
                swept.rows[key] = raw
            else:
                swept.repeats[key] = raw
        return replace(swept, duplicates=duplicates)

    def _is_outside(self, page: Page) -> bool:
        """Tell whether a row is not of the time that was asked for, or does not say of which."""
        if self.since is None or self.created_of is None:
            return False
        times = self.created_of.of_all(page.records)
        return times is None or min(times, default=self.since) < self.since.replace(microsecond=0)


async def sweep_list(sweep: Sweep) -> SweptList:
    """Read a list that is known to be small enough to be held as a whole."""
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
