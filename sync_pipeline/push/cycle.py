"""One cycle: open what each source needs that may be written to, and deliver what is due to it."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from sync_pipeline.errors import SyncError, TooManyUpdatesError
from sync_pipeline.mapping.pushable import PUSHABLE
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.pull.interrupts import run_interruptibly
from sync_pipeline.pull.normalising import collector_paused
from sync_pipeline.push.api import PushApi
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.clock import Clock, server_clock, window_of
from sync_pipeline.push.courier import Courier
from sync_pipeline.push.crew import UPDATES_PER_REQUEST, Crew, Left, SourceReport
from sync_pipeline.push.models import ModelReport, plan_models
from sync_pipeline.push.read_back import read_backs_opened
from sync_pipeline.push.records import found_together
from sync_pipeline.push.share import allotment, require_small_share
from sync_pipeline.push.together import Together, in_thread
from sync_pipeline.settings import Settings, SourceSettings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.outbox import Claim, Desk, desk_opened

SOURCES = tuple(sorted({field.stream.source for field in PUSHABLE}))


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a cycle came to."""

    sources: Sequence[SourceReport]
    models: ModelReport
    seconds: float


def push(  # noqa: PLR0913 -- what a cycle may be told, all by name
    engine: Engine,
    settings: Settings,
    *,
    limit: int | None = None,
    slice_s: float = math.inf,
    run_id: str | None = None,
    is_planning: bool = True,
) -> PushReport:
    """Deliver what is due to every source that may be written to, of it the ``limit`` oldest.

    After ``slice_s`` seconds no further update is taken; ``is_planning`` has the push models ask
    for what differs first.
    Raises WarehouseError; what an API fails by is in the report.
    """
    began_at = time.monotonic()
    sources = [source for source in SOURCES if settings.may_write_to(source)]
    models = plan_models(engine, settings) if sources and is_planning else ModelReport([])
    now = server_clock(engine)()
    with transaction(engine) as connection:
        counts = allotment(connection, sources, limit=limit, now=now)
    left = {source: Left(count, began_at + slice_s) for source, count in counts.items()}
    with collector_paused():
        reports = run_interruptibly(_push(engine, settings, left, run_id or str(uuid.uuid4())))
    return PushReport(reports, models, time.monotonic() - began_at)


async def _push(
    engine: Engine, settings: Settings, left: Mapping[str, Left], run_id: str
) -> list[SourceReport]:
    cycles = (_push_source(engine, settings, source, of, run_id) for source, of in left.items())
    return list(await asyncio.gather(*cycles))


async def _push_source(
    engine: Engine, settings: Settings, source: str, left: Left, run_id: str
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
        desk = stack.enter_context(desk_opened(engine, window=window_of(settings)))
        first = await _first_claim(desk, clock, source, left)
        if not first:
            return report
        read_backs = stack.enter_context(read_backs_opened(engine, run_id))
        api = await stack.enter_async_context(_api_opened(engine, source, source_settings, meter))
        courier = Courier(
            api,
            settings,
            engine,
            clock,
            find=Together(found_together),
            # Asked for with a request's place in the budget.
            still_holds=Together(in_thread(desk.still_holds), is_urgent=True),
        )
        crew = Crew(courier, desk, read_backs, report, source, left)
        ending: str | None = "interrupted"
        try:
            await crew.work(first, width=UPDATES_PER_REQUEST * source_settings.max_in_flight)
            ending = None
        except SyncError as exc:
            ending = str(exc)
            raise
        finally:
            await asyncio.to_thread(read_backs.finish, meter, error=ending)
    return report


@asynccontextmanager
async def _api_opened(
    engine: Engine, source: str, settings: SourceSettings, meter: Meter
) -> AsyncIterator[PushApi]:
    async with (
        open_budget(engine, source, settings, lane="push") as budget,
        open_api(settings, budget=budget, meter=meter) as api,
    ):
        yield api


async def _first_claim(desk: Desk, clock: Clock, source: str, left: Left) -> list[Claim]:
    if not left.take(1):
        return []
    claims = await asyncio.to_thread(desk.claim, now=clock(), source=source)
    if not claims:
        left.give_back(1)
    return claims


def _require_small_share(
    engine: Engine, settings: Settings, source: str, left: Left, now: datetime
) -> None:
    with transaction(engine) as connection:
        share, limit = settings.push_max_share, left.count
        require_small_share(connection, source, most_share=share, limit=limit, now=now)
