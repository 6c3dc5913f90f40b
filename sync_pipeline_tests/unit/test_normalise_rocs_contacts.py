"""ROCS contacts as whole frames, and what their permissions say of opting out."""

from __future__ import annotations

import json
from datetime import date

import pytest

from sync_pipeline_tests.canonical import as_spelled, assert_frame, record, row_of

STREAM = "rocs/contacts"

PERMISSION = {
    "id": 1,
    "channelType": "EMAIL",
    "contactId": 11866,
    "optin": True,
    "optinType": "Single",
    "permissionGroupType": "Global",
    "permissionType": "GLobal",
    "sourceType": "Api",
}


def test_one_row_per_contact_and_what_has_no_column_is_whole_in_attributes() -> None:
    # Vendor sample, ROCS `GET /CustomerAPI/v1/Contacts`: its fields and values as far as published.
    rest = {
        "contactAddresses": [
            {"id": 1, "addressType": "Gateadresse", "contactId": 11866, "sourceType": "Api"}
        ],
        "contactInterests": [],
        "contactPermissions": [PERMISSION],
        "organizationEmployees": [],
        "organizationId": 0,
        "sourceType": "Api",
    }
    full = rest | {
        "id": 11866,
        "contactStatus": "ACTIVE",
        "contactType": "CUSTOMER",
        "dob": "1970-12-30T00:00:00",
        "email": "Post@Example.no",
        "externalId": "0011866",
        "firstname": "Kari",
        "gender": "F",
        "lastname": "Løvik",
    }
    created = {
        "id": 11867,
        "contactType": "PROSPECT",
        "dob": "1985-06-17T02:00:00",
        "externalId": "",
        "gender": "M",
        "organizationId": 4711,
        "phoneMobile": "+47 40 61 20 00",
    }
    assert_frame(
        STREAM,
        [
            record(json.dumps(full), record_id="11866"),
            record("", record_id="11867", listed=json.dumps(created)),
        ],
        {
            "scope": "11866",
            "contact_id": "11866",
            "status": "ACTIVE",
            "type": "CUSTOMER",
            "birth_on": date(1970, 12, 30),
            "email": "post@example.no",
            "external_id": "0011866",
            "first_name": "Kari",
            "gender": "FEMALE",
            "last_name": "Løvik",
            "email_opt_out": False,
            "attributes": json.dumps(rest),
        },
        {
            "scope": "11867",
            "contact_id": "11867",
            "type": "PROSPECT",
            "birth_on": date(1985, 6, 17),
            "gender": "MALE",
            "organisation_id": "4711",
            "phone": "+4740612000",
            "attributes": '{"dob": "1985-06-17T02:00:00"}',
        },
    )


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    assert_frame(STREAM, [])


def test_the_dynamic_fields_stay_as_they_came() -> None:
    raw = '{"dynamic_fields": {"loyaltyTier": "Gold", "shoeSize": 42.0, "email": "A@B.no"}}'
    assert row_of(STREAM, raw) == {"attributes": as_spelled(raw)}


@pytest.mark.parametrize("number", ["40612000", "ring etter fem", "+47"])
def test_a_phone_number_that_no_country_goes_with_stays_in_attributes(number: str) -> None:
    raw = f'{{"phoneMobile": "{number}"}}'
    assert row_of(STREAM, raw) == {"attributes": as_spelled(raw)}


# Permissions (what differs from one that opts in to e-mail) → email_opt_out, sms_opt_out.
EMAIL_IN: dict[str, object] = {"optin": True}
EMAIL_OUT: dict[str, object] = {"optin": False}
SMS_IN = EMAIL_IN | {"channelType": "SMS"}
SMS_OUT = EMAIL_OUT | {"channelType": "SMS"}
OPT_OUTS: list[tuple[list[dict[str, object]], bool | None, bool | None]] = [
    ([], None, None),
    ([EMAIL_IN], False, None),
    ([EMAIL_OUT], True, None),
    ([SMS_IN], None, False),
    ([SMS_OUT], None, True),
    ([EMAIL_IN, SMS_IN], False, False),
    ([EMAIL_IN, SMS_OUT], False, True),
    ([SMS_IN, EMAIL_OUT], True, False),
    ([EMAIL_OUT, SMS_OUT], True, True),
    # Some other permission says nothing about all of a channel.
    ([{"permissionType": "Newsletter"}], None, None),
    ([{"permissionGroupType": "Newsletter"}], None, None),
    ([{"permissionType": None}], None, None),
    ([{"permissionType": "Newsletter", "optin": False}, EMAIL_IN], False, None),
    ([EMAIL_OUT, {"permissionType": "Newsletter", "optin": True}], True, None),
    ([{"channelType": "DEVICE", "optin": False}], None, None),
    ([{"channelType": None}], None, None),
    # Any spelling.
    ([{"permissionType": "GLOBAL", "permissionGroupType": " global "}], False, None),
    ([{"channelType": " eMail "}], False, None),
    ([{"channelType": "Sms", "optin": "false"}], None, True),
    ([{"optin": "True"}], False, None),
    ([{"optin": 0}], True, None),
    # A permission that does not say, and two that do.
    ([{"optin": None}], None, None),
    ([{"optin": "maybe"}], None, None),
    ([{"optin": "maybe"}, EMAIL_OUT], True, None),
    ([EMAIL_OUT, EMAIL_IN], False, None),
    ([EMAIL_IN, EMAIL_OUT], False, None),
    ([EMAIL_OUT, EMAIL_OUT], True, None),
]


@pytest.mark.parametrize(("permissions", "email", "sms"), OPT_OUTS)
def test_a_global_permission_tells_who_opted_out_of_a_channel(
    permissions: list[dict[str, object]], *, email: bool | None, sms: bool | None
) -> None:
    raw = json.dumps({"contactPermissions": [PERMISSION | differs for differs in permissions]})
    opt_outs = {"email_opt_out": email, "sms_opt_out": sms}
    assert row_of(STREAM, raw) == {
        **{column: value for column, value in opt_outs.items() if value is not None},
        "attributes": as_spelled(raw),
    }


@pytest.mark.parametrize(
    "permissions",
    [
        "null",
        '""',
        '"EMAIL"',
        "{}",
        '{"channelType": "EMAIL"}',
        "7",
        "true",
        '["EMAIL"]',
        "[null, 7, []]",
    ],
)
def test_permissions_of_another_kind_say_nothing_and_stay_in_attributes(permissions: str) -> None:
    raw = f'{{"contactPermissions": {permissions}}}'
    assert row_of(STREAM, raw) == {"attributes": as_spelled(raw)}


def test_permissions_count_in_each_row_for_itself() -> None:
    records = [
        record(json.dumps({"contactPermissions": permissions}), record_id=record_id)
        for record_id, permissions in {
            "1": [PERMISSION],
            "2": None,
            "3": [PERMISSION | EMAIL_OUT | {"note": "NUL: \0"}],
        }.items()
    ]
    told = json.dumps({"contactPermissions": [PERMISSION]})
    shown = json.dumps({"contactPermissions": [PERMISSION | EMAIL_OUT | {"note": r"NUL: \u0000"}]})
    assert_frame(
        STREAM,
        records,
        {"scope": "1", "contact_id": "1", "email_opt_out": False, "attributes": told},
        {"scope": "2", "contact_id": "2", "attributes": '{"contactPermissions": null}'},
        {"scope": "3", "contact_id": "3", "email_opt_out": True, "attributes": shown},
    )
