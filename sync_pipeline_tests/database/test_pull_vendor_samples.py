"""The vendors' own sample answers, served over HTTP, arrive in the right columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, ROSAAS_TENANTS
from sync_pipeline_tests.pull_vendors import LOGINS, Pulls, Vendors, counts
from sync_pipeline_tests.scripted_server import Scripted
from sync_pipeline_tests.unit.test_sources_crmcom import COMMUNICATIONS_SAMPLE, EMAIL_SAMPLE

CONTACT = "CAD1E31269B76D7A65ACCE45B2E68DFD"
# The samples' form of the RoSaaS envelope: "Success with response data".
ENVELOPE = {"metadata": {"errors": [], "success": True}}


def test_the_list_of_communications_arrives_after_the_sample_login(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(CONTACT)
    vendors.server.script("POST", LOGINS[0], Scripted(200, _bytes(EMAIL_SAMPLE)))
    vendors.hold_communications(CONTACT, Scripted(200, COMMUNICATIONS_SAMPLE))

    report = pull(CRMCOM_COMMUNICATIONS)

    assert counts(report)["inserted"] == 1
    # The sample says 1,124 rows and shows one, on every page: that proves nothing.
    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {CONTACT: ("incomplete", "order not proven")}
    (row,) = pull.rows(
        """
        SELECT communication_id, contact_id, state, channel, is_viewed, viewed_at, is_archived,
            clicked_at, language, sender, recipient, subject, content, plan_name,
            source_created_at, attributes
        FROM warehouse.communications
        """
    )
    assert row == (
        "6A24D2B5E44F44B28451FE021FCAD51E",
        CONTACT,
        "PENDING",
        "EMAIL",
        True,
        datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC),
        True,
        None,
        "en",
        "dev@crm.com",
        "jon@crm.com",
        None,
        None,
        "Happy Birthday",
        None,
        {"clicked_on": 1},
    )


def test_the_rosaas_envelope_carries_tenants(pull: Pulls, vendors: Vendors) -> None:
    tenant = {"systemName": "example-tenant", "status": 7, "property": "value", "property-2": True}
    listed = {"data": [tenant], **ENVELOPE}
    vendors.tenants = Scripted(200, json.dumps(listed).encode())
    vendors.hold_detail("example-tenant", Scripted.json({"data": tenant, **ENVELOPE}))

    pull(ROSAAS_TENANTS)

    assert pull.rows(
        "SELECT tenant_name, status, is_running, attributes FROM warehouse.tenants"
    ) == [("example-tenant", "Active", True, {"property": "value", "property-2": True})]


def _bytes(sample: str | bytes) -> bytes:
    return sample if isinstance(sample, bytes) else sample.encode()
