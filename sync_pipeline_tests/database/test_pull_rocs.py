"""ROCS: its lists in parts, single lookups, dynamic fields, and the ids that it names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_pipeline.entities import (
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CAMPAIGNS,
    ROCS_COMMUNICATIONS,
    ROCS_CONTACT_LISTS,
    ROCS_CONTACTS,
    Stream,
)
from sync_pipeline.errors import TransientSourceError
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_rocs import (
    ACTIVITY,
    CAMPAIGNS,
    CONTACTS,
    DYNAMIC,
    LISTS,
    Rocs,
    Row,
    Stand,
)
from sync_pipeline_tests.pull_vendors import UNAVAILABLE, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted
from sync_pipeline_tests.waiting import eventually

ORDER = ("single_response", None)
PATHS = {
    ROCS_CONTACTS: (CONTACTS, "contacts"),
    ROCS_COMMUNICATIONS: (ACTIVITY, "communications"),
    ROCS_CONTACT_LISTS: (LISTS, "contact_lists"),
    ROCS_CAMPAIGNS: (CAMPAIGNS, "campaigns"),
}
A_WHILE = timedelta(hours=1)
KARI: Row = {
    "id": 7,
    "contactStatus": "ACTIVE",
    "contactType": "CUSTOMER",
    "dob": "1970-12-30T00:00:00",
    "email": "Kari@Example.no",
    "externalId": "a",
    "firstname": "Kari",
    "lastname": "Løvik",
    "organizationId": 0,
}
STORED = {
    "source": "rocs",
    "contact_id": "7",
    "status": "ACTIVE",
    "type": "CUSTOMER",
    "birth_on": datetime(1970, 12, 30, tzinfo=UTC).date(),
    "email": "kari@example.no",
    "external_id": "a",
    "first_name": "Kari",
    "last_name": "Løvik",
    "attributes": {"organizationId": 0},
}


@pytest.fixture
def rocs(vendors: Vendors) -> Rocs:
    return vendors.rocs


def numbered(many: int, **more: Any) -> list[Row | bytes]:  # noqa: ANN401 -- members of a row
    return [{"id": number, "name": f"Name {number}"} | more for number in range(1, many + 1)]


def always(answer: Scripted) -> Stand:
    """Return what gives this answer, whatever is asked for."""
    return lambda _request: answer


def on_page(number: int, act: Callable[[], Scripted | None], *, after: int = 1) -> Stand:
    """Return what does ``act`` each time the page is asked for, from the ``after``-th time on."""
    times = 0

    def stand_in(request: Received) -> Scripted | None:
        nonlocal times
        if request.query.get("page") != str(number):
            return None
        times += 1
        return act() if times >= after else None

    return stand_in


@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_one_page_is_one_request_and_proves_the_list(
    pull: Pulls, rocs: Rocs, stream: Stream
) -> None:
    path, table = PATHS[stream]
    rocs.hold(path, numbered(3))

    first = pull(stream)
    before = pull.versions(table)
    second = pull(stream)

    assert rocs.pages(path) == [1, 1]
    assert (counts(first), counts(second)) == ({"inserted": 3}, {"unchanged": 3})
    assert pull.versions(table) == before
    assert pull.watermarks(stream) == {"": ORDER}
    row = first.row
    assert (row["scopes_total"], row["scopes_read"], row["is_complete"]) == (1, 1, True)


@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_pages_that_do_not_show_their_order_are_read_twice(
    pull: Pulls, rocs: Rocs, stream: Stream
) -> None:
    path, table = PATHS[stream]
    rocs.page_size = 10
    rocs.hold(path, numbered(45)[::-1])

    first = pull(stream)
    before = pull.versions(table)
    second = pull(stream)

    assert rocs.pages(path) == [1, 5, 4, 3, 2, 1, 5, *(4, 3, 2, 1, 5)] * 2
    assert counts(first) == {"inserted": 45, "duplicate": 60}
    # All are in the table; what came again in the same pass is looked at again.
    assert counts(second) == {"unchanged": 45, "duplicate": 60}
    assert pull.versions(table) == before
    assert len(before) == 45
    assert pull.watermarks(stream) == {"": ("agreeing_passes", None)}
    row = second.row
    assert (row["scopes_total"], row["scopes_read"], row["is_complete"]) == (1, 1, True)


@pytest.mark.parametrize("stream", [s for s in PATHS if s != ROCS_CONTACTS], ids=str)
def test_n_pages_in_the_order_of_their_creation_are_at_most_n_and_two_requests(
    pull: Pulls, rocs: Rocs, stream: Stream
) -> None:
    path, _ = PATHS[stream]
    rocs.page_size = 10
    rocs.hold(path, [{"id": n, "createdDate": f"2026-01-01T00:00:{n}"} for n in range(10, 55)])

    report = pull(stream)

    assert rocs.pages(path) == [1, 5, 4, 3, 2, 1, 5]
    assert counts(report) == {"inserted": 45, "duplicate": 15}
    assert pull.watermarks(stream) == {"": ("tail_first", None)}
    assert report.row["is_complete"] is True


def test_a_list_that_is_not_due_is_not_read_and_as_complete_as_it_was(
    pull: Pulls, rocs: Rocs
) -> None:
    soon = Due(datetime.now(UTC))
    for stated, is_complete in ((4, False), (3, True)):
        listed = Scripted.json({"items": numbered(3), "totalCount": stated})
        rocs.stands_in = always(listed)
        pull(ROCS_CONTACT_LISTS)
        asked = len(rocs.pages(LISTS))

        row = pull(ROCS_CONTACT_LISTS, due=soon).row

        assert len(rocs.pages(LISTS)) == asked
        assert (row["scopes_total"], row["scopes_read"], row["rows_read"]) == (0, 0, 0)
        assert (row["outcome"], row["is_complete"]) == ("succeeded", is_complete)


def test_pages_that_were_read_stay_when_the_list_breaks_off(pull: Pulls, rocs: Rocs) -> None:
    rocs.page_size = 10
    rocs.hold(LISTS, numbered(50))
    rocs.stands_in = on_page(3, lambda: UNAVAILABLE)

    with pytest.raises(TransientSourceError, match="500"):
        pull(ROCS_CONTACT_LISTS)

    loaded = pull.rows("SELECT CAST(list_id AS integer) FROM warehouse.contact_lists ORDER BY 1")
    assert [number for (number,) in loaded] == [*range(1, 11), *range(31, 51)]
    assert pull.watermarks(ROCS_CONTACT_LISTS) == {}
    assert pull.last_run("outcome", "is_complete", "rows_inserted", "scopes_read") == (
        "failed",
        False,
        30,
        0,
    )

    rocs.stands_in = lambda _request: None
    assert counts(pull(ROCS_CONTACT_LISTS)) == {"inserted": 20, "unchanged": 30, "duplicate": 10}


def test_pages_are_loaded_while_others_are_still_to_be_read(pull: Pulls, rocs: Rocs) -> None:
    rocs.page_size = 1_000
    rocs.hold(LISTS, numbered(20_000))
    loaded = "SELECT count(*) FROM warehouse.contact_lists"

    def wait_for_rows() -> None:
        eventually(lambda: pull.rows(loaded)[0][0] > 0)

    # The first page comes last but one.
    rocs.stands_in = on_page(1, wait_for_rows, after=2)

    assert counts(pull(ROCS_CONTACT_LISTS))["inserted"] == 20_000


def test_a_row_that_changes_while_the_list_is_read_ends_as_it_was_last_seen(
    pull: Pulls, rocs: Rocs
) -> None:
    rocs.page_size = 2
    rocs.hold(LISTS, numbered(6))

    def change() -> None:
        rocs.lists[LISTS][0] = {"id": 1, "name": "Changed"}

    rocs.stands_in = on_page(2, change)

    report = pull(ROCS_CONTACT_LISTS)

    assert counts(report) == {"inserted": 6, "duplicate": 2}
    names = "SELECT display_name FROM warehouse.contact_lists WHERE list_id = '1'"
    assert pull.rows(names) == [("Changed",)]
    old = "SELECT display_name, valid_from < valid_to FROM warehouse.contact_lists_history"
    assert pull.rows(old) == [("Name 1", True)]


def test_rows_without_a_key_are_kept_aside_and_counted(pull: Pulls, rocs: Rocs) -> None:
    nameless = b'{"name":"whose?"}'
    rocs.page_size = 3
    rocs.hold(LISTS, [*numbered(2), nameless, *numbered(5)[2:], b'{"id":9,"n":1e99999}'])

    report = pull(ROCS_CONTACT_LISTS)

    # The first page and the last one, of one row, are read twice, and then all of them again.
    assert counts(report) == {"inserted": 5, "quarantined": 2, "duplicate": 3 + 1 + 7}
    assert pull.rows("SELECT record_id, error_code FROM ops.quarantine ORDER BY 1") == [
        ("9", "bad_number"),
        (None, "no_id"),
    ]


def test_a_contact_is_its_list_form(pull: Pulls, rocs: Rocs) -> None:
    rocs.hold(CONTACTS, [KARI])

    pull(ROCS_CONTACTS)

    assert pull.table("contacts") == [STORED]
    assert rocs.dynamic_requests() == []


@pytest.mark.parametrize("rocs_settings", [{}, {"contacts_mode": "lookup"}])
def test_named_contacts_are_looked_up_by_their_id(
    pull: Pulls, vendors: Vendors, rocs: Rocs, rocs_settings: Row
) -> None:
    rocs.hold(CONTACTS, [KARI, {"id": 8}])
    settings = vendors.settings(rocs=rocs_settings)

    report = pull(ROCS_CONTACTS, "7", "404", settings=settings)

    assert sorted(rocs.lookups()) == [("id", "404"), ("id", "7")]
    assert rocs.pages(CONTACTS) == []
    assert pull.table("contacts") == [STORED]
    row = report.row
    assert (row["scopes_total"], row["scopes_read"], row["scopes_incomplete"]) == (2, 2, 1)
    assert row["is_complete"] is False
    assert "404" not in pull.watermarks(ROCS_CONTACTS)
    assert pull(ROCS_CONTACTS, "7", settings=settings).row["is_complete"] is True
    assert pull.rows("SELECT * FROM ops.contact_registry") == []


@pytest.fixture
def dynamic(vendors: Vendors) -> Settings:
    """Return settings with dynamic fields."""
    return vendors.settings(rocs={"dynamic_path": DYNAMIC})


def with_fields(fields: object) -> Row:
    attributes = STORED["attributes"]
    assert isinstance(attributes, dict)
    return STORED | {"attributes": attributes | {"dynamic_fields": fields}}


def test_dynamic_fields_are_read_for_what_is_new_changed_stale_or_asked_for(
    pull: Pulls, rocs: Rocs, dynamic: Settings
) -> None:
    rocs.hold(CONTACTS, [KARI, {"id": 8, "firstname": "Ola"}])
    rocs.dynamic = {"7": {"tier": "Gold", "size": 42}, "8": {"tier": "Blue"}}

    first = pull(ROCS_CONTACTS, settings=dynamic)
    before = pull.versions("contacts")
    second = pull(ROCS_CONTACTS, settings=dynamic)

    assert (counts(first), counts(second)) == ({"inserted": 2}, {"unchanged": 2})
    assert rocs.dynamic_requests() == ["7", "8"]
    assert pull.versions("contacts") == before
    assert pull.table("contacts")[0] == with_fields({"tier": "Gold", "size": 42})
    row = first.row
    assert (row["scopes_total"], row["scopes_read"], row["is_complete"]) == (1, 1, True)

    rocs.lists[CONTACTS][1] = {"id": 8, "firstname": "Olav"}
    assert counts(pull(ROCS_CONTACTS, settings=dynamic)) == {"updated": 1, "unchanged": 1}
    assert rocs.dynamic_requests() == ["7", "8", "8"]

    rocs.dynamic["7"] = {"tier": "Silver"}
    pull.execute("UPDATE ops.watermarks SET proven_at = now() - interval '25 h' WHERE scope = '7'")
    assert counts(pull(ROCS_CONTACTS, settings=dynamic)) == {"updated": 1, "unchanged": 1}
    assert rocs.dynamic_requests() == ["7", "7", "8", "8"]
    assert pull.table("contacts")[0] == with_fields({"tier": "Silver"})

    assert counts(pull(ROCS_CONTACTS, settings=dynamic, is_full=True)) == {"unchanged": 2}
    assert rocs.dynamic_requests() == ["7", "7", "7", "8", "8", "8"]
    assert counts(pull(ROCS_CONTACTS, "7", settings=dynamic)) == {"unchanged": 1}
    assert rocs.dynamic_requests() == ["7"] * 4 + ["8"] * 3


def test_a_contact_without_dynamic_fields_has_none(
    pull: Pulls, rocs: Rocs, dynamic: Settings
) -> None:
    rocs.hold(CONTACTS, [KARI])

    reports = [pull(ROCS_CONTACTS, settings=dynamic) for _ in range(2)]

    assert pull.table("contacts") == [with_fields(None)]
    assert [counts(report) for report in reports] == [{"inserted": 1}, {"unchanged": 1}]
    assert rocs.dynamic_requests() == ["7"]


@pytest.mark.parametrize("answer", [Scripted(403), UNAVAILABLE, Scripted.json([1, 2])])
def test_dynamic_fields_that_cannot_be_had_are_asked_for_again_and_those_known_are_kept(
    pull: Pulls, rocs: Rocs, dynamic: Settings, answer: Scripted
) -> None:
    rocs.hold(CONTACTS, [KARI, {"id": 8}, {"id": 9}])
    rocs.dynamic = {"7": answer, "8": {}, "9": {}}

    first = pull(ROCS_CONTACTS, settings=dynamic)

    assert counts(first) == {"inserted": 3}
    assert pull.table("contacts")[0] == STORED
    assert (first.row["outcome"], first.row["is_complete"]) == ("succeeded", False)
    assert pull.watermarks(ROCS_CONTACTS)["7"][0] == "incomplete"

    rocs.dynamic["7"] = {"tier": "Gold"}
    second = pull(ROCS_CONTACTS, settings=dynamic)

    assert counts(second) == {"updated": 1, "unchanged": 2}
    assert pull.table("contacts")[0] == with_fields({"tier": "Gold"})
    assert second.row["is_complete"] is True

    rocs.dynamic["7"] = answer
    rocs.lists[CONTACTS][0] = KARI | {"firstname": "Karin"}
    third = pull(ROCS_CONTACTS, settings=dynamic)

    assert counts(third) == {"updated": 1, "unchanged": 2}
    assert pull.table("contacts")[0] == with_fields({"tier": "Gold"}) | {"first_name": "Karin"}

    rocs.dynamic["7"] = {"tier": "Blue"}
    assert counts(pull(ROCS_CONTACTS, settings=dynamic)) == {"updated": 1, "unchanged": 2}
    # An answer of another shape may be the only one of its kind: it is asked for once more.
    requests = 2 if answer.status == 200 else 1
    assert rocs.dynamic_requests() == ["7"] * (2 * requests + 2) + ["8", "9"]


def test_where_dynamic_fields_are_away_altogether_the_list_is_read_all_the_same(
    pull: Pulls, vendors: Vendors, rocs: Rocs
) -> None:
    rocs.page_size = 20
    rocs.hold(CONTACTS, numbered(100))
    rocs.dynamic = {str(number): UNAVAILABLE for number in range(1, 101)}
    settings = vendors.settings(rocs={"dynamic_path": DYNAMIC, "max_in_flight": 4})

    report = pull(ROCS_CONTACTS, settings=settings)

    assert counts(report) == {"inserted": 100, "duplicate": 20}
    assert (report.row["outcome"], report.row["is_complete"]) == ("succeeded", False)
    # They are not waited for one by one.
    assert len(rocs.dynamic_requests()) == 8

    rocs.dynamic = {str(number): {"n": number} for number in range(1, 101)}
    assert counts(pull(ROCS_CONTACTS, settings=settings)) == {"updated": 100, "duplicate": 20}
    kept = "SELECT count(*) FROM warehouse.contacts WHERE attributes ->> 'dynamic_fields' <> ''"
    assert pull.rows(kept) == [(100,)]


@pytest.mark.parametrize("answer", [Scripted(403), UNAVAILABLE])
def test_a_contact_that_is_looked_up_is_loaded_without_the_dynamic_fields_that_are_withheld(
    pull: Pulls, vendors: Vendors, rocs: Rocs, answer: Scripted
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    rocs.hold(CONTACTS, [KARI])
    settings = vendors.settings(rocs={"contacts_mode": "lookup", "dynamic_path": DYNAMIC})
    stored: list[Row] = []

    for held in (answer, {"tier": "Gold"}, answer):
        rocs.dynamic["7"] = held
        # By its own time, which comes as soon as that of any other.
        report = pull(ROCS_CONTACTS, settings=settings, due=Due(datetime.now(UTC) + A_WHILE))
        stored += [row for row in pull.table("contacts") if row["source"] == "rocs"]
        assert report.row["is_complete"] is (held is not answer)

    assert stored == [STORED, with_fields({"tier": "Gold"}), with_fields({"tier": "Gold"})]


@pytest.fixture
def lookup(vendors: Vendors) -> Settings:
    """Return settings of a ROCS that is asked for one contact after the other."""
    return vendors.settings(rocs={"contacts_mode": "lookup", "max_in_flight": 1})


def test_contacts_are_looked_up_by_external_id_then_email_then_phone(
    pull: Pulls, vendors: Vendors, rocs: Rocs, lookup: Settings
) -> None:
    vendors.hold_contacts("a", "b", "c", "d")
    vendors.hold_contact("b", {"id": "b", "email_address": "b@example.com"})
    phone = {"country_code": "NOR", "number": "40612345"}
    vendors.hold_contact("c", {"id": "c", "email_address": "c@example.com", "phone": phone})
    pull(CRMCOM_CONTACTS)
    before = pull.rows("SELECT * FROM ops.contact_registry ORDER BY 1")
    found = [KARI, {"id": 8, "email": "b@example.com"}, {"id": 9, "phoneMobile": "+4740612345"}]
    rocs.hold(CONTACTS, found)

    report = pull(ROCS_CONTACTS, settings=lookup)

    assert rocs.lookups() == [
        *[("externalId", "a"), ("externalId", "b"), ("email", "b@example.com")],
        *[("externalId", "c"), ("email", "c@example.com"), ("mobile", "+4740612345")],
        ("externalId", "d"),
    ]
    assert rocs.pages(CONTACTS) == []
    assert counts(report) == {"inserted": 3}
    assert pull.table("contacts")[-3:] == [
        STORED,
        {"source": "rocs", "contact_id": "8", "email": "b@example.com", "attributes": {}},
        {"source": "rocs", "contact_id": "9", "phone": "+4740612345", "attributes": {}},
    ]
    # That ROCS does not know one of them is no gap.
    assert pull.watermarks(ROCS_CONTACTS) == dict.fromkeys("abcd", ORDER)
    row = report.row
    assert (row["scopes_total"], row["scopes_read"], row["is_complete"]) == (4, 4, True)
    assert pull.rows("SELECT * FROM ops.contact_registry ORDER BY 1") == before
    waits = pull.rows(
        "SELECT scope, due_at - read_at FROM ops.watermarks "
        "WHERE source = 'rocs' AND scope IN ('a', 'd') ORDER BY 1"
    )
    assert waits[0][1] <= timedelta(minutes=15)
    assert waits[1] == ("d", timedelta(days=1))


def test_a_contact_that_was_found_before_is_looked_up_by_its_id_first(
    pull: Pulls, vendors: Vendors, rocs: Rocs, lookup: Settings
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    rocs.hold(CONTACTS, [KARI])
    pull(ROCS_CONTACTS, settings=lookup)

    assert counts(pull(ROCS_CONTACTS, settings=lookup)) == {"unchanged": 1}
    assert rocs.lookups() == [("externalId", "a"), ("id", "7")]

    rocs.hold(CONTACTS, [KARI | {"id": 70}])
    assert counts(pull(ROCS_CONTACTS, settings=lookup)) == {"inserted": 1}
    # Once more in the end: what is asked for twice in vain is gone.
    assert rocs.lookups()[2:] == [("id", "7"), ("externalId", "a"), ("id", "7")]


def test_one_lookup_that_fails_stops_no_other_and_says_nothing_of_crmcom(
    pull: Pulls, vendors: Vendors, rocs: Rocs, lookup: Settings
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull(CRMCOM_CONTACTS)
    before = pull.rows("SELECT * FROM ops.contact_registry ORDER BY 1")
    rocs.hold(CONTACTS, [KARI])

    def deny(request: Received) -> Scripted | None:
        return Scripted(403) if request.query.get("externalId") == "b" else None

    rocs.stands_in = deny

    report = pull(ROCS_CONTACTS, settings=lookup)

    assert pull.watermarks(ROCS_CONTACTS)["b"] == ("incomplete", "denied")
    assert (counts(report), report.row["is_complete"]) == ({"inserted": 1}, False)
    assert pull.rows("SELECT * FROM ops.contact_registry ORDER BY 1") == before


def test_lookups_are_no_more_complete_than_the_ids_that_they_start_from(
    pull: Pulls, vendors: Vendors, lookup: Settings
) -> None:
    assert pull(ROCS_CONTACTS, settings=lookup).row["is_complete"] is False

    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)

    assert pull(ROCS_CONTACTS, settings=lookup).row["is_complete"] is True


def test_ids_come_from_the_external_ids_of_rocs_and_are_proven_as_its_list_is(
    pull: Pulls, vendors: Vendors, rocs: Rocs
) -> None:
    vendors.hold_contacts("a", "b", "c")
    settings = vendors.settings(crmcom={"contact_ids": "rocs", "backoffice_url": None})
    rocs.page_size = 2
    rocs.hold(CONTACTS, [KARI, {"id": 8, "externalId": ""}, {"id": 9, "externalId": "b"}])
    rocs.lists[CONTACTS].append({"id": 10, "externalId": "x" * 1001})
    registered = "SELECT contact_id, origin, access FROM ops.contact_registry ORDER BY 1"

    before = pull(CRMCOM_CONTACTS, settings=settings)
    assert pull.watermarks(CRMCOM_CONTACTS) == {
        "": ("incomplete", "the list that names the ids is not proven")
    }
    pull(ROCS_CONTACTS, settings=settings)
    after = pull(CRMCOM_CONTACTS, settings=settings)
    assert pull.rows(registered) == [("a", "rocs", "granted"), ("b", "rocs", "granted")]

    rocs.page_size = 100
    rocs.lists[CONTACTS].append({"id": 11, "externalId": "c"})
    pull(ROCS_CONTACTS, settings=settings)
    proven = pull(CRMCOM_CONTACTS, settings=settings)

    assert [r.row["is_complete"] for r in (before, after, proven)] == [False, True, True]
    assert pull.rows(registered) == [(name, "rocs", "granted") for name in "abc"]
    assert pull.watermarks(CRMCOM_CONTACTS)[""] == ORDER
    assert pull(CRMCOM_COMMUNICATIONS, settings=settings).row["is_complete"] is True
