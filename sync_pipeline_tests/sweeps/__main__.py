"""The long run: so many lists, and what came of their sweeps."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random

from sync_pipeline_tests.sweeps.chance import drawn_play
from sync_pipeline_tests.sweeps.removal import Removal


def main() -> None:
    """Play, and print the figures; the first broken promise ends it, with its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    figures: Counter[str] = Counter()
    for seed in range(asked.seed, asked.seed + asked.lists):
        try:
            removal = Removal(can_ask=bool(seed % 2))
            play = drawn_play(Random(seed), removal)  # noqa: S311 -- chance, no secret
        except AssertionError as exc:
            sys.exit(f"seed {seed}: {exc}")
        figures["rows deleted"] += removal.deleted
        figures["  wrongly, both sweeps outside their assumption"] += removal.wrongly
        figures["lists of three pages or more"] += play.most_pages >= 3
        for ended in play.ended:
            figures["sweeps"] += 1
            figures["requests"] += ended.reading.requests
            figures[ended.swept.proof.value] += 1
            if ended.swept.reason:
                figures[f"  {ended.swept.reason.value}"] += 1
            if ended.missing:
                figures["sweeps that missed rows, none where its assumption held"] += 1
    for name, count in sorted(figures.items(), key=lambda figure: -figure[1]):
        sys.stdout.write(f"{count:>9,}  {name}\n")
    sys.stdout.write(f"no promise broken; {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
