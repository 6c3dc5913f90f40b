"""`attributes`: what no column took, unaltered; nothing of a record is lost without a trace."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline_tests.canonical import as_spelled, record, row_of

UNKNOWN = [
    '{"new": "text"}',
    '{"new": " spaces stay "}',
    '{"new": null}',
    '{"new": ""}',
    '{"new": {}}',
    '{"new": [{"deep": [1, {"er": null}]}]}',
    '{"new": 1.10}',
    '{"new": -0.0}',
    '{"new": 1E+2}',
    '{"new": 1e400}',
    '{"new": 123456789012345678901234567890.123456789012345678901234567890}',
    '{"new": "Ünï 李 😀 \\u00e9 \\/ \\" \\\\ \\n"}',
    '{"": "an empty name"}',
    '{"na\\"me": "a name to escape"}',
    '{"First_Name": "names count in their case"}',
    '{"phone.number": "not a path"}',
]


@pytest.mark.parametrize("raw", UNKNOWN)
def test_an_unknown_field_is_kept_unaltered(raw: str) -> None:
    assert row_of("crmcom/contacts", raw) == {"attributes": as_spelled(raw)}


@pytest.mark.parametrize("number", ["1.10", "1E+2", "1e400", "-0.0", "1" * 5000])
def test_a_number_keeps_its_very_spelling(number: str) -> None:
    raw = f'{{"new": {number}, "list": [{number}]}}'
    (attributes,) = normalise_contacts([record(raw)]).frame["attributes"]
    assert attributes == f'{{"list":[{number}],"new":{number}}}'


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (
            '{"phone": {"number": "+35799123456", "type": "MOBILE", "id": 7}}',
            {"phone": {"type": "MOBILE", "id": "7"}},
        ),
        ('{"phone": {"number": "+35799123456"}}', {}),
        ('{"phone": {}}', {}),
        ('{"phone": null}', {}),
        ('{"phone": "+35799123456"}', {"phone": "+35799123456"}),
        ('{"phone": [{"number": "+35799123456"}]}', {"phone": [{"number": "+35799123456"}]}),
        (
            '{"demographics": {"gender": "MALE", "name_day": {"month": 10, "day": 4}}}',
            {"demographics": {"name_day": {"month": "10", "day": "4"}}},
        ),
        (
            '{"demographics": {"gender": null, "date_of_birth": {"year": 1990}}}',
            {"demographics": {"date_of_birth": {"year": "1990"}}},
        ),
        ('{"demographics": {"other": null}}', {"demographics": {"other": None}}),
    ],
)
def test_of_an_object_the_members_that_no_column_took_stay(
    raw: str, left: dict[str, object]
) -> None:
    assert row_of("crmcom/contacts", raw)["attributes"] == left


@pytest.mark.parametrize(
    ("raw", "email", "left"),
    [
        ('{"email_address": "a@b.cy", "email": "a@b.cy"}', "a@b.cy", {}),
        ('{"email_address": "a@b.cy", "email": "c@d.cy"}', "a@b.cy", {"email": "c@d.cy"}),
        ('{"email": "c@d.cy", "email_address": "a@b.cy"}', "a@b.cy", {"email": "c@d.cy"}),
        ('{"email_address": null, "email": "c@d.cy"}', "c@d.cy", {}),
        ('{"email_address": "", "email": "c@d.cy"}', "c@d.cy", {}),
        ('{"email_address": "a@b.cy", "email": null}', "a@b.cy", {}),
    ],
)
def test_of_two_names_of_a_field_the_likelier_fills_and_what_differs_stays(
    raw: str, email: str, left: dict[str, object]
) -> None:
    assert row_of("crmcom/contacts", raw) == {"email": email, "attributes": left}


def test_of_two_names_at_different_depths_what_differs_stays_where_it_was() -> None:
    raw = '{"contact_id": "contact-1", "contact": {"id": "c-2", "name": "Jon"}}'
    left = {"contact": {"id": "c-2", "name": "Jon"}}
    assert row_of("crmcom/communications", raw) == {"attributes": left}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (r'{"new": "a\u0000b"}', {"new": r"a\u0000b"}),
        (r'{"new": "\u0000\u0000"}', {"new": r"\u0000\u0000"}),
        (r'{"new": "\\\u0000"}', {"new": "\\" + r"\u0000"}),
        (r'{"new": ["\u0000", {"x": "\u0000"}]}', {"new": [r"\u0000", {"x": r"\u0000"}]}),
        (r'{"n\u0000w": 1}', {r"n\u0000w": "1"}),
        # These are no NUL, but a backslash and "u0000".
        (r'{"new": "a\\u0000b"}', {"new": r"a\u0000b"}),
        (r'{"new": "a\\\\u0000b"}', {"new": r"a\\u0000b"}),
    ],
)
def test_nul_is_shown_as_the_text_of_its_escape(raw: str, shown: dict[str, object]) -> None:
    assert row_of("crmcom/contacts", raw) == {"attributes": shown}


def test_both_forms_of_a_record_count_and_the_detail_wins() -> None:
    listed = '{"id": "s", "new": 1, "other": 2, "plan": {"id": "p", "systemName": "old"}}'
    detail = '{"new": 3, "step": 1, "plan": {"systemName": "basic", "tier": 1}}'
    assert row_of("rosaas/tenants", detail, listed=listed) == {
        "subscription_id": "s",
        "step": 1,
        "plan": "basic",
        "attributes": {"new": "3", "other": "2", "plan": {"id": "p", "tier": "1"}},
    }


@pytest.mark.parametrize(
    ("listed", "detail", "plan"),
    [
        ('{"plan": {"id": "p"}}', '{"plan": null}', {}),
        ('{"plan": null}', '{"plan": {"id": "p"}}', {"plan": {"id": "p"}}),
        ('{"plan": {"id": "p"}}', "", {"plan": {"id": "p"}}),
        ('{"plan": {"id": "p"}}', '{"plan": ["q"]}', {"plan": ["q"]}),
    ],
)
def test_only_two_objects_are_laid_over_one_another(
    listed: str, detail: str, plan: dict[str, object]
) -> None:
    assert row_of("rosaas/tenants", detail, listed=listed) == {"attributes": plan}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_any_json_under_an_unknown_name_comes_out_as_it_went_in(
    value: object,
    ensure_ascii: bool,  # noqa: FBT001 -- drawn by hypothesis
) -> None:
    raw = json.dumps({"new": value}, ensure_ascii=ensure_ascii)
    if r"\u0000" not in raw:
        assert row_of("crmcom/contacts", raw) == {"attributes": as_spelled(raw)}
