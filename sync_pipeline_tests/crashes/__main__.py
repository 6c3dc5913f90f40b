"""The whole of it: so many strikes, where each fell, what came of it; exit 1 for a difference."""

from __future__ import annotations

import argparse
import sys

from sync_pipeline_tests.crashes.campaign import Campaign
from sync_pipeline_tests.crashes.site import open_site


def main() -> int:
    """Strike as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=360)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with open_site() as site:
        campaign = Campaign(site, seed=asked.seed, say=_say)
        findings = campaign.strike(asked.points)
        _say("")
        for line in campaign.summary():
            _say(line)
    _say(f"{len(findings)} differences from the undisturbed run")
    return int(bool(findings))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
