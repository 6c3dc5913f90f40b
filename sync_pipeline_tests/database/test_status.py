"""What `status` tells: what is due, and whether the staleness bound can be held."""

from __future__ import annotations

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, STREAMS
from sync_pipeline.operate.status import stream_states
from sync_pipeline.settings import Settings
from sync_pipeline_tests.pull_vendors import DENIED, Vendors
from sync_pipeline_tests.pulls import Pulls


def told(pull: Pulls, settings: Settings) -> dict[str, tuple[object, ...]]:
    """Return of each stream what is due, what was never read, and what is said of its pace."""
    rows = stream_states(pull.engine, settings)
    assert [row["stream"] for row in rows] == list(STREAMS)
    return {str(row["stream"]): (row["due"], row["unread"], row["pace"]) for row in rows}


def test_status_tells_how_many_scopes_are_due_and_the_oldest(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c", "denied")
    vendors.hold_contact("denied", DENIED)
    vendors.hold_tenants({"systemName": "acme"})
    settings = vendors.settings()
    pull(CRMCOM_CONTACTS, settings=settings)
    pull(STREAMS["rosaas/tenants"], settings=settings)

    states = told(pull, settings)

    assert states["crmcom/contacts"] == (0, 0, None)
    assert states["crmcom/communications"] == (4, 4, None)
    assert states["rosaas/tenants"] == (0, 0, None)

    pull.execute("UPDATE ops.watermarks SET due_at = now() WHERE scope IN ('a', 'acme', 'denied')")
    oldest = "SELECT aged_from FROM ops.watermarks WHERE entity = 'contacts' AND scope = 'a'"

    states = told(pull, settings)
    assert states["crmcom/contacts"] == (2, 0, None)
    assert states["rosaas/tenants"] == (1, 0, None)
    (row,) = [r for r in stream_states(pull.engine, settings) if r["stream"] == "crmcom/contacts"]
    assert row["oldest_due"] == pull.rows(oldest)[0][0]


def test_status_says_when_the_budget_cannot_hold_the_bound(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "denied")
    vendors.hold_contact("denied", DENIED)
    vendors.hold_communications("denied", DENIED)
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS)
    pull.execute("UPDATE ops.sync_runs SET requests = 6, scopes_read = 4")
    # Two contacts each, one and a half requests for each; approval requests were never read.
    settings = vendors.settings(crmcom={"requests_per_second": 0.001}, staleness_bound_hours=1)

    states = told(pull, settings)

    said = (
        "less than 0.01 requests/s hold the bound of 1 h at crmcom (crmcom/contacts: 2 contacts, "
        "1.5 requests each; crmcom/communications: 2 contacts, 1.5 requests each; "
        "crmcom/approval_requests: 3 contacts, 1.0 requests each), but "
        "CRMCOM_REQUESTS_PER_SECOND allows 0.001: readings will be up to 2 h old. Raise it or "
        "STALENESS_BOUND_HOURS, or register fewer contacts"
    )
    assert {name: pace for name, (_, _, pace) in states.items() if pace} == {
        "crmcom/contacts": said,
        "crmcom/communications": said,
        "crmcom/approval_requests": said,
    }
    off = settings.model_copy(update={"crmcom": None})
    assert not any(pace for _, _, pace in told(pull, off).values())
