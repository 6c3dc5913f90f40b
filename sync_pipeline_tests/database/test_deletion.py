"""What a source no longer names: confirmed before it is deleted, and revived when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_pipeline.entities import (
    CRMCOM_APPROVAL_REQUESTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CAMPAIGNS,
    ROCS_CONTACTS,
    ROSAAS_PLANS,
    ROSAAS_TENANTS,
    Stream,
)
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_rocs import CAMPAIGNS, CONTACTS
from sync_pipeline_tests.pull_vendors import (
    DENIED,
    NOT_FOUND,
    PLANS,
    SELF_SERVICE,
    UNAVAILABLE,
    Row,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted

ABSENCES = """
    SELECT source || '/' || entity, record_id, scope, answer, missed_again_at IS NOT NULL
    FROM ops.absences ORDER BY 1, 2
"""
STANDING = """
    SELECT {key}, cause, deleted_at IS NOT NULL
    FROM warehouse.{table} WHERE source = :source ORDER BY 1
"""
# In the order of time; each version ends where the next one begins.
VERSIONS = """
    SELECT
        v.{key},
        v.cause,
        v.deleted_at IS NOT NULL,
        v.valid_to IS NOT DISTINCT FROM lead(v.valid_from) OVER (
            PARTITION BY v.{key} ORDER BY v.valid_from
        )
    FROM warehouse.{table}_versions AS v ORDER BY v.{key}, v.valid_from
"""


def standing(pull: Pulls, stream: Stream) -> list[tuple[Any, ...]]:
    """Return each row's id, its cause, and whether it is deleted."""
    query = STANDING.format(key=stream.entity.key, table=stream.entity.name)
    return pull.rows(query, source=stream.source)


def versions(pull: Pulls, stream: Stream) -> list[tuple[Any, ...]]:
    """Return each version's id, cause, whether it is deleted, and whether the next one follows."""
    return pull.rows(VERSIONS.format(key=stream.entity.key, table=stream.entity.name))


def loaded(*ids: str) -> list[tuple[str, str, bool]]:
    return [(record_id, "source", False) for record_id in ids]


def gone(record_id: str) -> tuple[str, str, bool]:
    return (record_id, "deleted", True)


def in_turn(*answers: Row | Scripted) -> Callable[[Received], Scripted]:
    """Answer in this order, the last one again and again."""
    waiting = [a if isinstance(a, Scripted) else Scripted.json(a) for a in answers]
    return lambda _request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def plans(vendors: Vendors, *names: str) -> None:
    rows = [{"systemName": name} for name in names]
    body = {"data": rows, "metadata": {"errors": [], "success": True}}
    vendors.server.script("GET", PLANS, Scripted.json(body))


def members(ids: Sequence[int]) -> list[Row | bytes]:
    return [{"id": number, "name": f"Name {number}"} for number in ids]


def test_a_contact_that_two_requests_do_not_find_is_deleted_and_keeps_what_was_known(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("b", NOT_FOUND)
    vendors.forget_requests()

    report = pull(CRMCOM_CONTACTS)

    assert sorted(vendors.contact_requests()) == ["a", "b", "b", "c"]
    assert report.row["rows_deleted"] == 1
    assert counts(report) == {"unchanged": 2}
    assert versions(pull, CRMCOM_CONTACTS) == [
        ("a", "source", False, True),
        ("b", "source", False, True),
        ("b", "deleted", True, True),
        ("c", "source", False, True),
    ]
    names = "SELECT first_name FROM warehouse.contacts_versions WHERE contact_id = 'b'"
    assert pull.rows(names) == [("Name b",)] * 2
    assert pull.rows(ABSENCES) == []
    # Then it is no gap that there is nothing to read.
    later = pull(
        CRMCOM_CONTACTS, is_full=True, due=Due(datetime.now(UTC), pull.began(), is_forced=True)
    )
    assert (later.row["rows_deleted"], later.row["is_complete"]) == (0, True)
    assert pull.watermarks(CRMCOM_CONTACTS)["b"] == ("single_response", None)


def test_a_deleted_contact_that_is_listed_comes_back_with_the_next_pull_and_all_under_it(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("b", [{"id": "m-1", "created_on": 1_700_000_000}])
    streams = (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS)
    for stream in streams:
        pull(stream)
    vendors.hold_contact("b", NOT_FOUND)
    vendors.hold_communications("b", NOT_FOUND)
    vendors.hold_message("m-1", NOT_FOUND)
    for stream in streams:
        assert pull(stream).row["rows_deleted"] == 1
    began = pull.began()
    # Deleted, and not known to the API: no gap, whether it is asked for or waits.
    assert pull(CRMCOM_CONTACTS).row["is_complete"] is True
    assert pull(CRMCOM_CONTACTS, as_of=began).row["is_complete"] is True

    vendors.hold_contact("b", {"id": "b", "first_name": "Back"})
    vendors.hold_communications("b", [{"id": "m-1", "created_on": 1_700_000_000}])

    for stream in streams:
        report = pull(stream, due=Due(datetime.now(UTC) + timedelta(hours=1)))
        assert report.row["is_complete"] is True
    assert standing(pull, CRMCOM_CONTACTS) == [*loaded("a"), ("b", "revived", False)]
    assert standing(pull, CRMCOM_COMMUNICATIONS) == [("m-1", "revived", False)]


def test_what_the_api_did_not_know_under_a_contact_that_is_back_is_a_gap_until_it_is_read(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    vendors.hold_communications("b", NOT_FOUND)
    began = pull.began()

    assert pull(CRMCOM_COMMUNICATIONS).row["is_complete"] is False
    assert pull(CRMCOM_COMMUNICATIONS, as_of=began).row["is_complete"] is False

    pull.execute("UPDATE warehouse.contacts SET deleted_at = now() WHERE contact_id = 'b'")
    assert pull(CRMCOM_COMMUNICATIONS, as_of=began).row["is_complete"] is True


def test_what_hangs_under_a_contact_goes_only_after_it_and_is_confirmed_itself(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    messages = [{"id": name, "created_on": 1_700_000_000} for name in ("m-1", "m-2")]
    vendors.hold_communications("b", messages)
    vendors.hold_approval_requests("a", [{"id": "q-1"}])
    vendors.hold_approval_requests("b", [{"id": "q-2"}])
    streams = (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS, CRMCOM_APPROVAL_REQUESTS)
    for stream in streams:
        pull(stream)
    vendors.hold_contact("b", NOT_FOUND)
    vendors.hold_communications("b", NOT_FOUND)
    vendors.hold_approval_requests("b", NOT_FOUND)
    vendors.hold_message("m-1", NOT_FOUND)
    vendors.hold_message("m-2", {"id": "m-2"})

    # As long as the contact itself is not known to be gone, nothing follows.
    for stream in streams[1:]:
        assert pull(stream, "b").row["rows_deleted"] == 0
    assert pull.rows(ABSENCES) == []

    assert [pull(stream, "b").row["rows_deleted"] for stream in streams] == [1, 1, 0]
    # Without a call for just one, it takes a second reading.
    assert pull(CRMCOM_APPROVAL_REQUESTS, "b").row["rows_deleted"] == 1
    assert standing(pull, CRMCOM_COMMUNICATIONS) == [gone("m-1"), *loaded("m-2")]
    assert standing(pull, CRMCOM_APPROVAL_REQUESTS) == [*loaded("q-1"), gone("q-2")]
    assert pull(CRMCOM_APPROVAL_REQUESTS).row["is_complete"] is True


def test_what_was_not_known_under_a_contact_that_goes_later_is_due_at_once_and_then_again_soon(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_approval_requests("a", [])
    vendors.hold_approval_requests("b", [{"id": "q-1"}])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_APPROVAL_REQUESTS)
    # Deleted between its own reading and that of its list.
    vendors.hold_approval_requests("b", NOT_FOUND)
    assert pull(CRMCOM_APPROVAL_REQUESTS).row["is_complete"] is False
    vendors.hold_contact("b", NOT_FOUND)
    assert pull(CRMCOM_CONTACTS).row["rows_deleted"] == 1

    now, deleted = datetime.now(UTC), []
    for hours in range(4):
        row = pull(CRMCOM_APPROVAL_REQUESTS, due=Due(now + timedelta(hours=hours))).row
        deleted.append((row["scopes_total"], row["rows_deleted"]))

    # Once nothing is left, it is asked for as rarely as anything that is gone.
    assert deleted == [(1, 0), (2, 1), (2, 0), (1, 0)]
    assert standing(pull, CRMCOM_APPROVAL_REQUESTS) == [gone("q-1")]


def test_what_hangs_under_a_contact_that_was_never_had_goes_once_no_list_names_it(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_contact("b", UNAVAILABLE)
    vendors.hold_communications("b", [{"id": "m-1", "created_on": 1_700_000_000}])
    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        pull(stream)
    vendors.hold_contact("b", NOT_FOUND)
    vendors.hold_communications("b", NOT_FOUND)
    vendors.hold_message("m-1", NOT_FOUND)

    began = pull.began()
    assert pull(CRMCOM_CONTACTS, as_of=began).row["is_complete"] is False
    assert pull(CRMCOM_COMMUNICATIONS, as_of=began).row["is_complete"] is False
    assert standing(pull, CRMCOM_COMMUNICATIONS) == loaded("m-1")

    vendors.ids = [{"id": "a"}]
    forced = Due(datetime.now(UTC), pull.began(), is_forced=True)
    assert pull(CRMCOM_CONTACTS, due=forced).row["is_complete"] is True
    report = pull(CRMCOM_COMMUNICATIONS, due=forced)
    assert (report.row["rows_deleted"], report.row["is_complete"]) == (1, True)
    assert standing(pull, CRMCOM_COMMUNICATIONS) == [gone("m-1")]


def test_a_contact_that_the_list_of_ids_no_longer_names_is_still_asked_for(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    vendors.ids = [{"id": "a"}]

    for _ in range(2):
        assert pull(CRMCOM_CONTACTS).row["rows_deleted"] == 0
    assert standing(pull, CRMCOM_CONTACTS) == loaded("a", "b")
    assert pull.rows(ABSENCES) == []


def test_a_contact_that_the_second_request_finds_is_loaded_and_stays(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    answers = in_turn(NOT_FOUND, {"id": "b", "first_name": "Back"})
    vendors.server.respond("GET", f"{SELF_SERVICE}/b", answers)

    report = pull(CRMCOM_CONTACTS)

    assert counts(report) == {"unchanged": 1, "updated": 1}
    assert (report.row["rows_deleted"], report.row["absences_left"]) == (0, 0)
    assert standing(pull, CRMCOM_CONTACTS) == loaded("a", "b")
    assert pull.rows(ABSENCES) == []


@pytest.mark.parametrize(
    ("answer", "said"), [(DENIED, "denied"), (UNAVAILABLE, "unanswered")], ids=["denied", "away"]
)
def test_nothing_follows_from_an_answer_that_is_none_and_the_next_run_asks_again(
    pull: Pulls, vendors: Vendors, answer: Scripted, said: str
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    vendors.server.respond("GET", f"{SELF_SERVICE}/b", in_turn(NOT_FOUND, answer, NOT_FOUND))

    report = pull(CRMCOM_CONTACTS)

    assert (report.row["rows_deleted"], report.row["absences_left"]) == (0, 1)
    assert pull.rows(ABSENCES) == [("crmcom/contacts", "b", "b", said, False)]
    assert standing(pull, CRMCOM_CONTACTS) == loaded("a", "b", "c")

    # As the list of ids names it, it is read again at once.
    later = pull(CRMCOM_CONTACTS)

    assert (later.row["rows_deleted"], later.row["absences_left"]) == (1, 0)
    assert standing(pull, CRMCOM_CONTACTS) == [*loaded("a"), gone("b"), *loaded("c")]


def test_a_contact_that_is_denied_is_no_candidate(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("b", DENIED)

    assert pull(CRMCOM_CONTACTS).row["rows_deleted"] == 0
    assert pull.rows(ABSENCES) == []


def test_a_communication_is_deleted_when_neither_its_list_nor_its_own_answer_has_it(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    for name in ("m-1", "m-2", "m-3"):
        vendors.hold_message(name, {"id": name, "created_on": 1_700_000_000})
    vendors.hold_communications("a", [{"id": "m-1"}, {"id": "m-2"}])
    vendors.hold_communications("b", [{"id": "m-3"}])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS)
    # The first one only left the page that was being read: the list does not name it by mistake.
    vendors.hold_communications("a", [])
    vendors.hold_message("m-2", NOT_FOUND)

    for deleted in (1, 0):
        assert pull(CRMCOM_COMMUNICATIONS).row["rows_deleted"] == deleted
        assert standing(pull, CRMCOM_COMMUNICATIONS) == [
            *loaded("m-1"),
            gone("m-2"),
            *loaded("m-3"),
        ]
        assert pull.rows(ABSENCES) == []


def test_nothing_follows_from_a_list_that_is_not_proven_whole_or_has_a_row_without_a_key(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    for contact_id in "abc":
        rows = [{"id": f"m-{contact_id}", "created_on": 1_700_000_000}]
        vendors.hold_communications(contact_id, rows)
        vendors.hold_message(f"m-{contact_id}", NOT_FOUND)
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS)
    vendors.hold_communications("a", [b'{"subject":"whose?"}'])
    vendors.hold_communications("b", Scripted.json({"content": [], "paging": {"total": 7}}))
    # A row that breaks the contract is there all the same.
    vendors.hold_communications("c", [{"id": "m-c", "created_on": 1_700_000_000, "viewed": {}}])

    report = pull(CRMCOM_COMMUNICATIONS)

    assert report.row["rows_deleted"] == 0
    assert standing(pull, CRMCOM_COMMUNICATIONS) == loaded("m-a", "m-b", "m-c")
    assert pull.rows(ABSENCES) == []


def test_what_cannot_be_asked_for_is_deleted_when_a_second_reading_misses_it_too(
    pull: Pulls, vendors: Vendors
) -> None:
    plans(vendors, "p", "q")
    pull(ROSAAS_PLANS)
    plans(vendors, "p")

    first = pull(ROSAAS_PLANS)

    assert (first.row["rows_deleted"], first.row["absences_left"]) == (0, 1)
    assert first.row["is_complete"] is True
    assert pull.rows(ABSENCES) == [("rosaas/plans", "q", "", None, False)]
    assert standing(pull, ROSAAS_PLANS) == loaded("p", "q")

    second = pull(ROSAAS_PLANS)

    assert (second.row["rows_deleted"], second.row["absences_left"]) == (1, 0)
    assert standing(pull, ROSAAS_PLANS) == [*loaded("p"), gone("q")]
    assert pull.rows(ABSENCES) == []


def test_as_many_new_ones_do_not_hide_what_is_missing(pull: Pulls, vendors: Vendors) -> None:
    plans(vendors, "p", "q", "r")
    pull(ROSAAS_PLANS)
    plans(vendors, "p", "s", "t")

    first, second = pull(ROSAAS_PLANS), pull(ROSAAS_PLANS)

    assert (first.row["rows_inserted"], first.row["absences_left"]) == (2, 2)
    assert (second.row["rows_unchanged"], second.row["rows_deleted"]) == (3, 2)
    assert standing(pull, ROSAAS_PLANS) == [
        *loaded("p"),
        *(gone("q"), gone("r")),
        *loaded("s", "t"),
    ]


def test_a_record_that_breaks_the_contract_does_not_hide_what_is_missing(
    pull: Pulls, vendors: Vendors
) -> None:
    plans(vendors, "p", "q")
    pull(ROSAAS_PLANS)
    body = {
        "data": [{"systemName": "p"}, {"systemName": "never kept", "description": "\ud83d"}],
        "metadata": {"errors": [], "success": True},
    }
    vendors.server.script("GET", PLANS, Scripted.json(body))

    report = pull(ROSAAS_PLANS)

    assert (report.row["rows_quarantined"], report.row["absences_left"]) == (1, 1)
    assert pull.rows(ABSENCES) == [("rosaas/plans", "q", "", None, False)]


def test_what_is_seen_between_two_readings_that_miss_it_stays(
    pull: Pulls, vendors: Vendors
) -> None:
    for held in (("p", "q"), ("p",), ("p", "q"), ("p",)):
        plans(vendors, *held)
        assert pull(ROSAAS_PLANS).row["rows_deleted"] == 0
    assert standing(pull, ROSAAS_PLANS) == loaded("p", "q")
    assert pull.rows(ABSENCES) == [("rosaas/plans", "q", "", None, False)]


def test_an_approval_request_is_deleted_when_two_readings_of_its_list_miss_it(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_approval_requests("a", [{"id": "q-1"}, {"id": "q-2"}])
    vendors.hold_approval_requests("b", [{"id": "q-3"}])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_APPROVAL_REQUESTS)
    vendors.hold_approval_requests("a", [{"id": "q-2"}])
    pull(CRMCOM_APPROVAL_REQUESTS)
    assert standing(pull, CRMCOM_APPROVAL_REQUESTS) == loaded("q-1", "q-2", "q-3")

    # Of just that contact, beside whatever else is going on.
    report = pull(CRMCOM_APPROVAL_REQUESTS, "a")

    assert report.row["rows_deleted"] == 1
    assert standing(pull, CRMCOM_APPROVAL_REQUESTS) == [gone("q-1"), *loaded("q-2", "q-3")]


def test_an_approval_request_that_moved_to_another_list_stays(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_approval_requests("a", [{"id": "q-1"}])
    vendors.hold_approval_requests("b", [])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_APPROVAL_REQUESTS)
    vendors.hold_approval_requests("a", [])
    vendors.hold_approval_requests("b", [{"id": "q-1"}])

    for _ in range(3):
        assert pull(CRMCOM_APPROVAL_REQUESTS).row["rows_deleted"] == 0
    owners = "SELECT contact_id, deleted_at FROM warehouse.approval_requests"
    assert pull.rows(owners) == [("b", None)]
    assert pull.rows(ABSENCES) == []


def test_a_contact_of_rocs_is_asked_for_by_its_id(pull: Pulls, vendors: Vendors) -> None:
    rocs = vendors.rocs
    rocs.hold(CONTACTS, members([1, 2, 3]))
    pull(ROCS_CONTACTS)
    shown = members([1])

    def listed(request: Received) -> Scripted | None:
        is_list = request.path.endswith(CONTACTS) and "page" in request.query
        return Scripted.json({"items": shown, "totalCount": 1}) if is_list else None

    # The list lacks two, one of them by mistake.
    rocs.stands_in = listed
    rocs.hold(CONTACTS, [{"id": 1, "name": "Name 1"}, {"id": 3, "firstname": "Kari"}])

    report = pull(ROCS_CONTACTS)

    assert sorted(rocs.lookups()) == [("id", "2"), ("id", "3")]
    assert (report.row["rows_deleted"], counts(report)) == (1, {"unchanged": 1, "updated": 1})
    assert standing(pull, ROCS_CONTACTS) == [*loaded("1"), gone("2"), *loaded("3")]
    assert pull.rows("SELECT first_name FROM warehouse.contacts WHERE contact_id = '3'") == [
        ("Kari",)
    ]


def test_a_contact_of_rocs_that_is_looked_up_in_vain_is_deleted_by_its_own_id(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    lookup = vendors.settings(rocs={"contacts_mode": "lookup"})
    vendors.rocs.hold(CONTACTS, [{"id": 7, "externalId": "a"}])
    pull(ROCS_CONTACTS, settings=lookup)
    vendors.rocs.hold(CONTACTS, [{"id": 70, "externalId": "a"}])

    report = pull(ROCS_CONTACTS, settings=lookup)

    assert report.row["rows_deleted"] == 1
    assert standing(pull, ROCS_CONTACTS) == [gone("7"), *loaded("70")]


@pytest.mark.parametrize("only", [(), ("acme",)], ids=["all", "by name"])
def test_a_tenant_that_the_list_lacks_is_deleted_when_its_own_answer_is_empty(
    pull: Pulls, vendors: Vendors, only: tuple[str, ...]
) -> None:
    acme, beta, hidden = ({"systemName": name} for name in ("acme", "beta", "hidden"))
    vendors.hold_tenants(acme, beta, hidden)
    pull(ROSAAS_TENANTS)
    vendors.tenants = [beta]
    vendors.hold_detail("acme", None)

    report = pull(ROSAAS_TENANTS, *only)

    assert report.row["rows_deleted"] == 1
    assert standing(pull, ROSAAS_TENANTS) == [gone("acme"), *loaded("beta", "hidden")]
    assert pull.rows(ABSENCES) == []


def test_what_comes_back_with_the_very_bytes_is_revived(pull: Pulls, vendors: Vendors) -> None:
    for held in (("p", "q"), ("p",), ("p",), ("p",)):
        plans(vendors, *held)
        pull(ROSAAS_PLANS)
    plans(vendors, "p", "q")

    report = pull(ROSAAS_PLANS)
    again = pull(ROSAAS_PLANS)

    assert (counts(report), counts(again)) == ({"unchanged": 1, "updated": 1}, {"unchanged": 2})
    assert versions(pull, ROSAAS_PLANS) == [
        ("p", "source", False, True),
        ("q", "source", False, True),
        ("q", "deleted", True, True),
        ("q", "revived", False, True),
    ]
    plans(vendors, "p")
    pull(ROSAAS_PLANS)
    assert pull(ROSAAS_PLANS).row["rows_deleted"] == 1
    assert standing(pull, ROSAAS_PLANS) == [*loaded("p"), gone("q")]


def test_what_comes_back_with_other_content_is_revived_with_that(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("b", NOT_FOUND)
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("b", {"id": "b", "first_name": "Other"})

    report = pull(CRMCOM_CONTACTS, "b")

    assert counts(report) == {"updated": 1}
    query = """
        SELECT cause, first_name, deleted_at IS NOT NULL FROM warehouse.contacts_versions
        WHERE contact_id = 'b' ORDER BY valid_from
    """
    assert pull.rows(query) == [
        ("source", "Name b", False),
        ("deleted", "Name b", True),
        ("revived", "Other", False),
    ]


def test_a_communication_that_comes_back_has_its_details_again(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    message = {"id": "m-1", "created_on": 1_700_000_000, "subject": "Hello"}
    vendors.hold_communications("a", [{"id": "m-1"}])
    vendors.hold_message("m-1", message)
    pull(CRMCOM_COMMUNICATIONS)
    before = pull.table("communications")
    vendors.hold_communications("a", [])
    vendors.hold_message("m-1", NOT_FOUND)
    pull(CRMCOM_COMMUNICATIONS)
    assert standing(pull, CRMCOM_COMMUNICATIONS) == [gone("m-1")]
    vendors.hold_communications("a", [{"id": "m-1"}])
    vendors.hold_message("m-1", message)

    pull(CRMCOM_COMMUNICATIONS)

    assert pull.table("communications") == before
    assert standing(pull, CRMCOM_COMMUNICATIONS) == [("m-1", "revived", False)]


def test_more_than_the_cap_is_not_deleted_until_it_is_allowed(
    pull: Pulls, vendors: Vendors
) -> None:
    held = members(range(1000, 1400))
    vendors.rocs.hold(CAMPAIGNS, held)
    settings = vendors.settings(rocs={"page_size": 1000})
    vendors.rocs.page_size = 1000
    pull(ROCS_CAMPAIGNS, settings=settings)
    vendors.rocs.hold(CAMPAIGNS, held[21:])
    pull(ROCS_CAMPAIGNS, settings=settings)

    with pytest.raises(Exception, match="nothing was deleted") as refused:
        pull(ROCS_CAMPAIGNS, settings=settings)

    assert str(refused.value) == (
        "of 400 rows 21 confirmed as gone (for example 1000, 1001, 1002, 1003, "
        "1004): more than MAX_DELETE_SHARE (0.05) allows, so nothing was deleted; if they are "
        "gone at the source, `sync-pipeline pull rocs/campaigns --allow-deletes` deletes them"
    )
    run = ("outcome", "is_complete", "rows_read", "rows_deleted", "absences_left")
    assert pull.last_run(*run) == ("failed", False, 379, 0, 21)
    assert {cause for _, cause, _ in standing(pull, ROCS_CAMPAIGNS)} == {"source"}

    report = pull(ROCS_CAMPAIGNS, settings=settings, allow_deletes=True)

    assert (report.row["rows_deleted"], report.row["is_delete_allowed"]) == (21, True)
    assert [row[0] for row in standing(pull, ROCS_CAMPAIGNS) if row[2]] == [
        str(number) for number in range(1000, 1021)
    ]


@pytest.mark.parametrize(("held", "lost"), [(40, 20), (420, 21)], ids=["few", "a small share"])
def test_what_the_cap_allows_goes(pull: Pulls, vendors: Vendors, held: int, lost: int) -> None:
    plans(vendors, *(f"p-{number}" for number in range(held)))
    pull(ROSAAS_PLANS)
    plans(vendors, *(f"p-{number}" for number in range(lost, held)))
    pull(ROSAAS_PLANS)

    assert pull(ROSAAS_PLANS).row["rows_deleted"] == lost


def test_slice_by_slice_no_more_goes_than_the_cap_allows(pull: Pulls, vendors: Vendors) -> None:
    many = [f"c-{number:02}" for number in range(30)]
    vendors.hold_contacts(*many)
    pull(CRMCOM_CONTACTS)
    began = pull.began()
    for contact_id in many:
        vendors.hold_contact(contact_id, NOT_FOUND)
    settings = vendors.settings(crmcom={"max_in_flight": 8})

    asked: dict[str, Any] = {"settings": settings, "slice_s": 0, "as_of": began}
    assert [pull(CRMCOM_CONTACTS, **asked).row["rows_deleted"] for _ in range(2)] == [8, 8]
    with pytest.raises(Exception, match=r"8 confirmed as gone .* 16 deleted lately"):
        pull(CRMCOM_CONTACTS, **asked)
    assert sum(row[2] for row in standing(pull, CRMCOM_CONTACTS)) == 16

    assert pull(CRMCOM_CONTACTS, **asked, allow_deletes=True).row["rows_deleted"] == 14
    # What was allowed once takes no part in what may go next.
    vendors.hold_contact("c-00", {"id": "c-00"})
    pull(CRMCOM_CONTACTS, "c-00")
    vendors.hold_contact("c-00", NOT_FOUND)
    assert pull(CRMCOM_CONTACTS, "c-00").row["rows_deleted"] == 1


def test_a_run_whose_source_fails_in_the_end_leaves_candidates_for_the_next_one(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta"})
    pull(ROSAAS_TENANTS)
    vendors.tenants = [{"systemName": "beta"}]
    vendors.hold_detail("acme", UNAVAILABLE)
    assert pull(ROSAAS_TENANTS).row["rows_deleted"] == 0
    vendors.hold_detail("acme", None)
    # Nothing is read this time, for the list is broken: the candidate waits.
    vendors.tenants = Scripted(500, b"", {"Retry-After": "3600"})
    with pytest.raises(Exception, match="500"):
        pull(ROSAAS_TENANTS)
    assert standing(pull, ROSAAS_TENANTS) == loaded("acme", "beta")
    vendors.tenants = [{"systemName": "beta"}]

    assert pull(ROSAAS_TENANTS).row["rows_deleted"] == 1
