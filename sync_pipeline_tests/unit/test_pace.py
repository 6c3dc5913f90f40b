"""Whether a source's politeness can hold the staleness bound: both rates, in words."""

from __future__ import annotations

from datetime import timedelta

from sync_pipeline.operate.pace import Pace
from sync_pipeline.warehouse.due import Effort

DAY = timedelta(hours=24)


def test_a_bound_that_can_be_held_is_told_with_both_rates() -> None:
    pace = Pace("crmcom", {"crmcom/contacts": Effort(86_400, 2.5)}, DAY, 5)
    assert (pace.needed, pace.is_enough) == (2.5, True)
    assert pace.said == (
        "2.50 requests/s hold the bound of 24 h at crmcom; CRMCOM_REQUESTS_PER_SECOND allows 5"
    )


def test_the_streams_of_a_source_share_what_it_allows() -> None:
    efforts = {
        "crmcom/contacts": Effort(240_000, 1.0),
        "crmcom/communications": Effort(240_000, 2.0),
        # Not measured yet: one request at least.
        "crmcom/approval_requests": Effort(240_000, None),
    }
    pace = Pace("crmcom", efforts, DAY, 5)
    assert not pace.is_enough
    assert pace.said == (
        "11.11 requests/s hold the bound of 24 h at crmcom (crmcom/contacts: 240,000 contacts, 1.0 "
        "requests each; crmcom/communications: 240,000 contacts, 2.0 requests each; "
        "crmcom/approval_requests: 240,000 contacts, 1.0 requests each), but "
        "CRMCOM_REQUESTS_PER_SECOND allows 5: readings will be up to 53 h old. Raise it or "
        "STALENESS_BOUND_HOURS, or register fewer contacts"
    )


def test_the_very_rate_that_is_needed_is_enough() -> None:
    assert Pace("rocs", {"rocs/contacts": Effort(86_400, 5.0)}, DAY, 5).is_enough
    assert not Pace("rocs", {"rocs/contacts": Effort(86_401, 5.0)}, DAY, 5).is_enough
    few = Pace("rocs", {"rocs/contacts": Effort(1, 1.0)}, DAY, 5)
    assert few.said.startswith("less than 0.01 requests/s")
