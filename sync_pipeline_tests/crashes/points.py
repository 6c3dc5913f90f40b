"""Where a run can be struck, and which of these points are taken: decisions alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Blow(StrEnum):
    """What is done to a run."""

    PULL = "pull killed"
    POSTGRES = "PostgreSQL killed"
    API = "API cut"
    DATABASE = "database cut"


class Side(StrEnum):
    """On which side of an act; during: it is carried out, and the answer is lost."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Act(StrEnum):
    """What a run does that others can see."""

    COMMIT = "commit"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Place:
    """A point in a run; ``what`` says whose commit it is, or which request."""

    side: Side
    act: Act
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.side} {self.act} {self.number} ({self.what})"


@dataclass(frozen=True, slots=True)
class Strike:
    """What is done where: at a place, or so many seconds after the run began."""

    blow: Blow
    side: Side = Side.BEFORE
    act: Act | None = None
    number: int = 0
    after_s: float = 0.0

    def is_due(self, place: Place) -> bool:
        """Tell whether this is the place."""
        return (self.side, self.act, self.number) == (place.side, place.act, place.number)

    def __str__(self) -> str:
        if self.act is None:
            return f"{self.blow} after {self.after_s:.3f} s"
        return f"{self.blow} {self.side} {self.act} {self.number}"


# In the place of a stream's name: its days, read by a backfill.
BACKFILL = "crmcom/communications_by_day"


@dataclass(frozen=True, slots=True)
class Cell:
    """One stream's part of one reading of the world; ``stream`` may be BACKFILL."""

    phase: int
    stream: str

    def __str__(self) -> str:
        return f"{self.phase} {self.stream}"


@dataclass(frozen=True, slots=True)
class Course:
    """How an undisturbed run went: the acts, each by its place before, and how long it took."""

    acts: tuple[Place, ...]
    seconds: float


# A side of what a stream does: the stream, the act, whose it is, the side.
Kind = tuple[str, Act, str, Side]

# How the blows are mixed; without an act: at a random time.
_MIX: tuple[tuple[Blow, Act | None], ...] = (
    (Blow.PULL, Act.COMMIT),
    (Blow.PULL, Act.REQUEST),
    (Blow.PULL, Act.COMMIT),
    (Blow.DATABASE, Act.COMMIT),
    (Blow.PULL, Act.COMMIT),
    (Blow.API, Act.REQUEST),
    (Blow.PULL, Act.COMMIT),
    (Blow.PULL, Act.REQUEST),
    (Blow.PULL, Act.COMMIT),
    (Blow.POSTGRES, Act.COMMIT),
    (Blow.PULL, Act.COMMIT),
    (Blow.PULL, None),
)
_SIDES = {
    # Who is dead hears no answer: killed during an act it would be killed before it.
    Blow.PULL: (Side.BEFORE, Side.AFTER),
    Blow.POSTGRES: (Side.BEFORE, Side.AFTER),
    Blow.API: (Side.BEFORE, Side.DURING, Side.AFTER),
    Blow.DATABASE: (Side.BEFORE, Side.DURING, Side.AFTER),
}


class Chooser:
    """Chooses strikes: the kinds take turns, and of each kind what was struck least comes first."""

    def __init__(self, courses: Mapping[Cell, Course], *, seed: int) -> None:
        self._courses = courses
        self._chance = Random(seed)  # noqa: S311 -- chance, no secret
        self._struck: Counter[tuple[str, Blow, str, Side]] = Counter()
        self._turns = itertools.cycle(_MIX)

    def world(self, most: int) -> dict[Cell, Strike]:
        """Return at most one strike for each cell, ``most`` in all."""
        cells = list(self._courses)
        chosen = self._chance.sample(cells, min(most, len(cells)))
        return {cell: self._choose(cell, *next(self._turns)) for cell in chosen}

    def rest(self, struck: Collection[Kind]) -> dict[Cell, Strike]:
        """Return kills of the pull at places whose kind was not struck yet; a world has not all."""
        left = kinds_of(self._courses).difference(struck)
        strikes: dict[Cell, Strike] = {}
        for cell, course in self._courses.items():
            for place, side in itertools.product(course.acts, _SIDES[Blow.PULL]):
                kind = (cell.stream, place.act, place.what, side)
                if kind in left and cell not in strikes:
                    strikes[cell] = Strike(Blow.PULL, side, place.act, place.number)
                    left.remove(kind)
        return strikes

    def _choose(self, cell: Cell, blow: Blow, act: Act | None) -> Strike:
        course = self._courses[cell]
        if act is None:
            return Strike(blow, after_s=self._chance.uniform(0, course.seconds))
        places = [
            (self._struck[cell.stream, blow, place.what, side], self._chance.random(), place, side)
            for place in course.acts
            if place.act is act
            for side in _SIDES[blow]
        ]
        *_, place, side = min(places)
        self._struck[cell.stream, blow, place.what, side] += 1
        return Strike(blow, side, act, place.number)


def kinds_of(courses: Mapping[Cell, Course]) -> set[Kind]:
    """Return each side of every kind of commit and request that the streams have."""
    return {
        (cell.stream, place.act, place.what, side)
        for cell, course in courses.items()
        for place in course.acts
        for side in (Side.BEFORE, Side.AFTER)
    }
