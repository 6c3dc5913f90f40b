"""What is to be done about an update: pure, from the values wanted, expected and found.

All values are canonical. A field that holds what it is to hold is done; one that holds what the
update was asked for by (or what we wrote ourselves since) is written; for any other the policy
decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sync_pipeline.push.values import Json, Values
from sync_pipeline.settings import ConflictPolicy

MOST_REFUSALS = 8
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often an update was taken, this time included, and how often its API refused it."""

    attempts: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write, and the fields of which the source holds another value than expected.

    ``held`` are those of them that wait for a person, ``kept`` those that stay as they are.
    ``reported`` cannot be read, and were accepted in an earlier attempt.
    """

    write: Values
    held: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a reading after a write shows of the values that were written."""

    there: Values
    missing: tuple[str, ...]
    """The field holds what it held before."""
    otherwise: Values
    """The field holds something else now: what the API made of the value."""


def unexpected(wanted: Values, base: Values, current: Values) -> Values:
    """Return the fields that hold neither what they are to hold nor what they were known to."""
    return {
        name: current.get(name)
        for name, value in wanted.items()
        if name in base and current.get(name) not in (value, base[name])
    }


def decision(
    wanted: Values,
    current: Values,
    *,
    conflicts: Collection[str],
    unreadable: Collection[str],
    policies: Mapping[str, ConflictPolicy],
) -> Decision:
    """Return what to do; ``policies`` has that of each field in ``conflicts``."""
    write: dict[str, Json] = {}
    held, kept = [], []
    for name, value in wanted.items():
        if name in unreadable:
            write[name] = value
        elif current.get(name) == value:
            continue
        elif name not in conflicts or policies[name] == "ours":
            write[name] = value
        elif policies[name] == "theirs":
            kept.append(name)
        else:
            held.append(name)
    return Decision({} if held else write, tuple(held), tuple(kept))


def comparison(written: Values, before: Values, after: Values) -> Comparison:
    """Compare what was written with what is there now."""
    there, missing, otherwise = {}, [], {}
    for name, value in written.items():
        now = after.get(name)
        if now == value:
            there[name] = value
        elif now == before.get(name):
            missing.append(name)
        else:
            otherwise[name] = now
    return Comparison(there, tuple(missing), otherwise)


def pause_after(attempts: int, *, asked_s: float | None = None) -> timedelta:
    """Return how long to wait after so many attempts, and as long as the API asks at least."""
    doublings: int = min(max(attempts - 1, 0), 16)
    grown = FIRST_PAUSE * (1 << doublings)
    return max(min(grown, LONGEST_PAUSE), timedelta(seconds=asked_s or 0))


def status_after_refusal(refusals: int) -> str:
    """Return the state of an update that the API has refused so often."""
    return "dead" if refusals >= MOST_REFUSALS else "rejected"
