from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_pipeline.entities import ROCS_COMMUNICATIONS, ROSAAS_TENANTS, Stream
from sync_pipeline.pull.keys import key_of, record_id


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'{"id":"0A"}', "0A"),
        (b'{"id":" 0A "}', "0A"),
        (b'{"id":17,"systemName":3}', "17"),
        (rb'{"content":"half an emoji \ud83d","id":"c1"}', "c1"),
        (b'{"systemName":{"a":1},"id":"c1"}', "c1"),
        (b'{"id":null}', None),
        (b'{"id":""}', None),
        (b'{"id":true}', None),
        (b'{"id":{"a":1}}', None),
        (rb'{"id":"a\u0000b"}', None),
        (rb'{"id":"\ud83d"}', None),
        (b'{"id":"' + b"x" * 1001 + b'"}', None),
        (b'["id"]', None),
        (b'{"id":', None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_id_is_read_whatever_else_is_wrong_with_the_record(raw: bytes, key: str | None) -> None:
    assert record_id(raw) == key


def test_a_tenant_is_known_by_its_name_in_lower_case_and_by_nothing_else() -> None:
    tenant_name = key_of(ROSAAS_TENANTS)
    assert tenant_name(b'{"id":"u","systemName":"Acme-1"}') == "acme-1"
    assert tenant_name(b'{"id":"u"}') is None


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'{"activityId":7}', "7"),
        (b'{"messageId":"m","id":""}', "m"),
        (b'{"id":{},"communicationId":"c"}', "c"),
        (b'{"activityId":7,"id":"1"}', "1"),
        (b'{"name":"x"}', None),
    ],
)
def test_where_the_shape_is_open_the_first_name_that_holds_a_key_counts(
    raw: bytes, key: str | None
) -> None:
    assert key_of(ROCS_COMMUNICATIONS)(raw) == key


KEYS: list[object] = [
    "c1",
    " C1 ",
    "7",
    "",
    " ",
    "a\x00b",
    "x" * 1000,
    "x" * 1001,
    "é" * 501,
    "\u3000é",
    7,
    -1,
]
ODD: list[object] = [None, True, 1.5, {}, ["c1"], 10**30]


@given(st.lists(st.sampled_from(KEYS) | st.text(max_size=3) | st.sampled_from(ODD), max_size=5))
@pytest.mark.parametrize("stream", [ROSAAS_TENANTS, ROCS_COMMUNICATIONS])
def test_the_keys_of_a_page_are_those_of_its_records(stream: Stream, keys: list[object]) -> None:
    of_stream = key_of(stream)
    name = "systemName" if stream is ROSAAS_TENANTS else "id"
    raws = [json.dumps({name: key}).encode() for key in keys]
    assert of_stream.of_all(raws) == [of_stream(raw) for raw in raws]
