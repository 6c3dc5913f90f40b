from __future__ import annotations

import pytest

from sync_pipeline.pull.keys import record_id, tenant_name


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
    assert tenant_name(b'{"id":"u","systemName":"Acme-1"}') == "acme-1"
    assert tenant_name(b'{"id":"u"}') is None
