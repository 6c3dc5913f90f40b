"""Read a world while it changes, then let it rest: ``python -m sync_pipeline_tests.live``.

Prints per stream how many scopes reached a proof, then compares every row and every column of the
warehouse with the world. Exit 1 when less than 95 % are proven or anything differs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine

from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.benchmarks.postgres import new_postgres
from sync_pipeline_tests.live.rounds import Round, is_settled, pull_round, unproven
from sync_pipeline_tests.live.world import Unrest, differing
from sync_pipeline_tests.sandbox_process import sandbox

MOST_ROUNDS = 12


def main() -> int:
    """Run as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contacts", type=int, default=1_000)
    parser.add_argument("--changes-per-minute", type=float, default=600)
    parser.add_argument("--faults", default="0.02")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--crmcom-version", choices=["v1", "v2"], default="v2")
    parser.add_argument("--page-size", type=int, default=100)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-live-"))
    unrest = Unrest(
        asked.contacts, asked.faults, asked.crmcom_version, folder / "sandbox", asked.page_size
    )
    try:
        with new_postgres() as url, engine_on(url) as engine:
            migrate(engine)
            is_proven = _read_live(engine, unrest, asked.changes_per_minute, asked.minutes * 60)
            is_equal = _settle(engine, unrest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if is_proven and is_equal else 1


def _read_live(engine: Engine, unrest: Unrest, changes_per_minute: float, seconds: float) -> bool:
    """Pull round after round while the world changes; tell whether enough is proven."""
    ends_at = time.monotonic() + seconds
    figures: Round = {}
    rounds = 0
    with sandbox(*unrest.options(changes_per_minute=changes_per_minute)) as client:
        settings = unrest.settings(client)
        while not rounds or time.monotonic() < ends_at:
            rounds += 1
            for name, read in pull_round(engine, settings).items():
                if name in figures:
                    figures[name].add(read)
                else:
                    figures[name] = read
        log = client.get("/_sandbox/log", params={"cause": "random"}).json()
        faults = client.get("/_sandbox/faults").json()
    _print(f"{rounds} rounds while the world changed: {len(log):,} changes, faults {faults}")
    _print_round(figures)
    short = unproven(figures)
    _print(f"too little is proven: {', '.join(short)}" if short else "at least 95 % are proven")
    return not short


def _settle(engine: Engine, unrest: Unrest) -> bool:
    """Pull until nothing moves any more; tell whether the warehouse equals the world."""
    with sandbox(*unrest.options(changes_per_minute=0)) as client:
        settings = unrest.settings(client)
        for number in range(MOST_ROUNDS):
            figures = pull_round(engine, settings, is_full=True)
            changed = sum(one.changed for one in figures.values())
            _print(f"at rest, round {number + 1}: {changed:,} rows changed")
            _print_round(figures)
            if is_settled(figures):
                break
        outcome = differing(engine, client, version=unrest.version)
    for name, (rows, differ) in outcome.items():
        _print(f"  {name:20} {rows:>9,} rows {differ:>6,} differ")
    return not any(differ for _, differ in outcome.values())


def _print_round(figures: Round) -> None:
    for name, one in figures.items():
        _print(f"  {name:26} {one.line()}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
