"""From a source's settings to its API as a push sees it: a new source gets its line here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sync_pipeline.push.api import PushApi
from sync_pipeline.push.crmcom import CrmcomPush
from sync_pipeline.push.rocs import RocsPush
from sync_pipeline.push.rosaas import RosaasPush
from sync_pipeline.settings import CrmcomSettings, RocsSettings, RosaasSettings, SourceSettings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.budget import Budget
from sync_pipeline.sources.crmcom import open_crmcom
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs import open_rocs
from sync_pipeline.sources.rosaas import open_rosaas


@asynccontextmanager
async def open_api(
    settings: SourceSettings,
    *,
    budget: Budget | None,
    meter: Meter,
    bounds: RetryBounds | None = None,
) -> AsyncIterator[PushApi]:
    """Open a source for a push; ``bounds`` are those of its readings."""
    match settings:
        case CrmcomSettings():
            async with open_crmcom(settings, budget=budget, bounds=bounds, meter=meter) as crmcom:
                yield CrmcomPush(crmcom, settings)
        case RocsSettings():
            async with open_rocs(settings, budget=budget, bounds=bounds, meter=meter) as rocs:
                yield RocsPush(rocs, settings)
        case RosaasSettings():
            async with open_rosaas(settings, budget=budget, bounds=bounds, meter=meter) as rosaas:
                yield RosaasPush(rosaas)
        case _:
            raise NotImplementedError("no API is known for these settings")
