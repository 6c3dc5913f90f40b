"""The bulk load: a pull through the product's normal path beside a raw COPY of the same rows.

Initial, unchanged, and with 5 % changed; each as a ratio to the binary COPY of the loaded rows
into a table with the same columns and indexes, in the same run on the same server.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import psycopg

from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.benchmarks.apis import started
from sync_pipeline_tests.benchmarks.postgres import new_postgres

_CHUNK = 1 << 20
_COPIES = 3
_PULL = "sync_pipeline_tests.benchmarks.bulk_pull"
TO_REACH = {"initial": 0.45, "unchanged": 1.1, "5 % changed": 0.7}
MOST_MB = 450
_STATES = {"initial": "initial", "unchanged": "initial", "5 % changed": "changed"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table; a raw COPY has no CPU time and memory of ours."""

    name: str
    rows_per_s: float
    of_copy: float
    cpu_us_per_row: float | None = None
    peak_mb: float | None = None
    counts: str = ""


def measure(rows: int) -> list[Measured]:
    """Pull ``rows`` contacts three times, and copy them raw in between."""
    pulls: dict[str, dict[str, float]] = {}
    with new_postgres() as url, started("bulk_server", rows=rows) as (_, address):
        with engine_on(url) as engine:
            migrate(engine)
        for name, state in _STATES.items():
            pulls[name] = _pull(url, address, state)
            if name == "initial":
                copies = _copies(url, rows)
    copy = statistics.median(copies)
    found = [Measured("raw COPY", copy, 1.0)]
    for name, pull in pulls.items():
        per_s = rows / pull["wall_s"]
        counts = (pull["rows_inserted"], pull["rows_updated"], pull["rows_unchanged"])
        said = " + ".join(f"{count:,.0f}" for count in counts)
        cpu_us = pull["cpu_s"] / rows * 1e6
        found.append(Measured(name, per_s, per_s / copy, cpu_us, pull["peak_mb"], said))
    return found


def _pull(url: str, address: str, state: str) -> dict[str, float]:
    command = (sys.executable, "-m", _PULL, url, address, state)
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _copies(url: str, rows: int) -> list[float]:
    """Return the rows per second of several raw COPYs of the loaded rows."""
    with closing(psycopg.connect(url)) as connection, tempfile.TemporaryFile() as kept:
        with connection.cursor().copy("COPY warehouse.contacts TO STDOUT (FORMAT BINARY)") as copy:
            for block in copy:
                kept.write(block)
        return [rows / _copy(connection, kept) for _ in range(_COPIES)]


def _copy(connection: psycopg.Connection, kept: IO[bytes]) -> float:
    connection.execute("DROP TABLE IF EXISTS raw_contacts")
    connection.execute("CREATE TABLE raw_contacts (LIKE warehouse.contacts INCLUDING ALL)")
    connection.commit()
    kept.seek(0)
    began_at = time.perf_counter()
    with connection.cursor().copy("COPY raw_contacts FROM STDIN (FORMAT BINARY)") as copy:
        while block := kept.read(_CHUNK):
            copy.write(block)
    connection.commit()
    taken_s = time.perf_counter() - began_at
    connection.execute("DROP TABLE raw_contacts")
    connection.commit()
    return taken_s
