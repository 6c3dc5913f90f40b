"""What the order of `pull.due` gains over plain rotation, in a model of contacts that change.

`python -m sync_pipeline_tests.rotation [--contacts N] [--days D]`. The model: changes come to each
contact by chance (Poisson), to a few of them often; a reading finds every change before it. At
each tick the allowed number of contacts is read: in rotation the oldest reading first, else by the
functions that the product orders by. The staleness of a change is the time until it was found;
what is not found when the model ends counts as if it were found then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from sync_pipeline.pull.due import patience_s
from sync_pipeline.pull.horizon import horizon

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
TICK_S = 1800.0
BOUND = timedelta(hours=24)
SEED = 20_260_101
# Until then the product learns who changes; the days after it are measured.
LEARNING_DAYS = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A share of the contacts, and how often one of them changes."""

    share: float
    changes_per_day: float


KINDS = (Kind(0.01, 12.0), Kind(0.09, 1.0), Kind(0.90, 1 / 30))


@dataclass(slots=True)
class World:
    """What is known of each contact (seconds into the story), and what changed unseen."""

    read_at: Numbers
    changed_at: Numbers
    waiting: Places
    waiting_since: Numbers


Choice = Callable[[World, float, int], Places]


def by_rotation(world: World, _now: float, most: int) -> Places:
    """Return the contacts with the oldest readings."""
    return _least(world.read_at, most)


def by_product(world: World, now: float, most: int) -> Places:
    """Return what the product would read: what is overdue, and then what is wanted first."""
    overdue = np.flatnonzero(world.read_at <= now - _OVERDUE_S)
    if len(overdue) >= most:
        return overdue[_least(world.read_at[overdue], most)]
    quiet = world.read_at - world.changed_at
    wanted = world.read_at + patience_s(quiet)
    wanted[overdue] = -np.inf
    return _least(wanted, most)


def _overdue_s() -> float:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return (now - horizon(now, BOUND).overdue_before).total_seconds()


_OVERDUE_S = _overdue_s()


def _least(values: Numbers, most: int) -> Places:
    return np.argpartition(values, most - 1)[:most]


def staleness(
    choose: Choice, *, contacts: int, rotation: timedelta, days: int
) -> tuple[Numbers, float]:
    """Return how stale each change became (hours), and the oldest reading at any tick (hours)."""
    chance = np.random.default_rng(SEED)
    rates = _rates(contacts)
    most = int(contacts * TICK_S / rotation.total_seconds())
    began = -chance.uniform(0, rotation.total_seconds(), contacts)
    world = World(began, began.copy(), np.empty(0, np.intp), np.empty(0))
    found: list[Numbers] = []
    oldest = 0.0
    ticks = int((LEARNING_DAYS + days) * 86_400 / TICK_S)
    for now in np.arange(1, ticks + 1) * TICK_S:
        _change(world, rates, now, chance)
        is_read = np.zeros(contacts, bool)
        chosen = choose(world, float(now), most)
        is_read[chosen] = True
        is_found = is_read[world.waiting]
        world.read_at[chosen] = now
        world.changed_at[world.waiting[is_found]] = now
        if now > LEARNING_DAYS * 86_400:
            found.append(now - world.waiting_since[is_found])
            oldest = max(oldest, float(now - world.read_at.min()))
        world.waiting = world.waiting[~is_found]
        world.waiting_since = world.waiting_since[~is_found]
    found.append(ticks * TICK_S - world.waiting_since)
    return np.concatenate(found) / 3600, oldest / 3600


def _rates(contacts: int) -> Numbers:
    ends = np.cumsum([kind.share for kind in KINDS]) * contacts
    rates = [kind.changes_per_day / 86_400 for kind in KINDS]
    kinds = np.searchsorted(ends, np.arange(contacts), side="right").clip(0, len(KINDS) - 1)
    of_each: Numbers = np.asarray(rates)[kinds]
    return of_each


def _change(world: World, rates: Numbers, now: float, chance: np.random.Generator) -> None:
    """Let contacts change at some instant of the last tick."""
    happened = chance.poisson(rates.sum() * TICK_S)
    names = np.searchsorted(np.cumsum(rates), chance.uniform(0, rates.sum(), happened))
    since = now - chance.uniform(0, TICK_S, happened)
    world.waiting = np.concatenate([world.waiting, names.astype(np.intp)])
    world.waiting_since = np.concatenate([world.waiting_since, since])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both orders side by side, for several budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=2)
    asked = parser.parse_args(arguments)
    table = Table(title=f"{asked.contacts:,} contacts, bound 24 h, staleness of changes in hours")
    for name in ("all once in", "order", "median", "99th percentile", "oldest reading"):
        table.add_column(name, justify="right")
    for hours in (6, 12, 20):
        for order, choose in (("rotation", by_rotation), ("product", by_product)):
            stale, oldest = staleness(
                choose, contacts=asked.contacts, rotation=timedelta(hours=hours), days=asked.days
            )
            median, late = np.percentile(stale, [50, 99])
            table.add_row(f"{hours} h", order, f"{median:.1f}", f"{late:.1f}", f"{oldest:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
