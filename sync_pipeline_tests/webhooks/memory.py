"""The receiver's memory over many events, which is to stay flat.

`python -m sync_pipeline_tests.webhooks.memory --events 1000000`
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator

import psutil

from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.webhooks.load import Senders
from sync_pipeline_tests.webhooks.receiver_process import KEY, receiver_process

_PARTS = 10
_CONNECTIONS = 64
# What the first part leaves is caches and pools; beyond it nothing is to be kept.
_MOST_GROWTH_MB = 20.0


def measure(events: int) -> Iterator[float]:
    """Send that many events in parts; yield after each how many MB the receiver holds."""
    with new_postgres() as url, receiver_process(url) as receiver:
        assert receiver.process is not None
        process = psutil.Process(receiver.process.pid)
        senders = Senders(receiver.port, KEY, _CONNECTIONS)
        for part in range(_PARTS):
            names = f"{part}-{{}}".format
            load = asyncio.run(senders.send(names, events // _PARTS))
            assert len(load.accepted) == events // _PARTS
            yield process.memory_info().rss / 1e6


def main() -> None:
    """Measure, say, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    held = list(measure(options.events))
    told = ", ".join(f"{megabytes:.0f}" for megabytes in held)
    growth = held[-1] - held[0]
    print(  # noqa: T201 -- the command's answer
        f"MB after each tenth of {options.events:,} events: {told}; {growth:+.1f} since the first"
    )
    raise SystemExit(growth > _MOST_GROWTH_MB)


if __name__ == "__main__":
    main()
