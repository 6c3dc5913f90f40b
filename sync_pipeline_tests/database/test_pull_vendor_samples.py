"""The vendors' own sample answers, served over HTTP, arrive in the right columns.

Every sample of an endpoint that is read is here, byte for byte as its page prints it unless it
says otherwise; the whole row is compared.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from sync_pipeline.entities import (
    CRMCOM_APPROVAL_REQUESTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CONTACTS,
    ROSAAS_PLANS,
    ROSAAS_SPECIFICATIONS,
    ROSAAS_TENANTS,
)
from sync_pipeline_tests import vendor_samples
from sync_pipeline_tests.database.stored_rows import stored_rows
from sync_pipeline_tests.pull_rocs import CONTACTS
from sync_pipeline_tests.pull_rocs import LOGIN as ROCS_LOGIN
from sync_pipeline_tests.pull_vendors import LOGINS, NOT_FOUND, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted
from sync_pipeline_tests.unit.test_normalise_contacts import UPDATE_SAMPLE
from sync_pipeline_tests.unit.test_normalise_offers import PLAN, PRICE, SPECIFICATION
from sync_pipeline_tests.unit.test_sources_crmcom import EMAIL_SAMPLE
from sync_pipeline_tests.unit.test_sources_crmcom_streams import APPROVAL_REQUESTS_SAMPLE
from sync_pipeline_tests.unit.test_sources_rocs import CONTACT_SAMPLE
from sync_pipeline_tests.unit.test_sources_rocs_login import V1_SAMPLE
from sync_pipeline_tests.unit.test_sources_rosaas import (
    SAMPLE_ERROR,
    SAMPLE_WITH_DATA,
    SAMPLE_WITHOUT_DATA,
)

# The ids of the samples' requests.
CONTACT = "CAD1E31269B76D7A65ACCE45B2E68DFD"
APPROVER = "b2157d75-7959-83dc-fdfa-cacba764d4d4"
COMMUNICATION = "6A24D2B5E44F44B28451FE021FCAD51E"
VIEWED_AT = datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC)
TENANT = "example-tenant"

OF_THE_LIST: dict[str, object] = {
    "communication_id": COMMUNICATION,
    "contact_id": CONTACT,
    "state": "PENDING",
    "channel": "EMAIL",
    "is_viewed": True,
    "viewed_at": VIEWED_AT,
    "is_archived": True,
    "language": "en",
    "sender": "dev@crm.com",
    "recipient": "jon@crm.com",
    "plan_name": "Happy Birthday",
    "attributes": {"clicked_on": 1},
}


@pytest.fixture
def listed(vendors: Vendors) -> Vendors:
    """Hold the sample of the list under its contact, after the sample of the login."""
    vendors.hold_contacts(CONTACT)
    vendors.server.script("POST", LOGINS[0], Scripted(200, EMAIL_SAMPLE.encode()))
    vendors.hold_communications(CONTACT, Scripted(200, vendor_samples.COMMUNICATIONS))
    return vendors


def test_the_list_of_communications_arrives_where_no_single_one_can_be_had(
    pull: Pulls, listed: Vendors
) -> None:
    path = f"/self-service/v1/communications/{COMMUNICATION}"
    listed.server.script("GET", path, NOT_FOUND)
    report = pull(CRMCOM_COMMUNICATIONS)
    assert counts(report)["inserted"] == 1
    # The sample says 1,124 rows and shows one, on every page: that proves nothing.
    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {CONTACT: ("incomplete", "a page came twice")}
    assert stored_rows(pull.engine, CRMCOM_COMMUNICATIONS) == [OF_THE_LIST]


def test_the_single_communication_completes_what_the_list_says(
    pull: Pulls, listed: Vendors
) -> None:
    path = f"/self-service/v1/communications/{COMMUNICATION}"
    listed.server.script("GET", path, Scripted(200, vendor_samples.COMMUNICATION))
    pull(CRMCOM_COMMUNICATIONS)
    assert stored_rows(pull.engine, CRMCOM_COMMUNICATIONS) == [
        OF_THE_LIST
        | {
            "subject": "Award Provided",
            "content": "You have been awarded!",
            "source_created_at": VIEWED_AT,
            "attributes": {
                "contact": {"name": "John Johnson", "code": "C123"},
                "clicked_on": 1,
                "title": "New Festive Beverages",
                "subtitle": "20% discount for December",
                "in_app_image_url": "",
                "in_app_click_link_url": "",
            },
        }
    ]


def test_a_contact_of_version_1_arrives_in_the_names_of_its_update(
    pull: Pulls, vendors: Vendors
) -> None:
    # The page prints no answer for a contact; this is the body of the update, sound as printed.
    vendors.hold_contacts(CONTACT)
    vendors.hold_contact(CONTACT, UPDATE_SAMPLE.encode())
    pull(CRMCOM_CONTACTS)
    rest = json.loads(UPDATE_SAMPLE)
    demographics = {
        name: rest["demographics"][name] for name in ("passport", "id_details", "name_day")
    }
    assert demographics["passport"]["expiration_date"] == 129876567
    assert stored_rows(pull.engine, CRMCOM_CONTACTS) == [
        {
            "contact_id": CONTACT,
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
                "demographics": demographics,
                "company_profle": rest["company_profle"],
                "is_tax_exempt": "false",
            },
        }
    ]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_approval_requests_arrive_under_the_contact_that_was_asked_for(
    pull: Pulls, vendors: Vendors, version: str
) -> None:
    vendors.ids = [{"id": APPROVER}]
    path = f"/self-service/{version}/contacts"
    token = Scripted.json({"access_token": "token-1"})
    vendors.server.script("POST", f"{path}/authenticate", token)
    answer = Scripted(200, APPROVAL_REQUESTS_SAMPLE)
    vendors.server.script("GET", f"{path}/{APPROVER}/approval_requests", answer)
    address = {"base_url": f"{vendors.server.url}/self-service/{version}"}
    pull(CRMCOM_APPROVAL_REQUESTS, settings=vendors.settings(crmcom=address))
    assert stored_rows(pull.engine, CRMCOM_APPROVAL_REQUESTS) == [
        {
            "approval_request_id": "8dfc2223-edca-f05d-820b-dc96ba9df2c2",
            "contact_id": APPROVER,
            "state": "APPROVED",
            "entity_type": "ORDERS",
            "entity_id": "cf010c72-a2cb-48f8-a9fa-1ed99c8d6ec0",
            "entity_reference": "CO1234",
            "attributes": {},
        }
    ]


@pytest.mark.parametrize("only", [(), ("11866",)], ids=["by the list", "by its id"])
def test_the_contact_of_rocs_arrives_however_it_was_asked_for(
    pull: Pulls, vendors: Vendors, only: tuple[str, ...]
) -> None:
    vendors.server.script("POST", ROCS_LOGIN, Scripted.json(V1_SAMPLE))
    vendors.rocs.hold(CONTACTS, [CONTACT_SAMPLE])
    found = Scripted(200, CONTACT_SAMPLE)
    vendors.rocs.stands_in = lambda request: found if request.query == {"id": "11866"} else None
    pull(ROCS_CONTACTS, *only)
    sample = json.loads(CONTACT_SAMPLE)
    left = ("contactAddresses", "contactInterests", "contactPermissions", "organizationEmployees")
    assert stored_rows(pull.engine, ROCS_CONTACTS) == [
        {
            "contact_id": "11866",
            "type": "CUSTOMER",
            "status": "ACTIVE",
            "first_name": "Kari",
            "last_name": "Løvik",
            "email": "post@example.no",
            "gender": "FEMALE",
            "birth_on": date(1970, 12, 30),
            "external_id": "11866",
            "email_opt_out": False,
            "attributes": {name: sample[name] for name in left}
            | {"sourceType": "Api", "organizationId": 0},
        }
    ]


def test_the_envelope_with_data_carries_a_tenant_as_it_came(pull: Pulls, vendors: Vendors) -> None:
    # The page prints the envelope and no tenant: only the name is ours.
    vendors.tenants = [{"systemName": TENANT}]
    vendors.hold_detail(TENANT, Scripted(200, SAMPLE_WITH_DATA))
    pull(ROSAAS_TENANTS)
    assert stored_rows(pull.engine, ROSAAS_TENANTS) == [
        {
            "tenant_name": TENANT,
            "attributes": {"property": "value", "property-2": True, "property-3": 123},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "kept_aside"),
    [
        (Scripted(200, SAMPLE_WITHOUT_DATA), [(TENANT, "no_detail")]),
        (Scripted(400, SAMPLE_ERROR), []),
    ],
    ids=["without data", "error"],
)
def test_a_tenant_whose_own_answer_says_nothing_takes_no_other_along(
    pull: Pulls, vendors: Vendors, answer: Scripted, kept_aside: list[tuple[str, str]]
) -> None:
    vendors.tenants = [{"systemName": TENANT, "status": 7}, {"systemName": "tenant-5"}]
    vendors.hold_detail(TENANT, answer)
    vendors.hold_detail("tenant-5", {"status": 7})
    pull(ROSAAS_TENANTS)
    other = {"tenant_name": "tenant-5", "status_code": 7, "status": "Active", "is_running": True}
    assert stored_rows(pull.engine, ROSAAS_TENANTS) == [other | {"attributes": {}}]
    assert pull.rows("SELECT record_id, error_code FROM ops.quarantine") == kept_aside


def test_the_envelope_carries_plans_and_specifications(pull: Pulls, vendors: Vendors) -> None:
    # The fields of the vendor's published server; the values are ours.
    envelope = json.loads(SAMPLE_WITHOUT_DATA)
    for name, held in (("plans", PLAN), ("specifications", SPECIFICATION)):
        answer = Scripted.json({"data": [held], **envelope})
        vendors.server.script("GET", f"/api/management/apps/v1/{name}", answer)
    pull(ROSAAS_PLANS)
    pull(ROSAAS_SPECIFICATIONS)
    assert stored_rows(pull.engine, ROSAAS_PLANS) == [
        {
            "plan": "Basic",
            "display_name": "Basic plan",
            "tenancy_type": "Planed",
            "display_order": 1,
            "is_published": True,
            "is_subscribed": True,
            "is_locked_by_system": False,
            "prices": [PRICE],
            "attributes": {"tenancyType": 3},
        }
    ]
    assert stored_rows(pull.engine, ROSAAS_SPECIFICATIONS) == [
        {
            "specification": "Seats",
            "display_name": "Seats",
            "is_required": True,
            "is_user_editable": False,
            "regular_expression": "^[0-9]+ $",
            "is_published": True,
            "is_subscribed": False,
            "attributes": {
                "displayName": {"ar": "مقاعد"},
                "description": {"ar": None},
                "validationFailureDescription": {"en": "digits only", "ar": "أرقام فقط"},
            },
        }
    ]
