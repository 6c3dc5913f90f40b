"""CRM.COM contacts as whole frames."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace
from pandas.testing import assert_frame_equal

from sync_pipeline.entities import CONTACTS
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.normalise.frame import schema
from sync_pipeline_tests.canonical import OBSERVED_AT, frame_of, record, row_of

# Vendor sample, CRM.COM `PUT /contacts/{id}`: the body of the request, read here as if it were an
# answer (the page prints none). Repaired: nothing; `company_profle` is spelt so, `day` is a text.
UPDATE_SAMPLE = """{
"company_name": "Alpha Bravo",
"title": "Sir",
"first_name": "John",
"middle_name": "Alias",
"last_name": "Doe",
"preferred_language_code": "ENG",
"category_id": "4AD9C84FA60F9FE407140E20F707726A",
"statutory_number": "EF-12345",
"demographics": {
"gender": "MALE",
"passport": {
"passport_number": "123456",
"issue_country_code": "CYP",
"expiration_date": 129876567
},
"id_details": {
"id_number": "K123456",
"issue_country_code": "CYP",
"expiration_date": 129876567
},
"name_day": {
"month": 10,
"day": 4
},
"date_of_birth": {
"year": 2018,
"month": 10,
"day": "16"
}
},
"company_profle": {
"profile_year": 129876567,
"annual_turnover": 1568.14,
"established_on": 129876567,
"number_of_employees": 1,
"registration_number": "123456",
"registration_country": "CYP",
"tax_reference_number": "123456",
"vat_registration_number": "123456",
"industry_id": "4AD9C84FA60F9FE407140E20F707726A",
"industry_sectors": [
"4AD9C84FA60F9FE407140E20F707726A"
]
},
"email_address": "bill@gmail.com",
"sms_opt_out": "false",
"email_opt_out": "false",
"is_tax_exempt": "false",
"consent_state": "ACCEPTED"
}"""


def test_vendor_sample_arrives_in_its_columns_and_the_rest_in_attributes() -> None:
    assert row_of("crmcom/contacts", UPDATE_SAMPLE) == {
        "title": "Sir",
        "first_name": "John",
        "middle_name": "Alias",
        "last_name": "Doe",
        "company_name": "Alpha Bravo",
        "email": "bill@gmail.com",
        "language": "en",
        "gender": "MALE",
        "birth_on": date(2018, 10, 16),
        "email_opt_out": False,
        "sms_opt_out": False,
        "consent_state": "ACCEPTED",
        "attributes": {
            "category_id": "4AD9C84FA60F9FE407140E20F707726A",
            "statutory_number": "EF-12345",
            "demographics": {
                "passport": {
                    "passport_number": "123456",
                    "issue_country_code": "CYP",
                    "expiration_date": "129876567",
                },
                "id_details": {
                    "id_number": "K123456",
                    "issue_country_code": "CYP",
                    "expiration_date": "129876567",
                },
                "name_day": {"month": "10", "day": "4"},
            },
            "company_profle": {
                "profile_year": "129876567",
                "annual_turnover": "1568.14",
                "established_on": "129876567",
                "number_of_employees": "1",
                "registration_number": "123456",
                "registration_country": "CYP",
                "tax_reference_number": "123456",
                "vat_registration_number": "123456",
                "industry_id": "4AD9C84FA60F9FE407140E20F707726A",
                "industry_sectors": ["4AD9C84FA60F9FE407140E20F707726A"],
            },
            "is_tax_exempt": "false",
        },
    }


def test_one_row_per_record_in_the_exact_columns_and_types() -> None:
    later = OBSERVED_AT + timedelta(microseconds=1)
    full = """{"id": "GUID-1", "code": 12, "type": "PERSON", "title": " Dr ", "first_name": "Ελένη",
        "middle_name": "", "last_name": "O'Neil", "company_name": null, "email_address": "E@X.CY",
        "phone": {"country_code": "CYP", "number": "22 265577"}, "preferred_language_code": "GRE",
        "demographics": {"date_of_birth": {"year": 1990, "month": 2, "day": 28}, "gender": "F"},
        "country_of_agreement": "GBR", "email_opt_out": "True", "sms_opt_out": 0,
        "consent_state": "PENDING", "custom_fields": [{"key": "k", "value": "v"}]}"""
    records = [
        replace(record(full, record_id="GUID-1"), raw_hash=b"\x00\xff"),
        replace(record("{}", record_id="GUID-2"), observed_at=later),
    ]
    normalised = normalise_contacts(records)
    expected = frame_of(
        CONTACTS,
        [
            {
                "scope": "GUID-1",
                "contact_id": "GUID-1",
                "code": "12",
                "type": "PERSON",
                "title": "Dr",
                "first_name": "Ελένη",
                "last_name": "O'Neil",
                "email": "e@x.cy",
                "phone": "+35722265577",
                "phone_country": "CY",
                "language": "el",
                "gender": "FEMALE",
                "birth_on": date(1990, 2, 28),
                "country": "GB",
                "email_opt_out": True,
                "sms_opt_out": False,
                "consent_state": "PENDING",
                "attributes": '{"custom_fields":[{"key": "k", "value": "v"}]}',
                "raw_hash": b"\x00\xff",
                "observed_at": OBSERVED_AT,
            },
            {
                "scope": "GUID-2",
                "contact_id": "GUID-2",
                "attributes": "{}",
                "raw_hash": b"hash",
                "observed_at": later,
            },
        ],
    )
    assert normalised.rejects == []
    assert_frame_equal(normalised.frame, expected)


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    normalised = normalise_contacts([])
    assert normalised.rejects == []
    assert_frame_equal(normalised.frame, frame_of(CONTACTS, []))
    assert normalised.frame.columns.tolist() == schema(CONTACTS).names


@pytest.mark.parametrize("record_id", ["CAD1E31269B76D7A65ACCE45B2E68DFD", "e18ee2bc-c6f3-49e1"])
def test_an_id_is_opaque_text(record_id: str) -> None:
    assert row_of("crmcom/contacts", f'{{"id": " {record_id}\\t"}}', record_id=record_id) == {
        "attributes": {}
    }
