"""Pushes: how near many updates come to what the latency allows.

The arithmetic limit is (requests in flight / latency / three requests for each update): a reading,
the write, a reading. `python -m sync_pipeline_tests.benchmarks.push --updates 10000`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil
from sqlalchemy import text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.push.cycle import push
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import engine_on, transaction
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.progress import Due
from sync_pipeline.warehouse.registry import register_contacts
from sync_pipeline_tests.benchmarks.apis import cpu_s, crmcom_at, started
from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.benchmarks.push_server import PREFIX, contact_ids

UPDATES, IN_FLIGHT, LATENCY_MS = 10_000, 64, 20.0
REQUESTS = 3
TO_REACH = 0.35
"""Share of the arithmetic limit."""
_ASK = text(
    "SELECT count(push.request_update('crmcom', 'contacts', contact_id, "
    """jsonb_build_object('first_name', 'After ' || contact_id))) FROM warehouse.contacts"""
)
_ENDED = text("SELECT status, count(*) FROM push.updates GROUP BY status")
_ARRIVED = text("SELECT count(*) FROM warehouse.contacts WHERE first_name = 'After ' || contact_id")


@dataclass(frozen=True, slots=True)
class Pushed:
    """One cycle over all updates."""

    updates: int
    in_flight: int
    latency_ms: float
    wall_s: float
    client_cpu_s: float
    states: dict[str, int]
    arrived: int

    @property
    def per_second(self) -> float:
        """Updates per second."""
        return self.updates / self.wall_s

    @property
    def of_limit(self) -> float:
        """Share of the arithmetic limit."""
        return self.per_second / (self.in_flight * 1000 / self.latency_ms / REQUESTS)

    def __str__(self) -> str:
        return (
            f"{self.updates:,} updates, {self.in_flight} in flight: {self.per_second:.0f}/s, "
            f"{self.of_limit:.0%} of the limit (to reach: {TO_REACH:.0%}); {self.wall_s:.1f} s; "
            f"CPU per update {self.client_cpu_s / self.updates * 1e6:.0f} us here; {self.states}"
        )


def measure(
    *, updates: int = UPDATES, in_flight: int = IN_FLIGHT, latency_ms: float = LATENCY_MS
) -> Pushed:
    """Push one update of each contact from a new warehouse that has read them."""
    with (
        new_postgres() as url,
        started("push_server", contacts=updates, latency_ms=latency_ms) as (_, address),
        engine_on(url) as engine,
    ):
        migrate(engine)
        settings = Settings(
            crmcom=crmcom_at(address + PREFIX, in_flight), push_max_share=1, push_models=()
        )
        with transaction(engine) as connection:
            now = datetime.now(UTC)
            register_contacts(connection, contact_ids(updates), origin="file", seen_at=now)
        request = PullRequest(Due(now=now), slice_s=3600.0)
        pull_stream(CRMCOM_CONTACTS, request, settings=settings, engine=engine, run_id="bench")
        with transaction(engine) as connection:
            connection.execute(_ASK)
        client = psutil.Process()
        began_at, before = time.monotonic(), cpu_s(client)
        push(engine, settings)
        wall_s, spent = time.monotonic() - began_at, cpu_s(client) - before
        with transaction(engine) as connection:
            states = {str(status): int(count) for status, count in connection.execute(_ENDED)}
            arrived = connection.execute(_ARRIVED).scalar_one()
    return Pushed(updates, in_flight, latency_ms, wall_s, spent, states, arrived)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=UPDATES)
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--latency-ms", type=float, default=LATENCY_MS)
    options = parser.parse_args(arguments)
    result = measure(
        updates=options.updates, in_flight=options.in_flight, latency_ms=options.latency_ms
    )
    sys.stdout.write(f"{result}\n")


if __name__ == "__main__":
    main()
