"""Plays that are drawn at random: which list, which server, and what happens when."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from sync_pipeline.errors import CredentialRefusedError, TransientSourceError
from sync_pipeline_tests.sweeps.play import Play, Read, holds_its_promise, tail_first
from sync_pipeline_tests.sweeps.removal import Removal
from sync_pipeline_tests.sweeps.server import Fault, Order, Total, Ways

FAILURES = (
    TransientSourceError("list", "/list", 429),
    TransientSourceError("list", "/list", 500),
    CredentialRefusedError("list", "/list", 401),
)


def drawn_ways(chance: Random) -> Ways:
    """Return the ways of some server; half of them have the one that the product counts on."""
    ways = Ways(size=chance.randint(1, 5), has_times=chance.random() < 0.8)
    if chance.random() < 0.5:
        return ways
    return replace(
        ways,
        order=chance.choice([Order.ASCENDING, *Order]),
        total=chance.choice([Total.TRUE, *Total]),
        total_cap=chance.randint(3, 20),
        beyond=chance.choice(["nothing", "nothing", "first page", "last page"]),
        says_more=chance.choice([None, None, "truly", "always"]),
        has_gaps=chance.random() < 0.05,
        is_size_asked=chance.random() < 0.8,
    )


def drawn_play(chance: Random, removal: Removal, *, read: Read = tail_first) -> Play:
    """Play one list to its end, a list of three pages or more; raise where a promise is broken."""
    play = Play(drawn_ways(chance), chance, read, (holds_its_promise, removal))
    has_ties = chance.random() < 0.3
    for _ in range(chance.randint(2 * play.ways.size + 1, 8 * play.ways.size)):
        play.insert(after_last=chance.randint(0 if has_ties else 1, 3))
    unrest, faults = chance.choice([0.1, 0.5, 1.5]), chance.choice([0.0, 0.0, 0.05])
    for _ in range(chance.randint(2, 4)):
        play.begin()
        steps = chance.randint(1, 120)
        while play.is_reading and steps:
            steps -= 1
            _change(play, chance, unrest, has_ties=has_ties)
            _answer(play, chance, faults)
        if play.is_reading:
            play.crash()
    play.settle()
    return play


def _change(play: Play, chance: Random, unrest: float, *, has_ties: bool) -> None:
    while chance.random() < unrest / (1 + unrest):
        kind, place = chance.random(), chance.randrange(1 << 16)
        if kind < 0.4:
            play.delete(place)
        elif kind < 0.75:
            play.insert(after_last=chance.randint(0 if has_ties else 1, 3))
        elif kind < 0.85:
            play.update(place)
        elif play.ways.size > 1:
            play.backdate(chance.random())


def _answer(play: Play, chance: Random, faults: float) -> None:
    if chance.random() >= faults:
        play.answer()
    elif chance.random() < 0.3:
        play.fail(chance.choice(FAILURES))
    else:
        play.answer(chance.choice(list(Fault)))
