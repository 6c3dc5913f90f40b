"""Repeatable chance: every draw in the world comes from a generator named by its place.

Naming each generator by (seed, place) rather than drawing from one stream makes any contact
computable without computing those before it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from random import Random

WORLD_BEGAN_AT = datetime(2019, 1, 7, tzinfo=UTC)
WORLD_STANDS_AT = datetime(2026, 1, 5, tzinfo=UTC)


def chance(*place: str | int) -> Random:
    """Make a generator that is the same for the same place, in every process."""
    return Random("/".join(map(str, place)))  # noqa: S311 - test data, not secrets


def happens(draw: Random, share: float) -> bool:
    """Decide one thing that happens in this share of all cases."""
    return draw.random() < share


def moment(draw: Random, after: datetime = WORLD_BEGAN_AT) -> datetime:
    """Draw an instant between `after` and the end of the world, to the microsecond or coarser."""
    span = max(int((WORLD_STANDS_AT - after).total_seconds()), 1)
    precision = draw.choice((1, 1_000, 1_000_000))
    micros = draw.randrange(1_000_000) // precision * precision
    return after.replace(microsecond=0) + timedelta(
        seconds=draw.randrange(span) + 1, microseconds=micros
    )


def share_of(*place: str | int) -> float:
    """Draw one number from 0 up to 1, cheaper than a generator."""
    digest = blake2b("/".join(map(str, place)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
