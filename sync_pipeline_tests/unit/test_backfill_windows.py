from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from sync_pipeline.pull.backfill_windows import Backfill, Window, windows_of


def at(day: int, hour: int = 0, second: float = 0) -> datetime:
    return datetime(2026, 2, day, hour, tzinfo=UTC) + timedelta(seconds=second)


def days(*numbers: int) -> list[date]:
    return [date(2026, 2, number) for number in numbers]


@pytest.mark.parametrize(
    ("chosen", "windows"),
    [
        ([], ()),
        (days(3), (Window(at(3), at(4)),)),
        (days(5, 3, 4, 4), (Window(at(3), at(6)),)),
        (days(3, 5, 6), (Window(at(3), at(4)), Window(at(5), at(7)))),
        (
            [date(2025, 12, 31), date(2026, 1, 1)],
            (Window(at(1) - timedelta(32), at(1) - timedelta(30)),),
        ),
    ],
)
def test_days_that_follow_one_another_are_one_window(
    chosen: list[date], windows: tuple[Window, ...]
) -> None:
    assert windows_of(chosen) == windows


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    window = Window(at(3), at(4))
    assert [window.holds(instant) for instant in (at(3), at(4, second=-1), at(4))] == [
        True,
        True,
        False,
    ]
    assert Window().holds(at(1))


def test_a_backfill_holds_what_one_of_its_windows_holds() -> None:
    backfill = Backfill(windows_of(days(3, 5)))
    assert [backfill.holds(at(day, 12)) for day in (2, 3, 4, 5, 6)] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_the_same_days_have_the_same_words_however_they_were_named() -> None:
    east = timezone(timedelta(hours=2))
    same = Window(datetime(2026, 2, 3, 2, tzinfo=east), datetime(2026, 2, 4, 2, tzinfo=east))
    words = "2026-02-03T00:00:00+00:00/2026-02-04T00:00:00+00:00"
    assert Backfill(windows_of(days(3, 3))).words == Backfill((same,)).words == words
    assert Backfill((Window(since=at(3)),)).words == "2026-02-03T00:00:00+00:00/.."


def test_whole_seconds_take_in_what_the_window_holds() -> None:
    exact = Window(at(3, second=0.25), at(4, second=0.25))
    assert exact.in_whole_seconds() == Window(at(3), at(4, second=1))
    assert Window(at(3), at(4)).in_whole_seconds() == Window(at(3), at(4))
    assert Window().in_whole_seconds() == Window()
