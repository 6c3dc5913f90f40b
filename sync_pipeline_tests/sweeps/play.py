"""One list and its readers: changes, answers, faults and crashes in any order, and the judges.

Each sweep is stepped by hand: it stands still at each request until it is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from random import Random

import msgspec

from sync_pipeline.errors import SourceError
from sync_pipeline.mapping.fields import Form
from sync_pipeline.pull.creation import CreationTimes
from sync_pipeline.pull.listing import FetchPage
from sync_pipeline.pull.sweep import Sweep, sweep_list
from sync_pipeline.pull.swept import SweptList
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof
from sync_pipeline_tests.sweeps.server import ASKED_ROWS, Fault, ListServer, Order, Ways

CREATED = CreationTimes("created_on", form=Form.EPOCH)
# A reader that never comes to an end is one that asks so often.
MOST_REQUESTS = 5_000
MOST_PAGES = 128

Read = Callable[[FetchPage, Ways], Coroutine[object, Page, SweptList]]


def tail_first(fetch: FetchPage, ways: Ways) -> Coroutine[object, Page, SweptList]:
    """Read as the product does."""
    asked = ways.size if ways.is_size_asked else ASKED_ROWS
    return sweep_list(Sweep(fetch, most_pages=MOST_PAGES, created_of=CREATED, asked_rows=asked))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for its answer."""

    number: int

    def __await__(self) -> Generator[Asked, Page, Page]:
        return (yield self)


@dataclass(slots=True)
class Reading:
    """One sweep under way, and what happened while it went on."""

    began: int
    versions: dict[int, int]
    """Of each row that the list had when it began."""
    is_backdated: bool = False
    is_lied_to: bool = False
    requests: int = 0
    still_requests: int = 0
    """How many requests the list has stood still for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A sweep that came to its end, beside the list's own history."""

    server: ListServer
    reading: Reading
    swept: SweptList

    @property
    def missing(self) -> set[int]:
        """The rows that were there throughout, and did not come in a version of that time."""
        throughout = {
            number: version
            for number, version in self.reading.versions.items()
            if self.server.rows[number].died is None
        }
        brought = {int(key): version_of(raw) for key, (raw, _) in self.swept.rows.items()}
        return {n for n, version in throughout.items() if brought.get(n, -1) < version}

    @property
    def is_assumption_met(self) -> bool:
        """Whether what the sweep's proof assumes was so (docs/proofs.md)."""
        ways, reading = self.server.ways, self.reading
        is_told_the_truth = ways.is_total_true and not reading.is_lied_to and not ways.has_gaps
        # Without times the ids tell the order, and the list must be in theirs.
        is_sorted = ways.order is Order.ASCENDING
        is_sorted |= ways.order is Order.UNSTABLE_TIES and ways.has_times
        is_tail_alone = is_sorted and not reading.is_backdated
        match self.swept.proof:
            case Proof.SINGLE_RESPONSE:
                return is_told_the_truth
            case Proof.TAIL_FIRST:
                return is_told_the_truth and is_tail_alone
            case Proof.AGREEING_PASSES:
                pages = len(self.server.rows) // ways.size + 1
                is_still = reading.still_requests > 2 * pages + 2 * pages.bit_length() + 8
                is_kept = ways.is_ordered and (is_still or is_tail_alone)
                return is_told_the_truth and is_kept
            case Proof.INCOMPLETE:
                return False


Judge = Callable[[Ended], None]


def holds_its_promise(ended: Ended) -> None:
    """Where the assumption holds, every row that was there throughout has come."""
    if ended.is_assumption_met:
        assert not ended.missing, (ended.swept.proof, ended.missing)


def version_of(raw: bytes) -> int:
    """Return the version of a row as it was read."""
    version: int = msgspec.json.decode(raw)["v"]
    return version


@dataclass(slots=True)
class Play:
    """A list, its server's ways, and one reader after the other; each end is judged."""

    ways: Ways
    chance: Random
    read: Read = tail_first
    judges: tuple[Judge, ...] = (holds_its_promise,)
    server: ListServer = field(init=False)
    ended: list[Ended] = field(default_factory=list)
    most_pages: int = 0
    _coroutine: Coroutine[object, Page, SweptList] | None = None
    _asked: Asked | None = None
    _reading: Reading | None = None

    def __post_init__(self) -> None:
        self.server = ListServer(self.ways, self.chance)

    @property
    def is_reading(self) -> bool:
        return self._asked is not None

    def insert(self, *, after_last: int) -> None:
        """Add a row at the tail, so many seconds after the last one (0: a tie)."""
        self._is_moved()
        if self._reading and after_last == 0:
            # One that is created with the last row may come to stand before it.
            self._reading.is_backdated = True
        self.server.insert(self.server.last_created + after_last)

    def backdate(self, share: float) -> None:
        """Add a row as if it had been created so far into the list."""
        self._is_moved()
        if self._reading:
            self._reading.is_backdated = True
        self.server.insert(int(self.server.last_created * share))

    def delete(self, place: int) -> None:
        living = self.server.living()
        if living:
            self._is_moved()
            self.server.delete(living[place % len(living)].number)

    def update(self, place: int) -> None:
        living = self.server.living()
        if living:
            self.server.update(living[place % len(living)].number)

    def begin(self) -> None:
        """Begin a sweep; it comes to stand at its first request."""
        versions = {row.number: row.version for row in self.server.living()}
        self.most_pages = max(self.most_pages, -(-len(versions) // self.ways.size))
        self._reading = Reading(self.server.clock, versions)
        self._coroutine = self.read(Asked, self.ways)
        self._go_on(None)

    def answer(self, fault: Fault | None = None) -> None:
        """Answer the request that waits."""
        assert self._asked is not None
        assert self._reading is not None
        # What was answered before is another reader's.
        fault = None if fault is Fault.REPEATED and not self._reading.requests else fault
        page, is_lie = self.server.answer(self._asked.number, fault)
        self._reading.is_lied_to |= is_lie
        self._reading.requests += 1
        self._reading.still_requests += 1
        assert self._reading.requests < MOST_REQUESTS
        self._go_on(page)

    def fail(self, error: SourceError) -> None:
        """Let the request that waits fail, and with it the sweep."""
        assert self._coroutine is not None
        try:
            self._coroutine.throw(error)
        except SourceError:
            self._forget()
        else:
            raise AssertionError("an error of the source was kept from who pulls")

    def crash(self) -> None:
        """Let the reader die where it stands."""
        assert self._coroutine is not None
        self._coroutine.close()
        self._forget()

    def read_on(self) -> Ended:
        """Answer whatever the sweep still asks; return how it ended."""
        while self.is_reading:
            self.answer()
        return self.ended[-1]

    def settle(self) -> None:
        """Let the list stand still: then everything is found, and a plain server's is proven."""
        if self.is_reading:
            self.crash()
        found: set[int] = set()
        living = {row.number for row in self.server.living()}
        for _ in range(1 if self.ways.is_ordered else 20):
            self.begin()
            ended = self.read_on()
            found |= {int(key) for key in ended.swept.rows}
            if living <= found:
                break
        if self.ways.is_plain:
            assert ended.swept.proof is not Proof.INCOMPLETE, ended.swept.reason
        if not self._is_hidden(living):
            assert living <= found, living - found

    def _is_hidden(self, living: set[int]) -> bool:
        """Tell whether the server keeps rows from any reader, or says that one page is all."""
        stated = self.server.answer(1, None)[0].total
        is_first_all = stated is not None and stated <= self.ways.size < len(living)
        return self.ways.has_gaps or is_first_all

    def _go_on(self, page: Page | None) -> None:
        assert self._coroutine is not None
        assert self._reading is not None
        try:
            asked = self._coroutine.send(page)  # type: ignore[arg-type] # None begins it
        except StopIteration as end:
            ended = Ended(self.server, self._reading, end.value)
            self.ended.append(ended)
            self._forget()
            for judge in self.judges:
                judge(ended)
        else:
            assert isinstance(asked, Asked)
            self._asked = asked

    def _is_moved(self) -> None:
        if self._reading:
            self._reading.still_requests = 0

    def _forget(self) -> None:
        self._asked = self._coroutine = self._reading = None
