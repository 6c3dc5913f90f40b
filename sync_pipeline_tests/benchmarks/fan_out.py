"""The fan-out: how near the communications of many contacts come to what the latency allows.

The arithmetic limit is (requests in flight / latency): more a client cannot get, were it free.
`python -m sync_pipeline_tests.benchmarks.fan_out --in-flight 16 64 --repeat 3`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import engine_on, transaction
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.progress import Due
from sync_pipeline.warehouse.registry import register_contacts
from sync_pipeline_tests.benchmarks.apis import cpu_s, crmcom_at, started
from sync_pipeline_tests.benchmarks.fan_out_server import PREFIX, contact_ids
from sync_pipeline_tests.benchmarks.postgres import new_postgres

CONTACTS = 20_000
LATENCY_MS = 20.0
TO_REACH = {16: 0.75, 64: 0.45}
"""Share of the arithmetic limit by requests in flight."""
_HOURS = 3600.0


@dataclass(frozen=True, slots=True)
class FanOut:
    """One pull, from the first statement to the last."""

    in_flight: int
    latency_ms: float
    requests: int
    rows: int
    wall_s: float
    client_cpu_s: float
    server_cpu_s: float

    @property
    def per_second(self) -> float:
        """Requests per second of the whole pull."""
        return self.requests / self.wall_s

    @property
    def of_limit(self) -> float:
        """Share of the arithmetic limit."""
        return self.per_second / (self.in_flight * 1000 / self.latency_ms)

    def __str__(self) -> str:
        due = TO_REACH.get(self.in_flight)
        return (
            f"{self.in_flight:>3} in flight: {self.per_second:>6.0f} requests/s, "
            f"{self.of_limit:>4.0%} of the limit"
            + (f" (to reach: {due:.0%})" if due else "")
            + f"; {self.requests} requests, {self.rows} rows, {self.wall_s:.1f} s; CPU per request "
            f"{self.client_cpu_s / self.requests * 1e6:.0f} us here, "
            f"{self.server_cpu_s / self.requests * 1e6:.0f} us in the API"
        )


def measure(in_flight: int, *, contacts: int = CONTACTS, latency_ms: float = LATENCY_MS) -> FanOut:
    """Pull the communications of all contacts into an empty warehouse."""
    with (
        new_postgres() as url,
        started("fan_out_server", contacts=contacts, latency_ms=latency_ms) as (api, address),
        engine_on(url) as engine,
    ):
        migrate(engine)
        with transaction(engine) as connection:
            ids, now = contact_ids(contacts), datetime.now(UTC)
            register_contacts(connection, ids, origin="file", seen_at=now)
        request = PullRequest(Due(now=now), slice_s=_HOURS)
        settings = Settings(crmcom=crmcom_at(address + PREFIX, in_flight))
        client, began_at = psutil.Process(), time.monotonic()
        before = cpu_s(client), cpu_s(api)
        report = pull_stream(
            CRMCOM_COMMUNICATIONS, request, settings=settings, engine=engine, run_id="bench"
        )
        wall_s = time.monotonic() - began_at
        after = cpu_s(client), cpu_s(api)
    spent = (after[0] - before[0], after[1] - before[1])
    requests, rows = (int(str(report.row[name])) for name in ("requests", "rows_inserted"))
    return FanOut(in_flight, latency_ms, requests, rows, wall_s, *spent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one line per pull."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-flight", type=int, nargs="+", default=list(TO_REACH))
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--latency-ms", type=float, default=LATENCY_MS)
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args(arguments)
    for in_flight in options.in_flight * options.repeat:
        result = measure(in_flight, contacts=options.contacts, latency_ms=options.latency_ms)
        sys.stdout.write(f"{result}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
