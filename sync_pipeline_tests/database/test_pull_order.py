"""In which order runs read what is due, and what they find of children that change late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync_pipeline.entities import CRMCOM_APPROVAL_REQUESTS, CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.pull.run import PullReport
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import DENIED, Row, Vendors
from sync_pipeline_tests.pulls import Pulls, counts

NOW = int(datetime.now(UTC).timestamp())
BOUND = 24


def due_pull(
    pull: Pulls, stream: object = CRMCOM_COMMUNICATIONS, *, hours: float, **asked: object
) -> PullReport:
    """Pull as a schedule does, so many hours from now."""
    return pull(stream, due=Due(datetime.now(UTC) + timedelta(hours=hours)), **asked)  # type: ignore[arg-type] # fields of PullRequest


def one_by_one(vendors: Vendors) -> Settings:
    return vendors.settings(crmcom={"max_in_flight": 1})


def lists_asked(vendors: Vendors) -> list[str]:
    """Return the contacts whose lists were asked for, in order."""
    ends = ("/communications", "/approval_requests")
    return [r.path.split("/")[-2] for r in vendors.server.received if r.path.endswith(ends)]


def read_lately(pull: Pulls, *, hours: float) -> None:
    """Let everything have been read so many hours ago, and not have changed for two days."""
    pull.execute(
        f"UPDATE ops.watermarks SET read_at = read_at - interval '{hours} hours', "
        f"due_at = due_at - interval '{hours} hours', "
        f"aged_from = aged_from - interval '{hours} hours', "
        f"wanted_at = wanted_at - interval '{hours} hours', "
        "changed_at = changed_at - interval '48 hours'"
    )


def test_slices_of_what_is_due_read_every_contact_once_in_a_round(
    pull: Pulls, vendors: Vendors
) -> None:
    many = [f"c-{number}" for number in range(7)]
    vendors.hold_contacts(*many)
    settings = vendors.settings(crmcom={"max_in_flight": 2})
    pull(CRMCOM_CONTACTS, settings=settings)
    read_lately(pull, hours=1)
    vendors.forget_requests()

    reports = [
        due_pull(pull, CRMCOM_CONTACTS, hours=0, settings=settings, slice_s=0) for _ in range(5)
    ]

    assert [report.remaining for report in reports] == [5, 3, 1, 0, 0]
    assert sorted(vendors.contact_requests()) == many


def test_a_contact_that_changed_has_its_children_read_first_and_before_their_time(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    for name in "abc":
        vendors.hold_approval_requests(name, [])
    streams = (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS, CRMCOM_APPROVAL_REQUESTS)
    for stream in streams:
        pull(stream, settings=one_by_one(vendors))
    read_lately(pull, hours=1)
    vendors.hold_contact("c", {"id": "c", "first_name": "Another"})
    pull(CRMCOM_CONTACTS, settings=one_by_one(vendors))
    vendors.forget_requests()

    due_pull(pull, hours=0, settings=one_by_one(vendors))
    assert lists_asked(vendors) == ["c", "a", "b"]

    # Once is enough.
    assert due_pull(pull, hours=0).row["scopes_total"] == 0
    pull.execute("UPDATE ops.watermarks SET due_at = now() + interval '1 day'")
    vendors.forget_requests()
    due_pull(pull, CRMCOM_APPROVAL_REQUESTS, hours=0)
    assert lists_asked(vendors) == ["c"]


def test_what_changed_lately_is_read_before_what_has_not_changed_for_long(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_COMMUNICATIONS, settings=one_by_one(vendors))
    read_lately(pull, hours=2)
    vendors.hold_communications("b", [{"id": "m-1"}])
    pull(CRMCOM_COMMUNICATIONS, settings=one_by_one(vendors))
    vendors.forget_requests()

    due_pull(pull, hours=1, settings=one_by_one(vendors))

    assert lists_asked(vendors) == ["b", "a", "c"]


def test_what_is_overdue_is_read_before_what_changed_lately(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "old", "older")
    settings = one_by_one(vendors)
    for name in ("older", "old"):
        pull(CRMCOM_COMMUNICATIONS, name, settings=settings)
    pull.execute(
        "INSERT INTO ops.contact_registry (contact_id, origin, first_seen_at, last_seen_at) "
        "VALUES ('a', 'file', now(), now()) ON CONFLICT DO NOTHING"
    )
    read_lately(pull, hours=0.8 * BOUND)
    pull(CRMCOM_COMMUNICATIONS, "a", settings=settings)
    vendors.forget_requests()

    due_pull(pull, hours=1, settings=settings)

    assert lists_asked(vendors) == ["older", "old", "a"]


def test_a_contact_that_one_stream_is_denied_is_read_by_another(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_communications("b", DENIED)
    vendors.hold_contact("c", DENIED)
    vendors.hold_communications("c", [{"id": "m-1"}])
    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        read_lately(pull, hours=1)
        due_pull(pull, stream, hours=0)

    assert pull.rows("SELECT contact_id FROM warehouse.contacts ORDER BY 1") == [("a",), ("b",)]
    assert pull.rows("SELECT contact_id FROM warehouse.communications") == [("c",)]
    denied = "SELECT entity, scope FROM ops.watermarks WHERE reason = 'denied' ORDER BY 1"
    assert pull.rows(denied) == [("communications", "b"), ("contacts", "c")]
    assert pull.last_run("scopes_denied", "is_complete") == (1, False)


def message(number: int, **more: object) -> Row:
    return {"id": f"m-{number}", "created_on": NOW - 86_400 * (9 - number)} | more


LATE: dict[int, Row] = {
    1: {"is_viewed": True, "viewed_on": NOW},
    2: {"is_archived": True},
    3: {"links": [{"clicked_on": NOW}], "is_viewed": True},
}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_messages_that_change_late_are_found_within_the_bound_whatever_was_read_between(
    pull: Pulls, vendors: Vendors, version: str
) -> None:
    vendors.hold_contacts("a")
    vendors.page_size = 2
    rows = [message(number) for number in range(1, 8)]
    vendors.hold_communications("a", rows)
    for row in rows:
        vendors.hold_message(row["id"], row)
    first = vendors.settings(crmcom={"page_size": 2})
    settings = vendors.v2(page_size=2) if version == "v2" else first
    pull(CRMCOM_COMMUNICATIONS, settings=settings)
    due_pull(pull, hours=0.5, settings=settings)
    late = [message(number, **change) for number, change in LATE.items()]
    vendors.hold_communications("a", [*late, *rows[3:]])
    details = vendors.message_requests()

    # The news are asked for again and again, and none of that makes the whole any younger.
    found: dict[float, int] = {}
    for hours in (1.0, 8.0, 11.0, 17.0, 23.0):
        report = due_pull(pull, hours=hours, settings=settings)
        read_at = datetime.now(UTC) + timedelta(hours=hours)
        pull.execute(
            f"UPDATE ops.watermarks SET read_at = '{read_at}', due_at = '{read_at}' "
            "WHERE scope = 'a'"
        )
        if updated := counts(report).get("updated", 0):
            found[hours] = updated

    assert found == {1.0 if version == "v1" else 17.0: len(LATE)}
    # A row that changes in the list needs no detail again.
    assert vendors.message_requests() == details
    told = "SELECT communication_id, is_viewed, is_archived FROM warehouse.communications"
    assert pull.rows(f"{told} ORDER BY 1 LIMIT 3") == [
        ("m-1", True, None),
        ("m-2", None, True),
        ("m-3", True, None),
    ]
