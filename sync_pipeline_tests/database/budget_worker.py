"""One of several processes that share a budget: asks for `/NAME` until it is killed.

`python -m sync_pipeline_tests.database.budget_worker WAREHOUSE_URL API_URL NAME RATE PLACES LANE`
"""

from __future__ import annotations

import asyncio
import sys

from pydantic import SecretStr

from sync_pipeline.errors import TransientSourceError
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.settings import RosaasSettings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.calls import Call, Endpoint
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.warehouse.budget import Lane
from sync_pipeline.warehouse.engine import engine_on


async def work(warehouse_url: str, settings: RosaasSettings, name: str, *, lane: Lane) -> None:
    """Send as many requests as the budget allows, for ever."""
    in_flight = settings.max_in_flight
    endpoint = Endpoint("Test API", settings.base_url, "TEST_BASE_URL", 60, in_flight)
    with engine_on(warehouse_url) as engine:
        async with (
            open_budget(engine, "rosaas", settings, lane=lane) as budget,
            open_core(endpoint, budget=budget, bounds=RetryBounds(), meter=Meter()) as core,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(in_flight):
                tasks.create_task(ask_for_ever(core, name))


async def ask_for_ever(core: HttpCore, name: str) -> None:
    """Ask again as soon as there is an answer."""
    while True:
        try:
            await core.fetch(Call("GET", f"/{name}"))
        except TransientSourceError as exc:
            sys.stderr.write(f"{name}: {exc}\n")


if __name__ == "__main__":
    warehouse, api, own_name, per_second, at_once, own_lane = sys.argv[1:]
    settled = RosaasSettings(
        base_url=api,
        client_id="worker",
        client_secret=SecretStr("the-secret"),
        requests_per_second=float(per_second),
        max_in_flight=int(at_once),
    )
    asyncio.run(work(warehouse, settled, own_name, lane="push" if own_lane == "push" else "pull"))
