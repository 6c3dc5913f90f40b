"""Sweeping a list in memory: how many requests, which rows, which proof."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from math import log2

import pytest

from sync_pipeline.pull.keys import key_reader
from sync_pipeline.pull.sweep import Sweep, SweptList, SweptPage, sweep_list
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason
from sync_pipeline_tests.moving_list import BEGINNING, Beyond, MovingList, row

ABC = [row("a"), row("b"), row("c")]


def swept(moving: MovingList) -> SweptList:
    return asyncio.run(sweep_list(moving.fetch))


def swept_pages(*pages: Page) -> SweptList:
    answers = iter(pages)

    async def fetch(_number: int) -> Page:
        return next(answers)

    return asyncio.run(sweep_list(fetch))


def page(
    *records: bytes, total: int | None = None, has_more: bool | None = None, second: int = 0
) -> Page:
    return Page(records, total, BEGINNING + timedelta(seconds=second), has_more)


def numbered(many: int) -> list[bytes]:
    return [row(number) for number in range(many)]


def keys(rows: Sequence[bytes]) -> set[str]:
    return {raw.decode().split('"')[3] for raw in rows}


def test_one_page_with_a_true_total_is_one_request_and_proven() -> None:
    moving = MovingList(ABC, size=10)

    sweep = swept(moving)

    assert (moving.asked, sweep.proof, sweep.reason) == ([1], Proof.SINGLE_RESPONSE, None)
    assert sweep.rows == {
        "a": (ABC[0], BEGINNING + timedelta(seconds=1)),
        "b": (ABC[1], BEGINNING + timedelta(seconds=1)),
        "c": (ABC[2], BEGINNING + timedelta(seconds=1)),
    }
    assert sweep.started_at == BEGINNING + timedelta(seconds=1)


def test_a_proven_list_knows_which_keys_it_held() -> None:
    seen = swept(MovingList(ABC, size=10)).seen

    assert seen is not None
    assert seen.holds(["a", "x", "c"]) == [True, False, True]


def test_of_a_list_with_a_row_without_key_nothing_follows_from_absence() -> None:
    sweep = swept(MovingList([*ABC, b'{"n":1}'], size=10))

    assert (sweep.proof, sweep.seen) == (Proof.SINGLE_RESPONSE, None)


def test_of_an_unproven_list_nothing_follows_from_absence() -> None:
    assert swept(MovingList(numbered(6))).seen is None


@pytest.mark.parametrize("pages", range(2, 7))
@pytest.mark.parametrize("missing", [0, 1])
def test_n_pages_with_a_true_total_are_n_plus_2_requests(pages: int, missing: int) -> None:
    rows = numbered(3 * pages - missing)
    moving = MovingList(rows, size=3)

    sweep = swept(moving)

    assert len(moving.asked) <= pages + 2
    assert set(sweep.rows) == keys(rows)
    assert (sweep.proof, sweep.reason) == (Proof.INCOMPLETE, Reason.ORDER_NOT_PROVEN)


@pytest.mark.parametrize("pages", range(1, 41))
@pytest.mark.parametrize("missing", [0, 1])
def test_without_a_total_the_end_is_found_in_a_few_more(pages: int, missing: int) -> None:
    rows = numbered(3 * pages - missing)
    moving = MovingList(rows, size=3, has_total=False)

    sweep = swept(moving)

    assert len(moving.asked) <= pages + 2 + 2 * log2(pages) + 1
    assert set(sweep.rows) == keys(rows)
    assert sweep.proof is Proof.INCOMPLETE


def test_one_page_without_a_total_is_three_requests() -> None:
    moving = MovingList(ABC, size=3, has_total=False)

    swept(moving)

    assert moving.asked == [1, 2, 1]


def test_pages_are_read_from_the_last_to_the_first_and_then_the_tail() -> None:
    moving = MovingList(numbered(8), size=2)

    swept(moving)

    assert moving.asked == [1, 4, 3, 2, 1, 4]


def test_no_more_is_believed_where_there_is_no_total() -> None:
    moving = MovingList(ABC, size=3, has_total=False, says_more=False)

    assert swept(moving).proof is Proof.SINGLE_RESPONSE
    assert moving.asked == [1]


@pytest.mark.parametrize("has_total", [True, False])
def test_an_empty_list_is_proven_by_its_one_answer(has_total: bool) -> None:  # noqa: FBT001 -- a case
    moving = MovingList([], has_total=has_total)

    sweep = swept(moving)

    assert (sweep.rows, sweep.proof, moving.asked) == ({}, Proof.SINGLE_RESPONSE, [1])


def test_an_empty_page_is_not_believed_against_its_total() -> None:
    moving = MovingList(numbered(5), size=1)
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return await moving.fetch(number) if len(asked) > 1 else page(total=5)

    sweep = asyncio.run(sweep_list(fetch))

    assert (set(sweep.rows), sweep.proof) == (keys(numbered(5)), Proof.INCOMPLETE)


def test_an_empty_page_that_promises_more_is_no_proof() -> None:
    assert swept_pages(page(has_more=True), page(), page()).proof is Proof.INCOMPLETE


def test_a_total_below_what_came_is_no_proof() -> None:
    sweep = swept_pages(page(*ABC, total=2), page(total=2), page(*ABC, total=2))

    assert (set(sweep.rows), sweep.proof) == ({"a", "b", "c"}, Proof.INCOMPLETE)


def test_a_total_far_beyond_the_rows_does_not_cost_a_request_each() -> None:
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return page(*(ABC if number == 1 else ()), total=300_000)

    sweep = asyncio.run(sweep_list(fetch))

    assert (set(sweep.rows), sweep.proof) == ({"a", "b", "c"}, Proof.INCOMPLETE)
    assert len(asked) < 50


def test_a_server_may_give_fewer_rows_a_page_than_asked_for() -> None:
    # The sweep knows no page size of its own: the first page tells.
    moving = MovingList(numbered(250), size=100)

    assert len(swept(moving).rows) == 250


@pytest.mark.parametrize("beyond", ["first page", "last page"])
@pytest.mark.parametrize("pages", range(1, 12))
def test_a_server_that_repeats_a_page_beyond_the_end_is_read_to_its_end(
    beyond: Beyond, pages: int
) -> None:
    rows = numbered(2 * pages)
    moving = MovingList(rows, has_total=False, beyond=beyond)

    assert set(swept(moving).rows) == keys(rows)
    assert len(moving.asked) <= 2 * pages + 2 + 2 * log2(pages) + 1


@pytest.mark.parametrize("beyond", ["nothing", "first page", "last page"])
def test_always_promising_more_changes_nothing(beyond: Beyond) -> None:
    rows = numbered(5)
    moving = MovingList(rows, has_total=False, says_more=True, beyond=beyond)

    sweep = swept(moving)

    assert (set(sweep.rows), sweep.proof) == (keys(rows), Proof.INCOMPLETE)


def test_a_server_without_an_end_is_left_at_the_page_cap() -> None:
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return page(row(number), has_more=True)

    sweep = asyncio.run(sweep_list(fetch, most_pages=16))

    assert (len(sweep.rows), max(asked), sweep.proof) == (16, 16, Proof.INCOMPLETE)


def test_what_is_appended_under_the_reader_is_found_in_the_tail() -> None:
    rows = numbered(6)
    moving = MovingList(rows)
    moving.between = lambda: rows.append(row(f"new{len(rows)}")) if len(moving.asked) < 4 else None

    sweep = swept(moving)

    assert set(sweep.rows) == keys(rows)


def test_rows_read_again_are_counted_as_duplicates() -> None:
    # Pages 1, 3, 2, 1, 3: five pages of two rows, of which six rows are new.
    assert swept(MovingList(numbered(6))).duplicates == 4


def test_rows_without_a_key_are_kept_aside_and_counted_once() -> None:
    keyless = [b'{"name":"x"}', b"broken", b'{"id":{}}', b'{"id":" "}', b'{"id":"\\u0000"}']
    rows = [row("a"), *keyless, row("b"), b'{"id":7}']
    moving = MovingList(rows, size=8)

    sweep = swept(moving)

    assert (set(sweep.rows), list(sweep.keyless)) == ({"a", "b", "7"}, keyless)

    several = swept(MovingList(rows, size=2))

    assert (set(several.rows), set(several.keyless)) == ({"a", "b", "7"}, set(keyless))
    # Pages 1, 4, 3, 2, 1, 4: twelve rows came.
    assert several.duplicates == 12 - len(rows)


def test_a_page_of_rows_without_a_key_is_no_end_of_the_list() -> None:
    rows = [b'{"n":1}', row("a"), b'{"n":2}', b'{"n":3}', row("b"), row("c")]

    sweep = swept(MovingList(rows, has_total=False))

    assert (set(sweep.rows), len(sweep.keyless)) == ({"a", "b", "c"}, 3)


def test_of_a_row_read_twice_the_newer_reading_stays() -> None:
    sweep = swept_pages(
        page(b'{"id":"a","n":1}', total=2, second=1),
        page(b'{"id":"b","n":1}', total=2, second=2),
        page(b'{"id":"a","n":2}', total=2, second=3),
        page(b'{"id":"b","n":2}', total=2, second=4),
    )

    assert sweep.rows == {
        "a": (b'{"id":"a","n":2}', BEGINNING + timedelta(seconds=3)),
        "b": (b'{"id":"b","n":2}', BEGINNING + timedelta(seconds=4)),
    }


def test_a_list_of_tenants_is_keyed_by_lower_case_name_and_never_by_id() -> None:
    async def fetch(_number: int) -> Page:
        return page(b'{"systemName":"Acme","id":"1"}', b'{"id":"2"}', total=2)

    sweep = asyncio.run(sweep_list(fetch, key_of=key_reader("systemName", is_lower=True)))

    assert (set(sweep.rows), list(sweep.keyless)) == ({"acme"}, [b'{"id":"2"}'])


def test_an_id_too_long_for_any_index_is_no_id() -> None:
    sweep = swept(MovingList([row("x" * 1_000), row("é" * 501)], size=5))

    assert (set(sweep.rows), len(sweep.keyless)) == ({"x" * 1_000}, 1)


def test_pages_are_handed_on_as_they_are_read() -> None:
    moving = MovingList(numbered(5))

    async def read() -> list[tuple[list[int], list[str], list[str], int]]:
        sweep = Sweep(moving.fetch)
        return [
            (list(moving.asked), [*page.rows], [*page.repeats], page.duplicates)
            async for page in sweep.pages()
        ]

    assert asyncio.run(read()) == [
        ([1], ["0", "1"], [], 0),
        ([1, 3], ["4"], [], 0),
        ([1, 3, 2], ["2", "3"], [], 0),
        ([1, 3, 2, 1], [], ["0", "1"], 2),
        ([1, 3, 2, 1, 3], [], ["4"], 1),
    ]


def test_of_a_page_that_names_a_row_twice_the_later_one_counts() -> None:
    first, second = b'{"id":"a","n":1}', b'{"id":"a","n":2}'

    async def read() -> list[SweptPage]:
        moving = MovingList([first, second, b"{}", b"{}"], size=10)
        return [page async for page in Sweep(moving.fetch).pages()]

    (page,) = asyncio.run(read())

    assert (page.rows, page.repeats, page.keyless, page.duplicates) == (
        {"a": second},
        {},
        [b"{}"],
        2,
    )


def test_the_end_of_a_long_list_may_be_an_empty_page() -> None:
    # Longer than what is held loosely of the rows that were seen.
    moving = MovingList(numbered(6_000), size=1_000, has_total=False)
    between = iter([False] * 8 + [True])

    def shrink() -> None:
        if next(between, False):
            del moving.rows[5_000:]

    moving.between = shrink

    sweep = swept(moving)

    assert len(sweep.rows) == 6_000
