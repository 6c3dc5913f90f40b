"""Records that break the contract are set apart with the reason, and take no other along."""

from __future__ import annotations

import pytest

from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.normalise.suspects import DEEPEST
from sync_pipeline.normalise.tenants import normalise_tenants
from sync_pipeline.records import Reject
from sync_pipeline_tests.canonical import OBSERVED_AT, record, rows_of

NOT_JSON = ("bad_json", "is not valid JSON")
NOT_TEXT = ("bad_text", "holds text that is not valid Unicode")
NOT_A_NUMBER = ("bad_number", "holds a number that no column can keep")
NOT_AN_OBJECT = ("not_an_object", "is not a JSON object")
TOO_DEEP = ("too_deep", "is nested deeper than 100 levels")
FOREIGN = ("foreign_id", "carries another id than the one it was asked for by")

BROKEN = [
    (b"{", NOT_JSON),
    (b'{"a": 1,}', NOT_JSON),
    (b'{"a": 1} {}', NOT_JSON),
    (b'{"a": "tab\tin text"}', NOT_JSON),
    (b"{'a': 1}", NOT_JSON),
    (b'{"a": NaN}', NOT_JSON),
    (b"<html></html>", NOT_JSON),
    (b"{\xe2\x80\x9ca\xe2\x80\x9d: 1}", NOT_JSON),
    (b"[]", NOT_AN_OBJECT),
    (b'["a"]', NOT_AN_OBJECT),
    (b'"text"', NOT_AN_OBJECT),
    (b"null", NOT_AN_OBJECT),
    (b"7", NOT_AN_OBJECT),
    (b'{"a": "\xff"}', NOT_TEXT),
    (b'{"first_name": "caf\xe9"}', NOT_TEXT),
    (b'{"\xff": 1}', NOT_TEXT),
    (rb'{"a": "\ud800"}', NOT_TEXT),
    (rb'{"a": "\udc00 and more text behind it"}', NOT_TEXT),
    (rb'{"a": ["\ud83d\ud83d"]}', NOT_TEXT),
    (rb'{"\ud800": 1}', NOT_TEXT),
    (b'{"a": 1e10001}', NOT_A_NUMBER),
    (b'{"a": -1E-10001}', NOT_A_NUMBER),
    (b'{"a": [1e99999999999999999999]}', NOT_A_NUMBER),
    (b'{"a": ' + b"9" * 10_002 + b"}", NOT_A_NUMBER),
    (b'{"a": 0.' + b"1" * 10_001 + b"}", NOT_A_NUMBER),
    (b'{"a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", TOO_DEEP),
    (b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, TOO_DEEP),
    (b"[" * 100_000, TOO_DEEP),
    (b'{"id": "c-2"}', FOREIGN),
    (b'{"id": "C-1"}', FOREIGN),
    (b'{"id": 1}', FOREIGN),
]

SOUND = [
    b'{"id": "c-1"}',
    b'{"id": " c-1\\n"}',
    b'{"id": null}',
    b'{"id": ""}',
    b"{}",
    b' {"a" : 1 } ',
    b'{"a": 1e10000, "b": 1e-10000}',
    b'{"a": ' + b"9" * 10_001 + b"}",
    b'{"a": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}",
    b'{"a": "' + b"[" * 1_000 + b'"}',
    rb'{"a": "\\" , "b": "[[\"[[", "c": "\\ud800"}',
    rb'{"a": "\ud83d\ude00"}',
    b'{"a": "\x7f"}',
]


@pytest.mark.parametrize(("payload", "reason"), BROKEN)
def test_a_broken_record_is_set_apart_with_its_bytes_and_the_reason(
    payload: bytes, reason: tuple[str, str]
) -> None:
    others = [record("{}", record_id="before"), record("{}", record_id="after")]
    records = [others[0], record(payload, record_id="c-1"), others[1]]
    normalised = normalise_contacts(records)
    assert normalised.rejects == [Reject("c-1", payload, *reason, OBSERVED_AT, "c-1")]
    assert normalised.frame["contact_id"].tolist() == ["before", "after"]
    assert normalised.frame.index.tolist() == [0, 1]


@pytest.mark.parametrize("payload", SOUND)
def test_an_odd_but_sound_record_is_a_row(payload: bytes) -> None:
    normalised = normalise_contacts([record(payload, record_id="c-1")])
    assert normalised.rejects == []
    assert [row["contact_id"] for row in rows_of(normalised.frame)] == ["c-1"]


def test_each_of_two_forms_must_be_sound_and_both_are_kept() -> None:
    broken = record('{"step": ', record_id="blue", listed='{"systemName": "blue"}')
    (reject,) = normalise_tenants([broken]).rejects
    assert (reject.code, reject.payload) == ("bad_json", b'[{"systemName": "blue"},{"step": ]')


def test_an_id_that_is_no_text_is_kept_beside_the_one_that_was_asked_for() -> None:
    (row,) = rows_of(normalise_contacts([record('{"id": true}', record_id="c-1")]).frame)
    assert (row["contact_id"], row["attributes"]) == ("c-1", {"id": True})


def test_reasons_hold_nothing_of_the_record() -> None:
    payloads = [b'{"first_name": "Secret"', b'{"id": "Secret"}', b'{"a": "Secret\xff"}']
    normalised = normalise_contacts([record(payload) for payload in payloads])
    assert len(normalised.rejects) == len(payloads)
    assert not any("Secret" in f"{r.code} {r.reason}" for r in normalised.rejects)
