"""The promise of a sweep, on lists that change between any two requests."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_pipeline.pull.sweep import Sweep, SweptPage, sweep_list
from sync_pipeline.sources.answers import Page
from sync_pipeline_tests.moving_list import Beyond, MovingList, row


class History:
    """The list's own history: which rows were in it all the time."""

    def __init__(self, moving: MovingList, data: st.DataObject) -> None:
        self.throughout = set(moving.rows)
        self._moving = moving
        self._data = data
        self._created = len(moving.rows)
        moving.between = self._change

    def _change(self) -> None:
        # A list changes only so often while it is read, or no reader would come to an end.
        if len(self._moving.asked) > 60:
            return
        rows = self._moving.rows
        for _ in range(self._data.draw(st.integers(0, 2), "appended")):
            rows.append(row(self._created))
            self._created += 1
        for _ in range(self._data.draw(st.integers(0, 3), "deleted")):
            if rows:
                self.throughout.discard(rows.pop(self._data.draw(st.integers(0, len(rows) - 1))))


@given(
    data=st.data(),
    many=st.integers(0, 30),
    size=st.integers(1, 4),
    has_total=st.booleans(),
    beyond=st.sampled_from(get_args(Beyond)),
)
@settings(max_examples=300, deadline=None)
def test_a_row_that_was_there_throughout_is_never_missed(
    data: st.DataObject,
    many: int,
    size: int,
    has_total: bool,  # noqa: FBT001 -- drawn
    beyond: Beyond,
) -> None:
    moving = MovingList([row(n) for n in range(many)], size, has_total=has_total, beyond=beyond)
    history = History(moving, data)

    sweep = asyncio.run(sweep_list(moving.fetch, most_pages=64))

    assert history.throughout <= {raw for raw, _ in sweep.rows.values()}


@given(data=st.data(), many=st.integers(0, 30), size=st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_each_row_comes_once_as_new_and_every_time_is_counted(
    data: st.DataObject, many: int, size: int
) -> None:
    # Each third row has no key; they may be of the same bytes.
    rows = [row(n) if n % 3 else b'{"n":%d}' % (n % 2) for n in range(many)]
    moving = MovingList(rows, size, has_total=data.draw(st.booleans()))
    History(moving, data)
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
    at_least = sum(len(page.repeats) for page in pages)
    assert at_least <= sum(page.duplicates for page in pages)


@given(data=st.data(), many=st.integers(0, 30), size=st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_a_list_that_stands_still_is_read_whole(data: st.DataObject, many: int, size: int) -> None:
    rows = [row(n) for n in range(many)]
    moving = MovingList(list(rows), size, has_total=data.draw(st.booleans()))

    sweep = asyncio.run(sweep_list(moving.fetch))

    assert {raw for raw, _ in sweep.rows.values()} == set(rows)


def test_a_reader_that_goes_forward_does_miss_a_row() -> None:
    moving = MovingList([row(n) for n in range(6)])
    throughout = set(moving.rows[1:])
    moving.between = lambda: moving.rows.remove(row(0)) if row(0) in moving.rows else None

    async def read_forward() -> set[bytes]:
        pages = [await moving.fetch(number) for number in (1, 2, 3)]
        return {raw for page in pages for raw in page.records}

    assert throughout - asyncio.run(read_forward()) == {row(2)}


@pytest.mark.parametrize("has_total", [True, False])
def test_the_same_deletion_costs_a_sweep_nothing(has_total: bool) -> None:  # noqa: FBT001 -- a case
    moving = MovingList([row(n) for n in range(6)], has_total=has_total)
    throughout = set(moving.rows[1:])
    moving.between = lambda: moving.rows.remove(row(0)) if row(0) in moving.rows else None

    sweep = asyncio.run(sweep_list(moving.fetch))

    assert throughout <= {raw for raw, _ in sweep.rows.values()}
