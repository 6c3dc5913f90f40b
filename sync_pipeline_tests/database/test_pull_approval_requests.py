"""Approval requests of CRM.COM: one small list under each contact, which no row of it names."""

from __future__ import annotations

import pytest

from sync_pipeline.entities import CRMCOM_APPROVAL_REQUESTS, CRMCOM_CONTACTS
from sync_pipeline_tests.pull_vendors import BACKOFFICE, DENIED, Row, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted

REQUEST: Row = {
    "id": "q-1",
    "state": "PENDING",
    "entity": {"type": "ORDER", "id": "o-1", "reference": "R1", "stage_id": "s"},
    "comments": "soon",
}
STORED = {
    "source": "crmcom",
    "approval_request_id": "q-1",
    "contact_id": "a",
    "state": "PENDING",
    "entity_type": "ORDERS",
    "entity_id": "o-1",
    "entity_reference": "R1",
    "attributes": {"comments": "soon", "entity": {"stage_id": "s"}},
}
KEYLESS = b'{"state":"PENDING"}'


@pytest.fixture(autouse=True)
def contacts(vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    for contact_id in "abc":
        vendors.hold_approval_requests(contact_id, [])


def test_the_contact_of_a_request_is_the_one_whose_list_it_is_in(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_approval_requests("a", [REQUEST])
    vendors.hold_approval_requests("b", [{"id": "q-2", "state": "rejected"}])
    vendors.hold_approval_requests("c", Scripted.json({"content": None, "paging": None}))

    first = pull(CRMCOM_APPROVAL_REQUESTS)
    before = pull.versions("approval_requests")
    second = pull(CRMCOM_APPROVAL_REQUESTS)

    assert pull.table("approval_requests") == [
        STORED,
        {
            "source": "crmcom",
            "approval_request_id": "q-2",
            "contact_id": "b",
            "state": "REJECTED",
            "attributes": {},
        },
    ]
    assert (counts(first), counts(second)) == ({"inserted": 2}, {"unchanged": 2})
    assert pull.versions("approval_requests") == before
    for report in (first, second):
        row = report.row
        assert (row["scopes_total"], row["scopes_read"], row["is_complete"]) == (3, 3, True)
    # Nobody had read the ids yet, and once is enough.
    assert vendors.asked(BACKOFFICE) == 1
    assert pull.watermarks(CRMCOM_CONTACTS) == {"": ("single_response", None)}
    assert pull.watermarks(CRMCOM_APPROVAL_REQUESTS) == dict.fromkeys(
        "abc", ("single_response", None)
    )


def test_a_decision_makes_a_version_and_a_request_that_is_gone_stays(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_approval_requests("a", [REQUEST, REQUEST | {"id": "q-2"}])
    pull(CRMCOM_APPROVAL_REQUESTS)
    vendors.hold_approval_requests("a", [REQUEST | {"state": "APPROVED"}])

    assert counts(pull(CRMCOM_APPROVAL_REQUESTS)) == {"updated": 1}

    assert pull.table("approval_requests") == [
        STORED | {"state": "APPROVED"},
        STORED | {"approval_request_id": "q-2"},
    ]
    history = "SELECT approval_request_id, state FROM warehouse.approval_requests_history"
    assert pull.rows(history) == [("q-1", "PENDING")]


def test_a_contact_that_is_denied_stops_no_other(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_approval_requests("a", [REQUEST])
    vendors.hold_approval_requests("b", DENIED)

    report = pull(CRMCOM_APPROVAL_REQUESTS)

    assert counts(report) == {"inserted": 1}
    assert pull.watermarks(CRMCOM_APPROVAL_REQUESTS)["b"] == ("incomplete", "denied")
    row = report.row
    assert (row["is_complete"], row["scopes_denied"], row["scopes_read"]) == (False, 1, 3)
    assert pull(CRMCOM_APPROVAL_REQUESTS).row["is_complete"] is False


def test_what_cannot_be_read_is_kept_aside(pull: Pulls, vendors: Vendors) -> None:
    broken = b'{"id":"q-9","comments":"\\ud800"}'
    vendors.hold_approval_requests("a", [REQUEST, KEYLESS, broken])

    assert counts(pull(CRMCOM_APPROVAL_REQUESTS)) == {"inserted": 1, "quarantined": 2}

    assert pull.table("approval_requests") == [STORED]
    kept = "SELECT record_id, error_code, payload_raw FROM ops.quarantine ORDER BY 1"
    assert pull.rows(kept) == [("q-9", "bad_text", broken), (None, "no_id", KEYLESS)]


def test_one_contact_can_be_asked_for(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_approval_requests("a", [REQUEST])
    vendors.hold_approval_requests("b", [REQUEST | {"id": "q-2"}])

    report = pull(CRMCOM_APPROVAL_REQUESTS, "a")

    assert pull.table("approval_requests") == [STORED]
    assert report.row["is_complete"] is True
    assert vendors.asked(BACKOFFICE) == 0
    assert pull.rows("SELECT contact_id, origin, access FROM ops.contact_registry") == [
        ("a", "asked", "granted")
    ]
