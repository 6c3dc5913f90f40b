"""What an update adds to an array and removes from it is done to what is there by now."""

from __future__ import annotations

import pytest

from sync_pipeline.push.merge import with_items_merged
from sync_pipeline.push.values import Json

OLD, NEW, THEIRS = {"id": 1}, {"id": 1, "level": 2}, {"id": 1, "level": 3}


@pytest.mark.parametrize(
    ("wanted", "base", "there", "result"),
    [
        (["a", "b"], ["a"], ["a"], ["a", "b"]),
        (["a", "b"], ["a"], ["c", "a"], ["c", "a", "b"]),
        (["a", "b"], ["a"], ["c"], ["c", "b"]),
        (["a"], ["a", "b"], ["b", "c", "a"], ["c", "a"]),
        (["b", "a"], ["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "b"], ["a"], ["b", "a"], ["b", "a"]),
        ([NEW], [OLD], ["c", OLD], ["c", NEW]),
        # Applied before, by an attempt of which no answer came.
        ([NEW], [OLD], ["c", NEW], ["c", NEW]),
        (None, ["a"], ["a"], None),
        (None, ["a"], ["a", "b"], ["b"]),
        (["a"], None, None, ["a"]),
        (["a"], None, ["b"], ["b", "a"]),
    ],
)
def test_items_are_added_and_removed(wanted: Json, base: Json, there: Json, result: Json) -> None:
    merged = with_items_merged({"f": wanted}, {"f": base}, {"f": there})
    assert merged == ({"f": result}, {"f": there})


@pytest.mark.parametrize(
    ("wanted", "base", "there"),
    [([NEW], [OLD], [THEIRS]), ("a", "b", "c"), ({"a": 1}, [1], [1]), ([1], "b", None)],
)
def test_what_cannot_be_merged_stays_as_it_was_asked_for(
    wanted: Json, base: Json, there: Json
) -> None:
    assert with_items_merged({"f": wanted}, {"f": base}, {"f": there}) == (
        {"f": wanted},
        {"f": base},
    )
