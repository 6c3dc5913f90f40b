"""Long lists of CRM.COM's second version: between two whole readings only what is new is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS
from sync_pipeline.pull.run import PullReport
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import DENIED, SELF_SERVICE_V2, UNAVAILABLE, Row, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted

LONG = 7
NOW = int(datetime.now(UTC).timestamp())
WHOLE = [{"page": str(number)} for number in (1, 4, 3, 2, 1, 4)]
LONGER = [{"page": str(number)} for number in (1, 4, 3, 2, 1, 5)]
PROVEN = ("tail_first", None)


def message(number: int, *, age_s: int = 0, **more: object) -> Row:
    return {"id": f"m-{number}", "created_on": NOW - age_s, "is_viewed": False} | more


@pytest.fixture
def settings(vendors: Vendors) -> Settings:
    """Return settings of lists of two a page; contact a has a long list, b a short one."""
    vendors.hold_contacts("a", "b")
    vendors.page_size = 2
    # Days apart, so that the overlap of an hour holds the newest one alone.
    rows = [message(n, age_s=86_400 * (LONG - n)) for n in range(1, LONG + 1)]
    vendors.hold_communications("a", rows)
    vendors.hold_communications("b", [message(90)])
    return vendors.v2(page_size=2)


def due_pull(
    pull: Pulls, settings: Settings, *, hours: float = 0.5, is_full: bool = False
) -> PullReport:
    """Pull as a schedule does, so many hours after what was read before."""
    now = datetime.now(UTC) + timedelta(hours=hours)
    return pull(CRMCOM_COMMUNICATIONS, settings=settings, due=Due(now), is_full=is_full)


def asked(vendors: Vendors, contact_id: str = "a") -> list[dict[str, str]]:
    return vendors.list_requests(contact_id, SELF_SERVICE_V2)


def forget(vendors: Vendors) -> None:
    vendors.forget_requests()


def ids(pull: Pulls) -> list[str]:
    query = "SELECT communication_id FROM warehouse.communications WHERE contact_id = 'a'"
    return sorted(row[0] for row in pull.rows(query))


def append(vendors: Vendors, *rows: Row) -> None:
    held = vendors.communications["a"]
    assert not isinstance(held, Scripted)
    held.extend(rows)


def begun(pull: Pulls, vendors: Vendors, settings: Settings) -> dict[str, tuple[str, str | None]]:
    """Read all once; return the watermarks."""
    pull(CRMCOM_COMMUNICATIONS, settings=settings)
    assert asked(vendors) in (WHOLE, LONGER)
    forget(vendors)
    return pull.watermarks(CRMCOM_COMMUNICATIONS)


def test_a_due_pull_of_a_long_list_is_one_request_and_brings_what_is_new(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    marks = begun(pull, vendors, settings)
    swept = pull.rows("SELECT scope, swept_at FROM ops.watermarks WHERE scope = 'a'")
    append(vendors, message(8, age_s=-60))

    report = due_pull(pull, settings)

    assert asked(vendors) == [{"page": "1", "created_on[gte]": str(NOW - 3600)}]
    assert asked(vendors, "b") == [{"page": "1"}]
    assert counts(report) == {"inserted": 1, "unchanged": 2}
    assert ids(pull) == [f"m-{n}" for n in range(1, 9)]
    # What was known of the whole list still holds, and no more than that.
    assert marks == pull.watermarks(CRMCOM_COMMUNICATIONS)
    assert marks == {"a": PROVEN, "b": ("single_response", None)}
    row = report.row
    assert (row["is_complete"], row["scopes_read"], row["scopes_incomplete"]) == (True, 2, 0)
    assert pull.rows("SELECT scope, swept_at FROM ops.watermarks WHERE scope = 'a'") == swept
    assert vendors.message_requests() == []

    # It is not due again at once.
    forget(vendors)
    assert due_pull(pull, settings, hours=0).row["scopes_total"] == 0


def test_an_unchanged_list_is_read_again_without_a_write(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    begun(pull, vendors, settings)
    before = pull.versions("communications")

    assert counts(due_pull(pull, settings)) == {"unchanged": 2}

    assert pull.versions("communications") == before


def test_what_is_new_may_take_several_pages(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    marks = begun(pull, vendors, settings)
    append(vendors, *[message(n, age_s=-n) for n in range(8, 12)])

    report = due_pull(pull, settings)

    assert [int(query["page"]) for query in asked(vendors)] == [1, 3, 2, 1, 3]
    assert all("created_on[gte]" in query for query in asked(vendors))
    assert counts(report) == {"inserted": 4, "unchanged": 2, "duplicate": 3}
    assert marks == pull.watermarks(CRMCOM_COMMUNICATIONS)


def test_messages_of_the_same_moment_and_of_an_hour_before_are_not_missed(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    begun(pull, vendors, settings)
    append(vendors, message(8), message(9, age_s=3600), message(10, age_s=3601))

    due_pull(pull, settings)
    assert ids(pull) == sorted(f"m-{n}" for n in range(1, 10))

    # What is filed later than that is found by the next whole reading.
    due_pull(pull, settings, hours=13)
    assert ids(pull) == sorted(f"m-{n}" for n in range(1, 11))


def test_a_message_of_the_future_hides_none_of_today(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    append(vendors, message(80, age_s=-86_400 * 365))
    begun(pull, vendors, settings)
    append(vendors, message(8, age_s=-60))

    due_pull(pull, settings)

    assert "m-8" in ids(pull)


def test_a_change_of_an_old_message_is_found_by_the_next_whole_reading(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    begun(pull, vendors, settings)
    held = vendors.communications["a"]
    assert isinstance(held, list)
    held[0] = message(1, age_s=86_400 * 6, is_viewed=True)
    viewed = "SELECT communication_id FROM warehouse.communications WHERE is_viewed"

    due_pull(pull, settings)
    assert pull.rows(viewed) == []
    forget(vendors)

    due_pull(pull, settings, hours=12.5)
    assert asked(vendors) == WHOLE
    assert pull.rows(viewed) == [("m-1",)]


def test_whoever_asks_for_everything_gets_the_whole_list(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    begun(pull, vendors, settings)

    due_pull(pull, settings, is_full=True)
    pull(CRMCOM_COMMUNICATIONS, settings=settings)
    pull(CRMCOM_COMMUNICATIONS, "a", settings=settings, due=Due(datetime.now(UTC)))

    assert asked(vendors) == WHOLE * 3


def test_the_first_version_has_no_filter(pull: Pulls, vendors: Vendors, settings: Settings) -> None:
    assert settings.crmcom is not None
    first = vendors.settings(crmcom={"page_size": 2})
    pull(CRMCOM_COMMUNICATIONS, settings=first)
    forget(vendors)

    due_pull(pull, first)

    assert vendors.list_requests("a") == WHOLE


def test_a_server_that_ignores_the_filter_is_read_whole(
    pull: Pulls, vendors: Vendors, settings: Settings
) -> None:
    begun(pull, vendors, settings)
    vendors.has_filter = False
    held = vendors.communications["a"]
    assert isinstance(held, list)
    held[0] = message(1, age_s=86_400 * 6, is_viewed=True)
    append(vendors, message(8, age_s=-60))

    report = due_pull(pull, settings)

    filtered, plain = (
        [query for query in asked(vendors) if ("created_on[gte]" in query) is is_filtered]
        for is_filtered in (True, False)
    )
    # One page tells.
    assert len(filtered) == 1
    assert plain == LONGER
    assert counts(report) == {"inserted": 1, "updated": 1, "unchanged": 7, "duplicate": 2}
    assert pull.watermarks(CRMCOM_COMMUNICATIONS)["a"] == PROVEN


@pytest.mark.parametrize("answer", [UNAVAILABLE, DENIED])
def test_after_a_reading_that_was_given_up_the_whole_list_is_read(
    pull: Pulls, vendors: Vendors, settings: Settings, answer: Scripted
) -> None:
    many = [f"c-{number}" for number in range(12)]
    vendors.hold_contacts("a", *many)
    rows = [message(n, age_s=LONG - n) for n in range(LONG)]
    vendors.hold_communications("a", rows)
    begun(pull, vendors, settings)
    vendors.hold_communications("a", answer)
    due_pull(pull, settings)
    assert pull.watermarks(CRMCOM_COMMUNICATIONS)["a"][0] == "incomplete"
    vendors.hold_communications("a", rows)
    forget(vendors)

    report = due_pull(pull, settings, hours=24 * 8 if answer is DENIED else 1)

    assert asked(vendors) == WHOLE
    assert report.row["outcome"] == "succeeded"
    assert pull.watermarks(CRMCOM_COMMUNICATIONS)["a"] == PROVEN
