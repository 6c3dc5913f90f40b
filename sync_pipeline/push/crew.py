"""Many updates of one source side by side: claimed, delivered, settled; what was read is loaded.

States and ledger are committed before the readings are loaded: so the load knows our own writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync_pipeline.errors import SourceError
from sync_pipeline.pull.setbacks import IN_A_ROW
from sync_pipeline.push.courier import Courier, Delivered
from sync_pipeline.push.deliver import deliver
from sync_pipeline.push.read_back import ReadBacks
from sync_pipeline.push.records import Read
from sync_pipeline.push.together import Together, in_thread
from sync_pipeline.warehouse.outbox import Claim, Desk

# While one update waits for the database, others have the requests.
UPDATES_PER_REQUEST = 8
# Each load costs as much as many rows of it.
LOAD_EVERY_S = 2.0


@dataclass(slots=True)
class SourceReport:
    """What a cycle did with one source: updates by the state that they ended in, and why."""

    source: str
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    error: str | None = None


@dataclass(slots=True)
class Left:
    """How many updates of a source may still be taken, and until when."""

    count: float
    ends_at: float

    def take(self, most: int) -> int:
        """Return how many may be taken of ``most``; they count as taken."""
        if time.monotonic() >= self.ends_at:
            return 0
        taken = int(min(self.count, most))
        self.count -= taken
        return taken

    def give_back(self, count: int) -> None:
        """Leave for later what was not there to be taken."""
        self.count += count


class Crew:
    """Delivers the updates of one source, as many side by side as its API bears."""

    def __init__(  # noqa: PLR0913, PLR0917 -- what a cycle over one source consists of
        self,
        courier: Courier,
        desk: Desk,
        read_backs: ReadBacks,
        report: SourceReport,
        source: str,
        left: Left,
    ) -> None:
        self._courier = courier
        self._desk = desk
        self._read_backs = read_backs
        self._report = report
        self._source = source
        self._left = left
        self._settle: Together[Delivered, str | None] = Together(in_thread(self._settle_all))
        self._reads: list[Read] = []
        self._is_over = asyncio.Event()
        self._setbacks_in_a_row = 0
        self._stop: SourceError | None = None

    async def work(self, claims: list[Claim], *, width: int) -> None:
        """Deliver until nothing more is due, or may be taken, or the API is away."""
        at_work: set[asyncio.Task[None]] = set()
        loading = asyncio.create_task(self._load_now_and_then())
        try:
            while True:
                if loading.done():
                    loading.result()
                at_work |= {asyncio.create_task(self._deliver(claim)) for claim in claims}
                if not at_work:
                    return
                done, at_work = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                free = width - len(at_work)
                # A look for more costs about as much for one as for a hundred.
                claims = await self._claim(free) if free * 4 >= width else []
        finally:
            for task in at_work:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)
            self._is_over.set()
            await loading

    async def _claim(self, free: int) -> list[Claim]:
        if self._stop is not None:
            return []
        most = self._left.take(free)
        if not most:
            return []
        now = self._courier.clock()
        claims = await asyncio.to_thread(self._desk.claim, now=now, source=self._source, most=most)
        self._left.give_back(most - len(claims))
        return claims

    async def _deliver(self, claim: Claim) -> None:
        delivered = await deliver(self._courier, claim)
        self._note_setback(delivered.failure)
        status = await self._settle(delivered)
        self._reads += [] if delivered.read is None else [delivered.read]
        if status is None:
            return
        self._report.statuses[status] += 1
        if delivered.ending.error:
            self._report.reasons[status, delivered.ending.error] += 1

    def _note_setback(self, failure: SourceError | None) -> None:
        self._setbacks_in_a_row = 0 if failure is None else self._setbacks_in_a_row + 1
        if failure is not None and self._setbacks_in_a_row >= IN_A_ROW:
            self._stop = failure
            self._report.error = str(failure)

    def _settle_all(self, delivered: Sequence[Delivered]) -> list[str | None]:
        return self._desk.settle([one.ending for one in delivered])

    async def _load_now_and_then(self) -> None:
        """Load what was read, its states and the ledger committed; at the end what is left."""
        is_over = False
        while not is_over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOAD_EVERY_S):
                    await self._is_over.wait()
            is_over = self._is_over.is_set()
            # By itself the collector would look hundreds of times at what is under way.
            gc.collect(1)
            reads, self._reads = self._reads, []
            if reads:
                await asyncio.to_thread(self._read_backs.load, reads)
