"""The receiver killed under load, again and again: every event that it answered 200 is stored.

`python -m sync_pipeline_tests.webhooks.kills --points 200`
"""

from __future__ import annotations

import argparse
import asyncio
import random
from dataclasses import dataclass

from sqlalchemy import Engine

from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.load import Load, Senders
from sync_pipeline_tests.webhooks.receiver_process import KEY, ReceiverProcess, receiver_process

_CONNECTIONS = 32
_MOST = 1_000_000
_LATEST_S = 0.5


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the kills came to."""

    points: int
    accepted: int
    lost: set[str]


def kill_again_and_again(url: str, *, points: int, seed: int) -> Campaign:
    """Kill a receiver over that warehouse at so many points, drawn from the seed."""
    draw = random.Random(seed)  # noqa: S311 -- to be repeated
    accepted: list[str] = []
    with receiver_process(url) as receiver:
        for point in range(points):
            if point:
                receiver.start()
            load = asyncio.run(_load_until_killed(receiver, point, draw.uniform(0, _LATEST_S)))
            accepted += load.accepted
    with engine_on(url) as engine:
        return Campaign(points, len(accepted), set(accepted) - _stored(engine))


async def _load_until_killed(receiver: ReceiverProcess, point: int, after_s: float) -> Load:
    senders = Senders(receiver.port, KEY, _CONNECTIONS)
    load = asyncio.create_task(senders.send(lambda number: f"{point}-{number}", _MOST))
    await asyncio.sleep(after_s)
    receiver.kill()
    return await load


def _stored(engine: Engine) -> set[str]:
    return {str(row[0]) for row in rows(engine, "SELECT subject FROM ops.webhook_events")}


def main() -> None:
    """Kill, compare, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with new_postgres() as url:
        campaign = kill_again_and_again(url, points=options.points, seed=options.seed)
    print(  # noqa: T201 -- the command's answer
        f"{campaign.points} kills, {campaign.accepted:,} events answered 200, "
        f"{len(campaign.lost)} of them lost"
    )
    raise SystemExit(bool(campaign.lost))


if __name__ == "__main__":
    main()
