"""What counts as the same bytes, and what as the same content."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sync_pipeline.entities import ENTITIES, TENANTS, TEXT, Entity
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.warehouse.hashes import content_hashes, raw_hash
from sync_pipeline_tests.canonical import NORMALISERS, OBSERVED_AT, frame_of, record


def content(raw: str, stream: str = "crmcom/contacts") -> bytes:
    normaliser = NORMALISERS[stream]
    (hashed,) = content_hashes(normaliser.entity, normaliser([record(raw)]).frame)
    return hashed


SAME = [
    ('{"code": "1", "first_name": "Ann"}', '{"first_name":"Ann",\n "code":"1"}'),
    ('{"new": {"a": 1, "b": [{"c": 2, "d": 3}]}}', '{"new":{"b":[ {"d":3,"c":2}],"a":1}}'),
    (r'{"new": "\u00e9\/"}', '{"new": "é/"}'),
    (r'{"n\u0065w": 1}', '{"new": 1}'),
    ('{"email_opt_out": "TRUE"}', '{"email_opt_out": true}'),
    ('{"avatar_url": "https://x/?signature=1"}', '{"avatar_url": "https://x/?signature=2"}'),
    ('{"avatar_url": "https://x/?signature=1"}', "{}"),
]
DIFFERENT = [
    ('{"first_name": "Ann"}', '{"last_name": "Ann"}'),
    ('{"code": "1", "title": "2"}', '{"code": "12"}'),
    ('{"first_name": "Ann"}', '{"first_name": "ann"}'),
    ("{}", '{"new": null}'),
    ('{"new": 1}', '{"new": "1"}'),
    ('{"new": 1}', '{"new": 1.0}'),
    ('{"new": 0.10}', '{"new": 0.1}'),
    ('{"new": [1, 2]}', '{"new": [2, 1]}'),
    ('{"new": ["ab"]}', '{"new": ["a", "b"]}'),
    ('{"new": {"avatar_url": 1}}', '{"new": {"avatar_url": 2}}'),
    # Apart by less than a float can tell.
    ('{"new": [0.1234567890123456781]}', '{"new": [0.1234567890123456782]}'),
    ('{"new": {"n": 1e400}}', '{"new": {"n": 1e401}}'),
    ('{"new": [12345678901234567890123]}', '{"new": [12345678901234567890124]}'),
    ('{"new": [1%s]}' % ("0" * 5000), '{"new": [2%s]}' % ("0" * 5000)),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same_has_the_same_hash(one: str, other: str) -> None:
    assert content(one) == content(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_says_something_else_has_another_hash(one: str, other: str) -> None:
    assert content(one) != content(other)


@pytest.mark.parametrize("column", ["specifications", "metadata"])
def test_blanks_and_the_order_of_keys_do_not_count_in_any_column(column: str) -> None:
    one, same, different = (
        content(f'{{"{column}":{value}}}', "rosaas/tenants")
        for value in (
            '[{"a": 1, "b": {"c": 2, "d": 3}}]',
            '[{"b":{"d":3,"c":2},"a":1}]',
            '[{"b":{"d":2,"c":3},"a":1}]',
        )
    )
    assert one == same != different


def test_volatile_names_count_everywhere_but_in_attributes() -> None:
    entity = Entity(
        name="volatile_tenants",
        about="Tenants with a field that differs on every reading",
        key="tenant_name",
        columns=TENANTS.columns,
        presentable=(),
        volatile=frozenset({"nonce"}),
    )
    row = {"tenant_name": "t", "raw_hash": b"", "observed_at": OBSERVED_AT}
    frame = frame_of(
        entity,
        [
            row | {"attributes": '{"nonce": 1}', "metadata": '{"nonce": 1}'},
            row | {"attributes": '{"nonce": 2}', "metadata": '{"nonce": 1}'},
            row | {"attributes": '{"nonce": 1}', "metadata": '{"nonce": 2}'},
        ],
    )
    first, second, third = content_hashes(entity, frame)
    assert first == second != third


@pytest.mark.parametrize("name", ENTITIES)
def test_every_column_counts(name: str) -> None:
    entity = ENTITIES[name]
    row = {"attributes": "{}", "raw_hash": b"", "observed_at": OBSERVED_AT}
    values = {"TEXT": "x", "BOOLEAN": True, "INTEGER": 1, "JSONB": "1"}
    dates = {"DATE": OBSERVED_AT.date(), "DATETIME": OBSERVED_AT}
    kinds = {column: str(kind) for column, kind in entity.columns.items()}
    filled = [row | {column: (values | dates)[kind]} for column, kind in kinds.items()]
    hashes = content_hashes(entity, frame_of(entity, [row, *filled]))
    assert len(set(hashes)) == len(entity.columns) + 1


def test_a_column_that_comes_later_makes_no_change_of_rows_without_a_value_in_it() -> None:
    later = Entity(
        name="later_tenants",
        about="Tenants with one column more",
        key="tenant_name",
        columns={"region": TEXT, **TENANTS.columns},
        presentable=(),
    )
    row = {"tenant_name": "t", "attributes": "{}", "raw_hash": b"", "observed_at": OBSERVED_AT}
    (before,) = content_hashes(TENANTS, frame_of(TENANTS, [row]))
    without, with_one = content_hashes(later, frame_of(later, [row, row | {"region": "north"}]))
    assert before == without != with_one


def test_the_hash_of_a_row_is_the_same_whichever_others_come_with_it() -> None:
    names = [f"column_{number}" for number in range(20)]
    wide = Entity(
        name="wide",
        about="Many columns",
        key="column_0",
        columns=dict.fromkeys(names, TEXT),
        presentable=(),
    )
    known = {"attributes": "{}", "raw_hash": b"", "observed_at": OBSERVED_AT}
    row = known | {"column_0": "a"}

    hashes = {
        content_hashes(wide, frame_of(wide, [row, known | dict.fromkeys(names[:filled], "b")]))[0]
        for filled in range(1, 21)
    }

    assert len(hashes) == 1


def test_what_is_known_of_a_reading_does_not_count() -> None:
    later = OBSERVED_AT.replace(year=2027)
    seen_again = replace(record("{}", scope="two"), raw_hash=b"b", observed_at=later)
    frame = normalise_contacts([record("{}", scope="one"), seen_again]).frame
    one, other = content_hashes(ENTITIES["contacts"], frame)
    assert one == other


def test_bytes_are_hashed_with_their_context_and_the_normaliser_version() -> None:
    hashes = {
        raw_hash(b"12", context="", version=1),
        raw_hash(b"12", context="", version=2),
        raw_hash(b"12", context="1", version=1),
        raw_hash(b"2", context="1", version=1),
        raw_hash(b"", context="12", version=1),
        raw_hash(b"\x002", context="1", version=1),
        raw_hash(b"2", context="1\x00", version=1),
        raw_hash(b"\x00" + b"12", context="", version=1),
    }
    assert len(hashes) == 8
    assert {len(hashed) for hashed in hashes} == {16}
    assert raw_hash(b"12", context="c", version=1) == raw_hash(b"12", context="c", version=1)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(JSON, JSON, st.randoms(use_true_random=False))
def test_hashes_are_equal_exactly_where_the_json_is(
    one: object, other: object, chance: random.Random
) -> None:
    spellings = [json.dumps({"new": one}), json.dumps({"new": _shuffled(one, chance)}, indent=1)]
    assert content(spellings[0]) == content(spellings[1])
    is_equal = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (content(spellings[0]) == content(json.dumps({"new": other}))) == is_equal


def _shuffled(value: object, chance: random.Random) -> object:
    if isinstance(value, dict):
        items = [(name, _shuffled(inner, chance)) for name, inner in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return [_shuffled(inner, chance) for inner in value]
    return value


FLAT = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.dictionaries(st.text(min_size=1), FLAT, max_size=6))
def test_a_flat_record_has_one_hash_in_whatever_order_and_escapes_it_comes(
    members: dict[str, object],
) -> None:
    assume(NORMALISERS["crmcom/contacts"]([record(json.dumps(members))]).rejects == [])
    turned = dict(reversed(members.items()))
    plain = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    escaped = json.dumps(turned, ensure_ascii=True, indent=1)
    assert content(plain) == content(escaped)


@pytest.mark.parametrize("number", ["-0", "-0.0", "1E5", "9" * 30, "1" + "0" * 5000])
def test_how_the_text_beside_a_number_is_escaped_does_not_count(number: str) -> None:
    spellings = [f'{{"n":{number},"new":"{text}"}}' for text in ("é", r"\u00e9")]
    assert len({content(raw) for raw in spellings}) == 1
