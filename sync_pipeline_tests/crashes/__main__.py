"""The whole of it: so many strikes, where each fell, what came of it; exit 1 for a difference."""

from __future__ import annotations

import argparse
import sys
import time

from sync_pipeline_tests.crashes.campaign import Campaign
from sync_pipeline_tests.crashes.commands import strike_commands
from sync_pipeline_tests.crashes.site import open_site
from sync_pipeline_tests.crashes.trial import run_trial


def main() -> int:
    """Strike as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began_at = time.monotonic()
    with open_site() as site:
        undisturbed = run_trial(site, {})
        campaign = Campaign(site, undisturbed, seed=asked.seed, say=_say)
        campaign.strike(asked.points)
        campaign.strike_the_rest()
        more = strike_commands(site, undisturbed, seed=asked.seed, say=_say)
    _say("\n".join(["", *campaign.summary(), *more]))
    count = len(campaign.findings) + len(more)
    _say(f"{count} differences from the undisturbed run; {time.monotonic() - began_at:.0f} s")
    return int(count > 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
