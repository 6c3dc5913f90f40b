"""One course of the world's states through a warehouse, struck or not, and what came of it."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Line

from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, STREAMS
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline_tests.crashes import victim
from sync_pipeline_tests.crashes.picture import Picture, picture_of, split_of
from sync_pipeline_tests.crashes.points import BACKFILL, Blow, Cell, Course, Place, Side, Strike
from sync_pipeline_tests.crashes.site import Site
from sync_pipeline_tests.crashes.victim import Ended, Order, Wish

# Twice each but the first: where the API has no request for one record, two readings delete it.
STATES = (0, 1, 1, 0, 0)
# After these every reading that a deletion needs has been had.
COMPARED = (0, 2, 4)
_MOST_ATTEMPTS = 5
_LONGEST_S, _LEAVE_S = 60.0, 10.0
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([victim.__name__])
_run_ids = itertools.count(1)


class NeverCompleteError(Exception):
    """A run does not become complete, however often it is begun again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One process: the places it came to, where it was struck, how it ended (None: killed)."""

    places: Sequence[Place]
    fell: Place | None
    ended: Ended | None
    seconds: float

    @property
    def failure(self) -> str | None:
        """Why the reading is not complete; null when it is."""
        if self.ended is None:
            return "killed"
        return None if self.ended.is_complete else self.ended.error or "not complete"

    def is_hit(self, strike: Strike) -> bool:
        """Tell whether the strike came before the run was over."""
        return self.ended is None if strike.blow is Blow.PULL else self.fell is not None


@dataclass(frozen=True, slots=True)
class Struck:
    """One strike: where it fell (None: before the first place), and what came of it.

    ``failed`` is how each attempt ended that did not complete the reading.
    """

    cell: Cell
    strike: Strike
    fell: Place | None
    failed: Sequence[str]
    is_hit: bool
    split: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a whole course came to."""

    courses: Mapping[Cell, Course]
    struck: Sequence[Struck]
    pictures: Mapping[Cell, Picture]
    seconds: float


def run_trial(
    site: Site,
    strikes: Mapping[Cell, Strike],
    *,
    states: Sequence[int] = STATES,
    streams: Sequence[str] = tuple(STREAMS),
    is_split: bool = False,
) -> Trial:
    """Read the states in a new warehouse, one after the other; raises NeverCompleteError."""
    began_at = time.monotonic()
    name = site.new_warehouse()
    courses: dict[Cell, Course] = {}
    struck: list[Struck] = []
    pictures: dict[Cell, Picture] = {}
    with engine_on(site.url(name)) as engine:
        for phase, state in enumerate(states):
            site.show(state)
            for cell in _cells(phase, streams):
                reader = _Reader(site, name, engine, cell, is_split)
                courses[cell], found = reader.read(strikes.get(cell))
                struck += found
            if phase in COMPARED:
                with engine.connect() as connection:
                    for stream in streams:
                        picture = picture_of(connection, STREAMS[stream])
                        pictures[Cell(phase, stream)] = picture
    site.drop(name)
    return Trial(courses, struck, pictures, time.monotonic() - began_at)


def _cells(phase: int, streams: Sequence[str]) -> Iterator[Cell]:
    """Yield what is read one after the other.

    A backfill before the pull of its stream, so that it is the first to see what has changed.
    """
    for stream in streams:
        if STREAMS[stream] == CRMCOM_COMMUNICATIONS and phase > 0:
            yield Cell(phase, BACKFILL)
        yield Cell(phase, stream)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one stream's part of a state."""

    site: Site
    name: str
    engine: Engine
    cell: Cell
    is_split: bool
    as_of: datetime = field(default_factory=lambda: datetime.now(UTC))

    def read(self, strike: Strike | None) -> tuple[Course, list[Struck]]:
        """Pull until it is complete, struck once at most; as a slice goes on where one stopped."""
        attempt = self._attempt(strike)
        course = Course(tuple(p for p in attempt.places if p.side is Side.BEFORE), attempt.seconds)
        is_hit = strike is not None and attempt.is_hit(strike)
        if is_hit and strike is not None and strike.blow is Blow.POSTGRES:
            self.engine.dispose()
            self.site.start_postgres()
        fell, split = attempt.fell, self._split()
        failed: list[str] = []
        while attempt.failure:
            failed.append(attempt.failure)
            if len(failed) == _MOST_ATTEMPTS:
                raise NeverCompleteError(f"{self.cell}, {strike}: {'; '.join(failed)}")
            attempt = self._attempt(None)
        if strike is None:
            return course, []
        return course, [Struck(self.cell, strike, fell, failed, is_hit, split)]

    def _attempt(self, strike: Strike | None) -> Attempt:
        order = Order(
            stream=_stream_of(self.cell),
            run_id=f"run-{next(_run_ids)}",
            environ=self.site.environ,
            warehouse_url=self.site.gated_url(self.name),
            as_of=self.as_of,
            strike=strike,
            is_split=self.is_split,
            backfill=str(self.cell) if self.cell.stream == BACKFILL else None,
        )
        self.site.api.let_through()
        self.site.database.let_through()
        ours, theirs = _processes.Pipe()
        process = _processes.Process(target=victim.pull, args=(order, theirs), daemon=True)
        began_at = time.monotonic()
        process.start()
        theirs.close()
        try:
            places, wish, ended = self._listen(ours, strike)
        finally:
            # It has said its last word, or never will.
            process.join(_LEAVE_S)
            process.kill()
            process.join()
            ours.close()
        fell = wish.place if wish else places[-1] if places and ended is None else None
        return Attempt(places, fell, ended, time.monotonic() - began_at)

    def _listen(
        self, line: Line, strike: Strike | None
    ) -> tuple[list[Place], Wish | None, Ended | None]:
        places: list[Place] = []
        wish: Wish | None = None
        try:
            while True:
                if not line.poll(_LONGEST_S):
                    raise NeverCompleteError(f"{self.cell}, {strike}: nothing happens any more")
                match line.recv():
                    case Place() as place:
                        places.append(place)
                    case Wish() as wish:
                        if strike is not None and strike.blow is not Blow.PULL:
                            self._deal(strike.blow, wish)
                            line.send(None)
                    case Ended() as ended:
                        return places, wish, ended
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return places, wish, None

    def _deal(self, blow: Blow, wish: Wish) -> None:
        is_during = wish.place.side is Side.DURING
        match blow:
            case Blow.POSTGRES:
                self.site.kill_postgres()
            case Blow.API if is_during:
                self.site.api.cut_at_answer()
            case Blow.API:
                self.site.api.cut()
            case Blow.DATABASE if is_during:
                self.site.database.cut_at_answer(wish.port)
            case _:
                self.site.database.cut()

    def _split(self) -> str | None:
        with self.engine.connect() as connection:
            return split_of(connection, STREAMS[_stream_of(self.cell)])


def _stream_of(cell: Cell) -> str:
    return str(CRMCOM_COMMUNICATIONS) if cell.stream == BACKFILL else cell.stream
