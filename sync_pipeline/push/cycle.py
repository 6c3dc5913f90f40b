"""One cycle: take what is due, deliver many updates side by side, write down what came of them.

States and ledger are committed before the readings are loaded: so the load knows our own writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from sync_pipeline.errors import SourceError, SyncError, TooManyUpdatesError
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.pull.setbacks import IN_A_ROW
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.attempt import Courier, Delivered
from sync_pipeline.push.clock import Clock, server_clock
from sync_pipeline.push.deliver import deliver
from sync_pipeline.push.models import ModelReport, plan_models
from sync_pipeline.push.read_back import ReadBacks, read_backs_opened
from sync_pipeline.push.records import Read, found_in
from sync_pipeline.push.share import require_small_share
from sync_pipeline.push.together import Together
from sync_pipeline.settings import Settings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.outbox import Claim, Desk, desk_opened

SOURCES = ("crmcom", "rocs", "rosaas")
# While one update waits for the database, others have the requests.
UPDATES_PER_REQUEST = 4
# Each load costs as much as many rows of it.
LOAD_EVERY_S = 1.0


@dataclass(slots=True)
class SourceReport:
    """What a cycle did with one source: updates by the state that they ended in, and why."""

    source: str
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a cycle came to."""

    sources: Sequence[SourceReport]
    models: ModelReport
    seconds: float


def push(
    engine: Engine,
    settings: Settings,
    *,
    limit: int | None = None,
    slice_s: float = math.inf,
    run_id: str | None = None,
) -> PushReport:
    """Deliver what is due to every source that may be written to, ``limit`` updates at most.

    After ``slice_s`` seconds no further update is taken.
    Raises WarehouseError; what an API fails by is in the report.
    """
    began_at = time.monotonic()
    sources = [source for source in SOURCES if settings.may_write_to(source)]
    models = plan_models(engine, settings) if sources else ModelReport([])
    left = _Left(math.inf if limit is None else limit, began_at + slice_s)
    reports = asyncio.run(_push(engine, settings, sources, left, run_id or str(uuid.uuid4())))
    return PushReport(reports, models, time.monotonic() - began_at)


async def _push(
    engine: Engine, settings: Settings, sources: Sequence[str], left: _Left, run_id: str
) -> list[SourceReport]:
    cycles = (_push_source(engine, settings, source, left, run_id) for source in sources)
    return list(await asyncio.gather(*cycles))


@dataclass(slots=True)
class _Left:
    """How many updates may still be taken, by all sources together, and until when."""

    count: float
    ends_at: float

    def take(self, most: int) -> int:
        if time.monotonic() >= self.ends_at:
            return 0
        taken = int(min(self.count, most))
        self.count -= taken
        return taken

    def give_back(self, count: int) -> None:
        self.count += count


async def _push_source(
    engine: Engine, settings: Settings, source: str, left: _Left, run_id: str
) -> SourceReport:
    report = SourceReport(source)
    source_settings = settings.of_source(source)
    assert source_settings is not None  # noqa: S101 -- it may be written to
    meter = Meter()
    clock = await asyncio.to_thread(server_clock, engine)
    try:
        await asyncio.to_thread(_require_small_share, engine, settings, source, left, clock())
    except TooManyUpdatesError as exc:
        report.error = str(exc)
        return report
    async with AsyncExitStack() as stack:
        desk = stack.enter_context(desk_opened(engine))
        first = await _first_claim(desk, clock, source, left)
        if not first:
            return report
        read_backs = stack.enter_context(read_backs_opened(engine, run_id))
        budget = await stack.enter_async_context(
            open_budget(engine, source, source_settings, lane="push")
        )
        api = await stack.enter_async_context(open_api(source_settings, budget=budget, meter=meter))
        courier = Courier(
            api,
            settings,
            engine,
            clock,
            find=Together(found_in),
            still_holds=Together(desk.still_holds),
        )
        crew = _Crew(courier, desk, read_backs, report, source, left)
        try:
            await crew.work(first, width=UPDATES_PER_REQUEST * source_settings.max_in_flight)
        except SyncError as exc:
            report.error = str(exc)
            raise
        finally:
            await asyncio.to_thread(read_backs.finish, meter)
    return report


async def _first_claim(desk: Desk, clock: Clock, source: str, left: _Left) -> list[Claim]:
    if not left.take(1):
        return []
    claims = await asyncio.to_thread(desk.claim, now=clock(), source=source)
    if not claims:
        left.give_back(1)
    return claims


def _require_small_share(
    engine: Engine, settings: Settings, source: str, left: _Left, now: datetime
) -> None:
    with transaction(engine) as connection:
        share, limit = settings.push_max_share, left.count
        require_small_share(connection, source, most_share=share, limit=limit, now=now)


class _Crew:
    """Delivers the updates of one source, as many side by side as its API bears."""

    def __init__(  # noqa: PLR0913, PLR0917 -- what a cycle over one source consists of
        self,
        courier: Courier,
        desk: Desk,
        read_backs: ReadBacks,
        report: SourceReport,
        source: str,
        left: _Left,
    ) -> None:
        self._courier = courier
        self._desk = desk
        self._read_backs = read_backs
        self._report = report
        self._source = source
        self._left = left
        self._settle: Together[Delivered, str | None] = Together(self._settle_all)
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
                claims = await self._claim(width - len(at_work))
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
            reads, self._reads = self._reads, []
            if reads:
                await asyncio.to_thread(self._read_backs.load, reads)
