"""Version 2 of CRM.COM, served over HTTP, fills the same columns."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline_tests.database.stored_rows import stored_rows
from sync_pipeline_tests.pull_vendors import Vendors
from sync_pipeline_tests.pulls import Pulls
from sync_pipeline_tests.scripted_server import Scripted
from sync_pipeline_tests.unit.test_normalise_crmcom_v2 import (
    CONTACT,
    DEMOGRAPHICS_REST,
    MESSAGE,
    PHONE_REST,
    REST,
)

ID = "CAD1E31269B76D7A65ACCE45B2E68DFD"


def test_a_contact_and_a_communication_of_version_2_arrive_in_the_same_columns(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.ids = [{"id": ID}]
    path = "/self-service/v2/contacts"
    paging = {"page": 1, "size": 1, "total": 1}
    message = MESSAGE | {"contact": {"id": ID, "name": "Eleni Doe", "code": "0012"}}
    for method, below, answer in (
        ("POST", "authenticate", {"access_token": "token-1"}),
        ("GET", ID, CONTACT),
        ("GET", f"{ID}/communications", {"content": [message], "paging": paging}),
    ):
        vendors.server.script(method, f"{path}/{below}", Scripted.json(answer))
    address = {"base_url": f"{vendors.server.url}/self-service/v2"}
    settings = vendors.settings(crmcom=address)
    pull(CRMCOM_CONTACTS, settings=settings)
    pull(CRMCOM_COMMUNICATIONS, settings=settings)
    (contact,) = stored_rows(pull.engine, CRMCOM_CONTACTS)
    left = {"phone": PHONE_REST, "demographics": DEMOGRAPHICS_REST, **REST}
    assert contact == {
        "contact_id": ID,
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
        "attributes": left,
    }
    assert stored_rows(pull.engine, CRMCOM_COMMUNICATIONS) == [
        {
            "communication_id": "6A24D2B5E44F44B28451FE021FCAD51E",
            "contact_id": ID,
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
            "attributes": {
                "contact": {"name": "Eleni Doe", "code": "0012"},
                "subtitle": "20% discount",
                "in_app_image_url": "",
                "message_type": "OSD",
            },
        }
    ]
