"""The promise of a sweep, on lists that change, lie and fail between any two requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sync_pipeline.pull.close import confirmation_of
from sync_pipeline.pull.sweep import Sweep
from sync_pipeline.pull.swept import SweptPage
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof
from sync_pipeline_tests.moving_list import MovingList, row
from sync_pipeline_tests.sweeps.chance import FAILURES, drawn_play
from sync_pipeline_tests.sweeps.forward import forward
from sync_pipeline_tests.sweeps.play import Play, Read, holds_its_promise, tail_first
from sync_pipeline_tests.sweeps.removal import Confirm, Removal, on_absence_alone
from sync_pipeline_tests.sweeps.server import Fault, Order, Total, Ways

LONG_LISTS = 500
MOST_ROWS = 40
WAYS = st.one_of(
    st.builds(Ways, size=st.integers(1, 4)),
    st.builds(
        Ways,
        size=st.integers(1, 4),
        order=st.sampled_from(Order),
        total=st.sampled_from(Total),
        total_cap=st.integers(3, 12),
        beyond=st.sampled_from(["nothing", "first page", "last page"]),
        says_more=st.sampled_from([None, "truly", "always"]),
        has_times=st.booleans(),
        has_gaps=st.booleans(),
        is_size_asked=st.booleans(),
    ),
)
PLACES = st.integers(0, 63)


class MovingWorld(RuleBasedStateMachine):
    """A list and its reader; every sweep that ends is judged by the list's own history."""

    read: Read = staticmethod(tail_first)
    confirm: Confirm = staticmethod(confirmation_of)
    long_lists = 0

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(Ways(), Random(0))  # noqa: S311 -- replaced before it is used

    @initialize(ways=WAYS, pages=st.integers(3, 6), gaps=st.integers(0, 3), order=st.randoms())
    def hold(self, ways: Ways, pages: int, gaps: int, order: Random) -> None:
        self.removal = Removal(self.confirm, can_ask=order.random() < 0.5)
        self.play = Play(ways, order, self.read, (holds_its_promise, self.removal))
        for _ in range(pages * ways.size - min(gaps, ways.size - 1)):
            self.play.insert(after_last=0 if gaps == 3 else 1)
        type(self).long_lists += 1
        self.play.begin()

    @rule(seconds=st.integers(0, 2))
    def insert(self, seconds: int) -> None:
        self.play.insert(after_last=seconds)

    @rule(share=st.floats(0, 1))
    def backdate(self, share: float) -> None:
        self.play.backdate(share)

    @rule(place=PLACES)
    def delete(self, place: int) -> None:
        self.play.delete(place)

    @rule(place=PLACES)
    def update(self, place: int) -> None:
        self.play.update(place)

    @precondition(lambda self: self.play.is_reading)
    @rule(times=st.integers(1, 4))
    def answer(self, times: int) -> None:
        for _ in range(times):
            if self.play.is_reading:
                self.play.answer()

    @precondition(lambda self: len(self.play.server.rows) < MOST_ROWS)
    @rule(shares=st.lists(st.floats(0, 1), min_size=1, max_size=6))
    def backdate_between_answers(self, shares: list[float]) -> None:
        if not self.play.is_reading:
            self.play.begin()
        for share in shares:
            if self.play.is_reading:
                self.play.backdate(share)
                self.play.answer()

    @precondition(lambda self: self.play.is_reading)
    @rule(fault=st.sampled_from(Fault))
    def answer_wrongly(self, fault: Fault) -> None:
        self.play.answer(fault)

    @precondition(lambda self: self.play.is_reading)
    @rule(number=st.integers(0, len(FAILURES) - 1))
    def fail(self, number: int) -> None:
        self.play.fail(FAILURES[number])

    @precondition(lambda self: self.play.is_reading)
    @rule()
    def crash(self) -> None:
        self.play.crash()

    @precondition(lambda self: not self.play.is_reading)
    @rule()
    def begin_again(self) -> None:
        self.play.begin()

    def teardown(self) -> None:
        if self.play.is_reading:
            self.play.read_on()
        self.play.settle()


def explore(machine: type[MovingWorld], *, examples: int, phases: list[Phase]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            phases=phases,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_promise_is_broken_whatever_happens_between_two_requests() -> None:
    class Worlds(MovingWorld):
        long_lists = 0

    explore(Worlds, examples=LONG_LISTS, phases=[Phase.generate, Phase.shrink])

    assert Worlds.long_lists >= LONG_LISTS


def test_the_same_exploration_finds_what_a_reader_who_goes_forward_misses() -> None:
    class Forward(MovingWorld):
        read = staticmethod(forward)

    with pytest.raises(AssertionError, match="tail_first"):
        explore(Forward, examples=LONG_LISTS, phases=[Phase.generate])


def test_the_same_exploration_finds_a_row_that_is_deleted_on_absence_alone() -> None:
    class Unconfirmed(MovingWorld):
        confirm = staticmethod(on_absence_alone)

    with pytest.raises(AssertionError, match="wrong deletion"):
        explore(Unconfirmed, examples=4 * LONG_LISTS, phases=[Phase.generate])


def test_many_long_lists_drawn_at_random_break_no_promise() -> None:
    removals = [Removal(can_ask=bool(number % 2)) for number in range(LONG_LISTS)]
    plays = [
        drawn_play(Random(number), removal)  # noqa: S311 -- chance
        for number, removal in enumerate(removals)
    ]

    assert sum(play.most_pages >= 3 for play in plays) == LONG_LISTS
    proofs = {ended.swept.proof for play in plays for ended in play.ended}
    assert proofs == set(Proof)
    assert sum(removal.deleted for removal in removals) > LONG_LISTS


def test_a_random_list_shows_what_a_reader_who_goes_forward_misses() -> None:
    missed = 0
    for number in range(LONG_LISTS):
        try:
            drawn_play(Random(number), Removal(), read=forward)  # noqa: S311 -- chance
        except AssertionError:
            missed += 1

    assert missed > LONG_LISTS / 10


def test_a_random_list_shows_what_is_deleted_on_absence_alone() -> None:
    wrong = 0
    for number in range(LONG_LISTS):
        try:
            removal = Removal(on_absence_alone, can_ask=bool(number % 2))
            drawn_play(Random(number), removal)  # noqa: S311 -- chance
        except AssertionError as exc:
            wrong += str(exc).startswith("wrong deletion")

    assert wrong >= 5


@given(
    many=st.integers(0, 30),
    size=st.integers(1, 4),
    has_total=st.booleans(),
    changes=st.lists(st.integers(-31, 31), max_size=40),
)
@settings(max_examples=200)
def test_each_row_comes_once_as_new_and_every_time_is_counted(
    many: int,
    size: int,
    has_total: bool,  # noqa: FBT001 -- drawn
    changes: list[int],
) -> None:
    # Each third row has no key; they may be of the same bytes.
    rows = [row(n) if n % 3 else b'{"n":%d}' % (n % 2) for n in range(many)]
    moving = MovingList(rows, size, has_total=has_total)
    moving.between = _changing(moving, changes)
    served: list[bytes] = []

    async def fetch(number: int) -> Page:
        page = await moving.fetch(number)
        served.extend(page.records)
        return page

    async def read() -> list[SweptPage]:
        return [page async for page in Sweep(fetch, most_pages=64).pages()]

    pages = asyncio.run(read())

    new = [raw for page in pages for raw in [*page.rows.values(), *page.keyless]]
    assert len(new) == len(set(new))
    known: set[str] = set()
    for page in pages:
        assert not page.rows.keys() & known
        assert page.repeats.keys() <= known
        known |= page.rows.keys()
    # Pages that only told where the list ends are no part of it.
    assert set(new) <= set(served)
    assert sum(page.duplicates for page in pages) + len(new) <= len(served)
    assert sum(len(page.repeats) for page in pages) <= sum(page.duplicates for page in pages)


def _changing(moving: MovingList, changes: list[int]) -> Callable[[], None]:
    """Return what makes the next of ``changes``: a row is added, or the one in that place goes."""
    coming = iter(changes)

    def change() -> None:
        place = next(coming, 0)
        if place > 0:
            moving.rows.append(row(1_000 + len(moving.asked)))
        elif place < 0 and moving.rows:
            del moving.rows[place % len(moving.rows)]

    return change
