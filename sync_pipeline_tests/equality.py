"""Compare the warehouse with a whole world: ``python -m sync_pipeline_tests.equality``.

Pulls everything from a sandbox of that size, in each way of reading CRM.COM, and compares every
row, every column and `attributes`. Exit 1 when anything differs.
"""

from __future__ import annotations

import argparse
import sys
import time

from sync_pipeline.entities import ENTITIES
from sync_pipeline_tests.system.installation import Installation
from sync_pipeline_tests.system.rows import differing_keys, warehouse_rows, world_rows
from sync_pipeline_tests.system.versions import WAYS, Way


def main() -> int:
    """Compare as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--way", choices=[str(way) for way in WAYS], action="append")
    asked = parser.parse_args()
    ways = [way for way in WAYS if asked.way is None or str(way) in asked.way]
    return int(sum(_compare(way, asked.contacts) for way in ways) > 0)


def _compare(way: Way, contacts: int) -> int:
    """Print what a pull in this way came to; return how many rows differ."""
    with Installation() as installation:
        installation.start_sandbox(contacts=contacts, crmcom_version=way.version)
        began_at = time.monotonic()
        process = installation.start("pull", environ=way.environ(installation))
        _, said = process.communicate()
        if process.returncode:
            sys.exit(f"the pull failed: {said}")
        _print(f"{way}: {contacts:,} contacts pulled in {time.monotonic() - began_at:.0f} s")
        return sum(_differing(installation, way, name) for name in ENTITIES)


def _differing(installation: Installation, way: Way, name: str) -> int:
    entity = ENTITIES[name]
    true = world_rows(installation, entity, crmcom_version=way.version)
    differing = len(differing_keys(warehouse_rows(installation, entity), true, entity))
    values = sum(len(row) for row in true)
    _print(f"  {name:20} {len(true):>9,} rows {values:>12,} values {differing:>6,} rows differ")
    return differing


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
