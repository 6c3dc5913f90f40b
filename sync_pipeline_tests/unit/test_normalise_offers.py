"""RoSaaS plans and specifications as whole frames."""

from __future__ import annotations

import json

import pytest

from sync_pipeline_tests.canonical import as_spelled, assert_frame, record, row_of

# The vendor's page prints neither; these have the fields of its published server's answers.
PRICE = {
    "cycle": 3,
    "cycleName": "Month",
    "price": 9.90,
    "systemName": "basic-month",
    "description": "",
    "isPublished": True,
    "isSubscribed": False,
    "isLockedBySystem": False,
}
PLAN = {
    "systemName": "Basic",
    "displayName": " Basic plan ",
    "description": "",
    "displayOrder": 1,
    "isPublished": True,
    "isSubscribed": True,
    "isLockedBySystem": False,
    "tenancyType": 3,
    "tenancyTypeName": "Planed",
    "prices": [PRICE],
}
SPECIFICATION = {
    "systemName": "Seats",
    "displayName": {"en": " Seats ", "ar": "مقاعد"},
    "description": {"en": "", "ar": None},
    "isRequired": True,
    "isUserEditable": False,
    "regularExpression": "^[0-9]+ $",
    "validationFailureDescription": {"en": "digits only", "ar": "أرقام فقط"},
    "isPublished": True,
    "isSubscribed": False,
}


def test_one_row_per_plan_with_its_prices() -> None:
    assert_frame(
        "rosaas/plans",
        [
            record("", record_id="Basic", listed=json.dumps(PLAN)),
            record("", record_id="free", listed='{"systemName": "free", "prices": []}'),
        ],
        {
            "scope": "Basic",
            "plan": "Basic",
            "display_name": "Basic plan",
            "tenancy_type": "Planed",
            "display_order": 1,
            "is_published": True,
            "is_subscribed": True,
            "is_locked_by_system": False,
            "prices": json.dumps([PRICE]),
            "attributes": '{"tenancyType": 3}',
        },
        {"scope": "free", "plan": "free", "prices": "[]", "attributes": "{}"},
    )


def test_one_row_per_specification_in_english_and_its_other_languages_beside() -> None:
    assert_frame(
        "rosaas/specifications",
        [
            record("", record_id="Seats", listed=json.dumps(SPECIFICATION)),
            record("", record_id="size", listed='{"systemName": "size"}'),
        ],
        {
            "scope": "Seats",
            "specification": "Seats",
            "display_name": "Seats",
            "is_required": True,
            "is_user_editable": False,
            "regular_expression": "^[0-9]+ $",
            "is_published": True,
            "is_subscribed": False,
            "attributes": """{"displayName": {"ar": "مقاعد"}, "description": {"ar": null},
                "validationFailureDescription": {"en": "digits only", "ar": "أرقام فقط"}}""",
        },
        {"scope": "size", "specification": "size", "attributes": "{}"},
    )


@pytest.mark.parametrize("stream", ["rosaas/plans", "rosaas/specifications"])
def test_no_records_make_an_empty_frame_of_the_same_columns(stream: str) -> None:
    assert_frame(stream, [])


@pytest.mark.parametrize(
    ("name", "display_name", "left"),
    [
        ('"Seats"', "Seats", {}),
        ('{"en": "Seats"}', "Seats", {}),
        ('{"ar": "مقاعد"}', None, {"displayName": {"ar": "مقاعد"}}),
        ('{"en": ["Seats"]}', None, {"displayName": {"en": ["Seats"]}}),
        ('["Seats"]', None, {"displayName": ["Seats"]}),
        ("null", None, {}),
        ('""', None, {}),
    ],
)
def test_a_specification_has_a_name_by_language_or_just_a_name(
    name: str, display_name: str | None, left: dict[str, object]
) -> None:
    named = {} if display_name is None else {"display_name": display_name}
    raw = f'{{"displayName": {name}}}'
    assert row_of("rosaas/specifications", raw) == {**named, "attributes": left}


def test_a_plan_named_by_language_keeps_all_its_names_in_attributes() -> None:
    raw = '{"displayName": {"en": "Basic", "ar": "أساسي"}}'
    assert row_of("rosaas/plans", raw) == {"attributes": as_spelled(raw)}
