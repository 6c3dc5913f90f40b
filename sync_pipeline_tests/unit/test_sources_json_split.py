from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_pipeline.sources.json_bodies import NotThatShapeError, members, records
from sync_pipeline.sources.json_split import split_array, split_object

HALF_AN_EMOJI = rb'"cut \ud83d"'

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_half_an_emoji_in_one_record_leaves_the_page_readable_and_the_bytes_as_they_came() -> None:
    page = rb'{"Content": [ {"id":"1"} , {"id":"2","content":' + HALF_AN_EMOJI + rb"}],"
    page += rb'"paging":{"total": 2}}'
    assert members(page) == {
        "content": rb'[ {"id":"1"} , {"id":"2","content":' + HALF_AN_EMOJI + rb"}]",
        "paging": rb'{"total": 2}',
    }
    assert records(members(page)["content"]) == (
        rb'{"id":"1"}',
        rb'{"id":"2","content":' + HALF_AN_EMOJI + rb"}",
    )


@pytest.mark.parametrize(
    "body", [rb'{"a":"\ud83d"', rb'{"a" "\ud83d"}', rb'[{"a":"\ud83d"}]', rb'{"a":"\ud83d"} x']
)
def test_half_an_emoji_excuses_no_other_defect(body: bytes) -> None:
    with pytest.raises(NotThatShapeError):
        members(body)


@given(st.dictionaries(st.text(), json_values), st.sampled_from([None, 1]))
def test_an_object_is_split_into_its_members(value: dict[str, object], indent: int | None) -> None:
    split = split_object(json.dumps(value, indent=indent).encode())
    assert {name: json.loads(raw) for name, raw in split.items()} == value


@given(st.lists(json_values), st.sampled_from([None, 1]))
def test_an_array_is_split_into_its_elements(value: list[object], indent: int | None) -> None:
    split = split_array(json.dumps(value, indent=indent).encode())
    assert [json.loads(raw) for raw in split] == value
