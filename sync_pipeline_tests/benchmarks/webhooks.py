"""How many webhooks a second are committed before they are answered, and how long one takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.load import Load, Senders
from sync_pipeline_tests.webhooks.receiver_process import KEY, receiver_process

LEAST_PER_S = 2_000
MOST_MS = 100
SECONDS = 5
_CONNECTIONS = 64
_WARM = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """At full speed, and at half the rate that is due."""

    full: Load
    half: Load
    stored: int

    @property
    def is_whole(self) -> bool:
        """Whether every event that was answered is in the table."""
        return self.stored == len(self.full.accepted) + len(self.half.accepted) + _WARM


def measure(seconds: int = SECONDS) -> Measured:
    """Send to a receiver on this machine, with PostgreSQL beside it."""
    with new_postgres() as url:
        with receiver_process(url) as receiver:
            senders = Senders(receiver.port, KEY, _CONNECTIONS)
            asyncio.run(senders.send(lambda n: f"warm-{n}", _WARM))
            full = asyncio.run(senders.send(lambda n: f"full-{n}", LEAST_PER_S * seconds))
            steady = Senders(receiver.port, KEY, _CONNECTIONS, rate=LEAST_PER_S / 2)
            half = asyncio.run(steady.send(lambda n: f"half-{n}", LEAST_PER_S // 2 * seconds))
        with engine_on(url) as engine:
            ((stored,),) = rows(engine, "SELECT count(DISTINCT subject) FROM ops.webhook_events")
    return Measured(full, half, int(str(stored)))
