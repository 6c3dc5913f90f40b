"""Sweeping a list in memory: how many requests, which rows, which proof."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import log2

import pytest

from sync_pipeline.mapping.fields import Form
from sync_pipeline.pull.creation import CreationTimes
from sync_pipeline.pull.keys import key_reader
from sync_pipeline.pull.listing import LongestPage
from sync_pipeline.pull.sweep import Sweep, sweep_list
from sync_pipeline.pull.swept import SweptList, SweptPage
from sync_pipeline.sources.answers import Page
from sync_pipeline.warehouse.progress import Proof, Reason
from sync_pipeline_tests.moving_list import BEGINNING, Beyond, MovingList, row

ABC = [row("a"), row("b"), row("c")]


CREATED = CreationTimes("created_on", form=Form.EPOCH)


def swept(moving: MovingList, *, asked_rows: int | None = None) -> SweptList:
    sweep = Sweep(moving.fetch, created_of=CREATED, asked_rows=asked_rows)
    return asyncio.run(sweep_list(sweep))


def page(
    *records: bytes, total: int | None = None, has_more: bool | None = None, second: int = 0
) -> Page:
    return Page(records, total, BEGINNING + timedelta(seconds=second), has_more)


def named(many: int) -> list[bytes]:
    """Return rows that show no order: neither a time nor an id that is a number."""
    return [row(f"r{number}") for number in range(many)]


def timed(many: int, *, ties: int = 1) -> list[bytes]:
    """Return rows in the order of their creation, so many in the same second."""
    return [created(number, 1_700_000_000 + number // ties) for number in range(many)]


def created(number: int, at: int) -> bytes:
    return b'{"id":"r%d","created_on":%d}' % (number, at)


def proven(sweep: SweptList) -> tuple[Proof, Reason | None]:
    return sweep.proof, sweep.reason


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
    moving = MovingList(named(6), says_more=True)

    assert swept(moving).seen is None


@pytest.mark.parametrize("pages", range(2, 7))
@pytest.mark.parametrize("missing", [0, 1])
def test_n_pages_in_the_order_of_their_creation_are_n_plus_2_requests(
    pages: int, missing: int
) -> None:
    rows = timed(3 * pages - missing)
    moving = MovingList(rows, size=3)

    sweep = swept(moving)

    assert len(moving.asked) <= pages + 2
    assert set(sweep.rows) == keys(rows)
    assert proven(sweep) == (Proof.TAIL_FIRST, None)


@pytest.mark.parametrize("pages", range(2, 7))
@pytest.mark.parametrize("missing", [0, 1])
def test_ids_that_are_ascending_whole_numbers_show_the_order_where_no_time_does(
    pages: int, missing: int
) -> None:
    rows = [row(9_990 + number) for number in range(3 * pages - missing)]
    moving = MovingList(rows, size=3)

    sweep = swept(moving)

    assert len(moving.asked) <= pages + 2
    assert set(sweep.rows) == keys(rows)
    assert proven(sweep) == (Proof.TAIL_FIRST, None)


@pytest.mark.parametrize(
    "ids",
    [(1, 3, 2, 4, 5), (5, 4, 3, 2, 1), (1, 2, "x3", 4, 5), (1, 2, "٣", 4, 5), ("", 2, 3, 4, 5)],
)
def test_ids_in_another_order_or_of_another_kind_show_none(ids: tuple[int | str, ...]) -> None:
    sweep = swept(MovingList([row(one) for one in ids]))

    assert proven(sweep) == (Proof.AGREEING_PASSES, None)


def test_where_some_pages_show_times_and_others_ids_no_order_is_shown() -> None:
    timed_rows = [b'{"id":"%d","created_on":%d}' % (n, 1_700_000_000 + n) for n in (3, 4)]

    sweep = swept(MovingList([row(1), row(2), *timed_rows]))

    assert proven(sweep) == (Proof.AGREEING_PASSES, None)


@pytest.mark.parametrize("pages", range(2, 7))
@pytest.mark.parametrize("missing", [0, 1])
def test_without_a_time_of_creation_they_are_read_twice(pages: int, missing: int) -> None:
    rows = named(3 * pages - missing)
    moving = MovingList(rows, size=3)

    sweep = swept(moving)

    assert len(moving.asked) <= 2 * (pages + 2)
    assert set(sweep.rows) == keys(rows)
    assert proven(sweep) == (Proof.AGREEING_PASSES, None)


@pytest.mark.parametrize("pages", range(1, 41))
@pytest.mark.parametrize("missing", [0, 1])
def test_without_a_total_the_end_is_found_in_a_few_more(pages: int, missing: int) -> None:
    rows = timed(3 * pages - missing)
    moving = MovingList(rows, size=3, has_total=False)

    sweep = swept(moving)

    assert len(moving.asked) <= pages + 2 + 2 * log2(pages) + 1
    assert set(sweep.rows) == keys(rows)
    assert proven(sweep) == (Proof.TAIL_FIRST, None)


def test_one_page_without_a_total_is_three_requests() -> None:
    moving = MovingList(timed(3), size=3, has_total=False)

    sweep = swept(moving)

    assert (moving.asked, sweep.proof) == ([1, 2, 1], Proof.TAIL_FIRST)


def test_a_page_shorter_than_the_endpoint_has_given_is_the_end_of_a_list() -> None:
    longest = LongestPage()

    async def read(many: int) -> tuple[list[int], Proof]:
        moving = MovingList(named(many), size=10, has_total=False)
        sweep = await sweep_list(Sweep(moving.fetch, longest=longest))
        return moving.asked, sweep.proof

    # The first may have been cut short by the server, and the third is as long as any has been.
    assert [asyncio.run(read(many)) for many in (5, 4, 5, 0)] == [
        ([1, 2, 1, 2, 1], Proof.AGREEING_PASSES),
        ([1], Proof.SINGLE_RESPONSE),
        ([1, 2, 1, 2, 1], Proof.AGREEING_PASSES),
        ([1], Proof.SINGLE_RESPONSE),
    ]


def test_pages_are_read_from_the_last_to_the_first_and_then_the_tail() -> None:
    moving = MovingList(timed(7), size=2)

    swept(moving)

    assert moving.asked == [1, 4, 3, 2, 1, 4]


def test_a_full_last_page_is_looked_beyond() -> None:
    moving = MovingList(timed(8), size=2)

    swept(moving)

    assert moving.asked == [1, 4, 3, 2, 1, 5]


def test_a_second_pass_begins_with_the_page_that_the_first_one_ended_with() -> None:
    moving = MovingList(named(7), size=2)

    swept(moving)

    assert moving.asked == [1, 4, 3, 2, 1, 4, *[3, 2, 1, 4]]


def test_ties_across_a_boundary_show_no_order() -> None:
    # Pages of three: the third and the fourth row are of one second.
    assert swept(MovingList(timed(7, ties=2), size=3)).proof is Proof.AGREEING_PASSES


def test_ties_within_a_page_are_no_harm() -> None:
    assert swept(MovingList(timed(7, ties=3), size=3)).proof is Proof.TAIL_FIRST


def test_rows_that_are_not_in_the_order_of_their_creation_show_none() -> None:
    rows = [created(n, 1_700_000_000 + at) for n, at in enumerate([1, 3, 2, 4, 5])]

    assert swept(MovingList(rows)).proof is Proof.AGREEING_PASSES
    assert swept(MovingList(timed(5)[::-1])).proof is Proof.AGREEING_PASSES
    assert swept(MovingList([*timed(4)[1::-1], *timed(5)[2:]])).proof is Proof.AGREEING_PASSES


@pytest.mark.parametrize(
    "odd", [row("r4"), b'{"id":"r4","created_on":0}', b'{"id":"r4","created_on":{}}', b"broken"]
)
def test_a_row_that_does_not_say_when_it_was_created_shows_no_order(odd: bytes) -> None:
    assert swept(MovingList([*timed(4), odd])).proof is Proof.AGREEING_PASSES


def test_a_deletion_that_moves_one_row_is_told_from_a_tie_by_another_look() -> None:
    moving = MovingList(timed(9), size=3)

    def delete_one() -> None:
        if len(moving.asked) == 2:
            del moving.rows[0]

    moving.between = delete_one

    sweep = swept(moving)

    # Page 2 now ends with the row that page 3 began with: both are read again.
    assert moving.asked == [1, 3, 2, 3, 2, 1, 3]
    assert (set(sweep.rows), sweep.proof) == (keys(timed(9)), Proof.TAIL_FIRST)


def test_two_that_were_created_together_and_change_places_are_not_taken_for_a_deletion() -> None:
    rows = timed(9)
    rows[5] = created(5, 1_700_000_006)
    moving = MovingList(rows, size=3)

    def swap() -> None:
        if len(moving.asked) == 2:
            rows[5], rows[6] = rows[6], rows[5]

    moving.between = swap

    sweep = swept(moving)

    assert (set(sweep.rows), sweep.proof) == (keys(timed(9)), Proof.AGREEING_PASSES)


def test_a_list_that_never_comes_to_rest_is_given_up_after_five_passes() -> None:
    moving = MovingList(named(5))
    moving.between = lambda: moving.rows.append(row(f"new{len(moving.rows)}"))

    sweep = swept(moving)

    assert proven(sweep) == (Proof.INCOMPLETE, Reason.ORDER_NOT_PROVEN)
    assert keys(named(5)) <= set(sweep.rows)


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
    moving = MovingList(named(5), size=1)
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return await moving.fetch(number) if len(asked) > 1 else page(total=5)

    sweep = asyncio.run(sweep_list(Sweep(fetch)))

    # It may have been empty for a moment: the second pass agrees with the first.
    assert (set(sweep.rows), sweep.proof) == (keys(named(5)), Proof.AGREEING_PASSES)


@pytest.mark.parametrize("empty", [*combinations(range(1, 13), 2)])
def test_answers_that_are_empty_against_their_total_prove_nothing(empty: tuple[int, int]) -> None:
    # Found by the long run: an empty answer in the search for the end, or in place of page 1.
    moving = MovingList(timed(13), size=2)

    async def fetch(number: int) -> Page:
        came = await moving.fetch(number)
        return replace(came, records=()) if len(moving.asked) in empty else came

    sweep = asyncio.run(sweep_list(Sweep(fetch, created_of=CREATED)))

    assert set(sweep.rows) == keys(timed(13)) or sweep.proof is Proof.INCOMPLETE


def test_an_empty_page_that_promises_more_is_no_proof() -> None:
    sweep = swept(MovingList([], has_total=False, says_more=True))

    assert proven(sweep) == (Proof.INCOMPLETE, Reason.PROMISES_MORE)


def test_a_total_below_what_came_is_not_believed() -> None:
    moving = MovingList(timed(8), size=2, stated=3)

    sweep = swept(moving)

    assert set(sweep.rows) == keys(timed(8))
    # The end was looked for, then, as in a list without a total.
    assert proven(sweep) == (Proof.TAIL_FIRST, None)


def test_a_total_that_counts_no_further_is_not_believed() -> None:
    moving = MovingList(timed(16), size=2, stated=8, beyond="first page")

    sweep = swept(moving)

    assert set(sweep.rows) == keys(timed(16))
    assert proven(sweep) == (Proof.TAIL_FIRST, None)


def test_a_total_that_is_not_reached_is_a_veto() -> None:
    sweep = swept(MovingList(timed(5), size=2, stated=6))

    assert set(sweep.rows) == keys(timed(5))
    assert proven(sweep) == (Proof.INCOMPLETE, Reason.TOTAL_NOT_REACHED)


def test_a_page_in_the_middle_that_is_short_is_no_proof() -> None:
    moving = MovingList(timed(9), size=3, hidden={4})

    assert proven(swept(moving)) == (Proof.INCOMPLETE, Reason.SHORT_PAGE)

    moving = MovingList(timed(9), size=3, hidden={4}, has_total=False)

    assert proven(swept(moving)) == (Proof.INCOMPLETE, Reason.SHORT_PAGE)


def test_a_server_that_gives_the_same_page_whatever_is_asked_is_no_proof() -> None:
    # Among others one whose page has another name than the settings say.
    async def fetch(_number: int) -> Page:
        return page(*timed(3))

    assert proven(asyncio.run(sweep_list(Sweep(fetch)))) == (
        Proof.INCOMPLETE,
        Reason.REPEATED_PAGE,
    )


def test_a_server_that_cuts_pages_short_is_believed_with_its_total_alone() -> None:
    capped = MovingList(timed(8), size=2)

    assert swept(capped, asked_rows=100).proof is Proof.TAIL_FIRST

    capped.has_total = False

    assert proven(swept(capped, asked_rows=100)) == (Proof.INCOMPLETE, Reason.PAGES_CAPPED)


@pytest.mark.parametrize("size", [2, 10])
def test_a_filter_that_the_server_ignores_ends_the_reading(size: int) -> None:
    moving = MovingList(timed(5), size=size)
    since = datetime.fromtimestamp(1_700_000_001, UTC)
    sweep = Sweep(moving.fetch, created_of=CREATED, since=since)

    outcome = asyncio.run(sweep_list(sweep))

    assert proven(outcome) == (Proof.INCOMPLETE, Reason.FILTER_IGNORED)
    assert moving.asked == [1]


def test_rows_of_the_very_second_asked_for_are_what_was_asked_for() -> None:
    moving = MovingList(timed(3), size=10)
    since = datetime.fromtimestamp(1_700_000_000, UTC) + timedelta(microseconds=5)
    sweep = Sweep(moving.fetch, created_of=CREATED, since=since)

    assert proven(asyncio.run(sweep_list(sweep))) == (Proof.SINGLE_RESPONSE, None)


def test_a_page_that_is_the_whole_list_by_now_proves_it() -> None:
    moving = MovingList(named(4), size=2)

    def shrink() -> None:
        del moving.rows[2:]

    moving.between = shrink

    sweep = swept(moving)

    assert (set(sweep.rows), sweep.proof) == ({"r0", "r1"}, Proof.SINGLE_RESPONSE)


def test_a_total_far_beyond_the_rows_does_not_cost_a_request_each() -> None:
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return page(*(ABC if number == 1 else ()), total=300_000)

    sweep = asyncio.run(sweep_list(Sweep(fetch)))

    assert set(sweep.rows) == {"a", "b", "c"}
    assert proven(sweep) == (Proof.INCOMPLETE, Reason.TOTAL_NOT_REACHED)
    assert len(asked) < 50


def test_a_server_may_give_fewer_rows_a_page_than_asked_for() -> None:
    # The sweep knows no page size of its own: the first page tells.
    moving = MovingList(named(250), size=100)

    assert len(swept(moving).rows) == 250


@pytest.mark.parametrize("beyond", ["first page", "last page"])
@pytest.mark.parametrize("pages", range(1, 12))
def test_a_server_that_repeats_a_page_beyond_the_end_is_read_to_its_end(
    beyond: Beyond, pages: int
) -> None:
    rows = timed(2 * pages)
    moving = MovingList(rows, has_total=False, beyond=beyond)

    sweep = swept(moving)

    # One page that comes again may be all that such a server ever gives.
    repeated = (Proof.INCOMPLETE, Reason.REPEATED_PAGE)
    assert proven(sweep) == (repeated if pages == 1 else (Proof.TAIL_FIRST, None))
    assert set(sweep.rows) == keys(rows)
    assert pages == 1 or len(moving.asked) <= 2 * pages + 2 + 2 * log2(pages) + 1


@pytest.mark.parametrize("beyond", ["nothing", "first page", "last page"])
def test_always_promising_more_changes_nothing(beyond: Beyond) -> None:
    rows = named(5)
    moving = MovingList(rows, has_total=False, says_more=True, beyond=beyond)

    sweep = swept(moving)

    assert set(sweep.rows) == keys(rows)
    assert proven(sweep) == (Proof.INCOMPLETE, Reason.PROMISES_MORE)


def test_a_server_without_an_end_is_left_at_the_page_cap() -> None:
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return page(row(number), has_more=True)

    sweep = asyncio.run(sweep_list(Sweep(fetch, most_pages=16)))

    assert (len(sweep.rows), max(asked)) == (16, 16)
    assert proven(sweep) == (Proof.INCOMPLETE, Reason.PAGE_CAP)


def test_what_is_appended_under_the_reader_is_found_in_the_tail() -> None:
    rows = named(6)
    moving = MovingList(rows)
    moving.between = lambda: rows.append(row(f"new{len(rows)}")) if len(moving.asked) < 4 else None

    sweep = swept(moving)

    assert set(sweep.rows) == keys(rows)


def test_rows_read_again_are_counted_as_duplicates() -> None:
    # Pages 1, 3, 2, 1, 4: four pages of two rows, of which six rows are new.
    assert swept(MovingList(timed(6))).duplicates == 2
    # And once more: 3, 2, 1, 4.
    assert swept(MovingList(named(6))).duplicates == 8


def test_rows_without_a_key_are_kept_aside_and_counted_once() -> None:
    keyless = [b'{"name":"x"}', b"broken", b'{"id":{}}', b'{"id":" "}', b'{"id":"\\u0000"}']
    rows = [row("a"), *keyless, row("b"), b'{"id":7}']
    moving = MovingList(rows, size=8)

    sweep = swept(moving)

    assert (set(sweep.rows), list(sweep.keyless)) == ({"a", "b", "7"}, keyless)

    several = swept(MovingList(rows, size=2))

    assert (set(several.rows), set(several.keyless)) == ({"a", "b", "7"}, set(keyless))
    # Pages 1, 4, 3, 2, 1, 5 and then 4, 3, 2, 1, 5: eighteen rows came.
    assert several.duplicates == 18 - len(rows)


def test_a_page_of_rows_without_a_key_is_no_end_of_the_list() -> None:
    rows = [b'{"n":1}', row("a"), b'{"n":2}', b'{"n":3}', row("b"), row("c")]

    sweep = swept(MovingList(rows, has_total=False))

    assert (set(sweep.rows), len(sweep.keyless)) == ({"a", "b", "c"}, 3)


def test_of_a_row_read_twice_the_newer_reading_stays() -> None:
    moving = MovingList(timed(4))

    def update() -> None:
        if len(moving.asked) == 2:
            moving.rows[0] = moving.rows[0].replace(b"}", b',"n":2}')

    moving.between = update

    assert swept(moving).rows["r0"] == (moving.rows[0], BEGINNING + timedelta(seconds=3))


def test_what_changes_while_a_list_is_read_again_is_for_the_next_reading() -> None:
    # Its version is not older than the sweep, and a second load of every row would cost as much.
    moving = MovingList(named(4))
    first = moving.rows[0]

    def update() -> None:
        if len(moving.asked) == 5:
            moving.rows[0] = first.replace(b"}", b',"n":2}')

    moving.between = update

    sweep = swept(moving)

    assert (sweep.rows["r0"][0], sweep.proof) == (first, Proof.AGREEING_PASSES)


def test_a_list_of_tenants_is_keyed_by_lower_case_name_and_never_by_id() -> None:
    async def fetch(_number: int) -> Page:
        return page(b'{"systemName":"Acme","id":"1"}', b'{"id":"2"}', total=2)

    sweep = asyncio.run(sweep_list(Sweep(fetch, key_reader("systemName", is_lower=True))))

    assert (set(sweep.rows), list(sweep.keyless)) == ({"acme"}, [b'{"id":"2"}'])


def test_an_id_too_long_for_any_index_is_no_id() -> None:
    sweep = swept(MovingList([row("x" * 1_000), row("é" * 501)], size=5))

    assert (set(sweep.rows), len(sweep.keyless)) == ({"x" * 1_000}, 1)


def test_pages_are_handed_on_as_they_are_read() -> None:
    moving = MovingList(timed(5))

    async def read() -> list[tuple[list[int], list[str], list[str], int]]:
        sweep = Sweep(moving.fetch, created_of=CREATED)
        return [
            (list(moving.asked), [*page.rows], [*page.repeats], page.duplicates)
            async for page in sweep.pages()
        ]

    assert asyncio.run(read()) == [
        ([1], ["r0", "r1"], [], 0),
        ([1, 3], ["r4"], [], 0),
        ([1, 3, 2], ["r2", "r3"], [], 0),
        ([1, 3, 2, 1], [], ["r0", "r1"], 2),
        ([1, 3, 2, 1, 3], [], ["r4"], 1),
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
    moving = MovingList(named(6_000), size=1_000, has_total=False)
    between = iter([False] * 8 + [True])

    def shrink() -> None:
        if next(between, False):
            del moving.rows[5_000:]

    moving.between = shrink

    sweep = swept(moving)

    assert len(sweep.rows) == 6_000
