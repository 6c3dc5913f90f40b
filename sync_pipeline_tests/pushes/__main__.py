"""The whole of it: so many blows, where they fell, what came of it; exit 1 for a broken promise."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.pushes.campaign import GRACE_S, Campaign
from sync_pipeline_tests.sandbox_process import sandbox


def main() -> int:
    """Strike as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-pushes-"))
    # The account that runs the server has to enter it.
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "home", state_dir=folder / "state")
    began_at = time.monotonic()
    try:
        server.start()
        campaign = play(server.dsn("postgres"), points=asked.points, seed=asked.seed)
    finally:
        server.stop()
        shutil.rmtree(folder)
    for what, count in sorted(campaign.hits.items()):
        sys.stdout.write(f"{count:>6,}  {what}\n")
    for finding in campaign.findings:
        sys.stdout.write(f"BROKEN: {finding}\n")
    sys.stdout.write(
        f"{campaign.hits.total():,} blows, {len(campaign.owners):,} values, "
        f"{len(campaign.findings)} promises broken; {time.monotonic() - began_at:.0f} s\n"
    )
    return int(bool(campaign.findings))


def play(url: str, *, points: int, seed: int) -> Campaign:
    """Strike pushes from a warehouse at ``url``, which is empty."""
    environ = {"PUSH_GRACE_SECONDS": str(GRACE_S), "CRMCOM_MAX_IN_FLIGHT": "4"}
    with engine_on(url) as engine, sandbox("--contacts", "6", "--crmcom-version", "v2") as client:
        migrate(engine)
        rounds = Rounds(engine, client, settings_of(client, **environ))
        rounds.pull(CRMCOM_CONTACTS)
        told: dict[str, str] = client.get("/_sandbox/env").json()
        chance = Random(seed)  # noqa: S311 -- chance, no secret
        campaign = Campaign(rounds, url, told | environ, chance, print)
        campaign.strike(points)
    return campaign


if __name__ == "__main__":
    sys.exit(main())
