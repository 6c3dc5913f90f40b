"""CRM.COM contacts and communications in the form of version 2, through the same mapping."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from sync_pipeline_tests.canonical import assert_frame, record, row_of

# Without a column: it has to come out of a row as it went in.
PASSPORT = {"number": "K00001549", "issuing_country_code": "CYP", "expiration_date": 1803846865}
REST = {
    "company_profile": {
        "registration_number": "HE 1",
        "registration_country": "CYP",
        "tax_reference_number": "T-1",
        "vat_registration_number": "V-1",
        "industry": {"id": "i-1", "name": "Retail"},
        "sub_industries": [{"id": "i-2", "name": "Shoes"}],
    },
    "referral_code": "REF-1",
    "avatar_url": "https://cdn.example/a.png?signature=1",
    "viewed_onboarding_cards": True,
    "loyalty_identifiers": [{"identifier": "0042"}],
    "custom_fields": [{"key": "shoe_size", "value": "42"}, {"key": "", "value": None}],
    "wallet": {"id": "w-1", "code": "W1"},
    "creatives": [],
}
PHONE_REST = {"id": "ph-1", "type": "MOBILE"}
DEMOGRAPHICS_REST = {
    "name_day": {"month": 10, "day": 4},
    "passport": PASSPORT,
    "id_details": PASSPORT,
    "statutory_number": "S-1",
}
CONTACT = {
    "id": "CAD1E31269B76D7A65ACCE45B2E68DFD",
    "code": "0012",
    "type": "PERSON",
    "first_name": "Ελένη",
    "middle_name": None,
    "last_name": "Doe",
    "company_name": "",
    "language_code": "EN",
    "email": "Eleni@CRM.com",
    "phone": {**PHONE_REST, "country_code": "CYP", "number": "99123456"},
    "demographics": {
        **DEMOGRAPHICS_REST,
        "gender": "OTHER",
        "date_of_birth": {"year": 1990, "month": 2, "day": 28},
    },
    "sms_opt_out": True,
    "email_opt_out": False,
    "country_of_agreement": "GRC",
    **REST,
}
MESSAGE = {
    "id": "6A24D2B5E44F44B28451FE021FCAD51E",
    "state": "COMPLETED",
    "contact": {"id": "c-1", "name": "John Johnson", "code": "C123"},
    "channel": "INAPP",
    "is_viewed": True,
    "viewed_on": 1583846866,
    "is_archived": False,
    "clicked_on": 1583846867,
    "language": "EN",
    "sender": "dev@crm.com",
    "recipient": "jon@crm.com",
    "subject": "",
    "content": "You have been awarded!",
    "name": "Happy Birthday",
    "created_on": 1583846865,
    "subtitle": "20% discount",
    "in_app_image_url": "",
    "message_type": "OSD",
}


def test_a_contact_of_version_2_fills_the_same_columns() -> None:
    left = {"phone": PHONE_REST, "demographics": DEMOGRAPHICS_REST, **REST}
    assert_frame(
        "crmcom/contacts",
        [record(json.dumps(CONTACT), record_id="CAD1E31269B76D7A65ACCE45B2E68DFD")],
        {
            "scope": "CAD1E31269B76D7A65ACCE45B2E68DFD",
            "contact_id": "CAD1E31269B76D7A65ACCE45B2E68DFD",
            "code": "0012",
            "type": "PERSON",
            "first_name": "Ελένη",
            "last_name": "Doe",
            "email": "eleni@crm.com",
            "phone": "+35799123456",
            "phone_country": "CY",
            "language": "en",
            "gender": "OTHER",
            "birth_on": date(1990, 2, 28),
            "country": "GR",
            "email_opt_out": False,
            "sms_opt_out": True,
            "attributes": json.dumps(left),
        },
    )


def test_a_communication_of_version_2_fills_the_same_columns_and_names_its_contact_itself() -> None:
    left = {
        "contact": {"name": "John Johnson", "code": "C123"},
        "subtitle": "20% discount",
        "in_app_image_url": "",
        "message_type": "OSD",
    }
    assert_frame(
        "crmcom/communications",
        [record(json.dumps(MESSAGE), record_id="6A24D2B5E44F44B28451FE021FCAD51E", scope="c-9")],
        {
            "scope": "c-9",
            "communication_id": "6A24D2B5E44F44B28451FE021FCAD51E",
            "contact_id": "c-1",
            "state": "COMPLETED",
            "channel": "INAPP",
            "is_viewed": True,
            "viewed_at": datetime(2020, 3, 10, 13, 27, 46, tzinfo=UTC),
            "is_archived": False,
            "clicked_at": datetime(2020, 3, 10, 13, 27, 47, tzinfo=UTC),
            "language": "en",
            "sender": "dev@crm.com",
            "recipient": "jon@crm.com",
            "content": "You have been awarded!",
            "plan_name": "Happy Birthday",
            "source_created_at": datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC),
            "attributes": json.dumps(left),
        },
    )


@pytest.mark.parametrize("code", ["ANT", "RKS"])
def test_a_country_of_agreement_that_iso_does_not_know_stays_in_attributes(code: str) -> None:
    assert row_of("crmcom/contacts", f'{{"country_of_agreement": "{code}"}}') == {
        "attributes": {"country_of_agreement": code}
    }


@pytest.mark.parametrize("name", ["company_profle", "company_profile"])
def test_the_profile_of_a_company_stays_whole_under_either_spelling(name: str) -> None:
    profile = {"profile_year": 129876567, "industry_sectors": ["i-1"], "registration_number": None}
    attributes = json.dumps({name: profile})
    assert_frame(
        "crmcom/contacts",
        [record(attributes, record_id="c-1")],
        {"scope": "c-1", "contact_id": "c-1", "attributes": attributes},
    )
