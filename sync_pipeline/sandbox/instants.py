"""Instants as servers of .NET write them: ISO 8601 with 0 to 7 fraction digits, zone apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

_MICRO_DIGITS = 6
_MOST_DIGITS = 7


def instant_text(draw: Random, at: datetime) -> str:
    """Write the clock of `at` without its zone.

    A seventh digit below 5 leaves no doubt between cutting and rounding.
    """
    fraction = f"{at.microsecond:06d}".rstrip("0")
    if len(fraction) == _MICRO_DIGITS:
        fraction += draw.choice(("", "1", "3", "4"))
    else:
        fraction = fraction.ljust(draw.randint(len(fraction), _MOST_DIGITS), "0")
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "")
