"""Communications of CRM.COM: what the list of v1 leaves out is read once and never lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.errors import WrongAnswerError
from sync_pipeline_tests.pull_vendors import (
    COMMUNICATIONS,
    DENIED,
    LOGINS,
    NOT_FOUND,
    REFUSED,
    UNAUTHORISED,
    UNAVAILABLE,
    WRONG_ANSWER,
    Row,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted

CREATED = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
LISTED: Row = {
    "id": "m-1",
    "contact_id": "a",
    "life_cycle_state": "COMPLETED",
    "channel": "INAPP",
    "is_viewed": False,
    "subject": "Hello",
    "clicked_on": 1,
}
DETAIL: Row = {
    "life_cycle_state": "COMPLETED",
    "contact": {"id": "a", "name": "Anna", "code": "7"},
    "channel": "INAPP",
    "is_viewed": False,
    "subject": "Hello",
    "clicked_on": 1,
    "created_on": 1_700_000_000,
    "title": "News",
    "subtitle": "for you",
    "in_app_click_link_url": "https://example.com/?a=1&b=2",
    "in_app_image_url": "https://example.com/i.png",
}
STORED: Row = {
    "source": "crmcom",
    "communication_id": "m-1",
    "contact_id": "a",
    "state": "COMPLETED",
    "channel": "INAPP",
    "is_viewed": False,
    "subject": "Hello",
    "source_created_at": CREATED,
    "attributes": {
        "clicked_on": 1,
        "contact": {"name": "Anna", "code": "7"},
        "title": "News",
        "subtitle": "for you",
        "in_app_click_link_url": "https://example.com/?a=1&b=2",
        "in_app_image_url": "https://example.com/i.png",
    },
}
BARE = {
    name: value for name, value in STORED.items() if name not in {"source_created_at", "attributes"}
} | {"attributes": {"clicked_on": 1}}


def hold(vendors: Vendors, *listed: Row | bytes) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", listed)


def test_a_row_is_its_list_form_overlaid_by_its_detail_which_is_read_once(
    pull: Pulls, vendors: Vendors
) -> None:
    hold(vendors, LISTED)
    vendors.hold_message("m-1", DETAIL)

    first = pull(CRMCOM_COMMUNICATIONS)
    before = pull.versions("communications")
    again = [
        pull(CRMCOM_COMMUNICATIONS),
        pull(CRMCOM_COMMUNICATIONS, is_full=True),
        pull(CRMCOM_COMMUNICATIONS, "a"),
        pull(CRMCOM_COMMUNICATIONS, "a", is_full=True),
    ]

    assert counts(first) == {"inserted": 1}
    assert [counts(report) for report in again] == [{"unchanged": 1}] * 4
    assert pull.table("communications") == [STORED]
    assert pull.versions("communications") == before
    assert vendors.message_requests() == ["m-1"]


def test_only_what_is_new_is_asked_for_by_a_targeted_pull_and_by_a_sweep(
    pull: Pulls, vendors: Vendors
) -> None:
    hold(vendors, LISTED)
    vendors.hold_message("m-1", DETAIL)
    pull(CRMCOM_COMMUNICATIONS, "a")
    vendors.hold_communications("a", [LISTED, LISTED | {"id": "m-2"}])
    vendors.hold_message("m-2", DETAIL | {"id": "m-2"})

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 1, "unchanged": 1}

    assert vendors.message_requests() == ["m-1", "m-2"]
    assert pull.table("communications") == [STORED, STORED | {"communication_id": "m-2"}]


def test_a_change_in_the_list_makes_one_version_that_keeps_what_the_detail_said(
    pull: Pulls, vendors: Vendors
) -> None:
    hold(vendors, LISTED)
    vendors.hold_message("m-1", DETAIL)
    pull(CRMCOM_COMMUNICATIONS)
    vendors.hold_communications("a", [LISTED | {"is_viewed": True, "viewed_on": 1_700_000_060}])

    reports = [pull(CRMCOM_COMMUNICATIONS, is_full=full) for full in (False, False, True)]

    assert [counts(report) for report in reports] == [
        {"updated": 1},
        {"unchanged": 1},
        {"unchanged": 1},
    ]
    viewed = {"is_viewed": True, "viewed_at": datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)}
    assert pull.table("communications") == [STORED | viewed]
    history = pull.table("communications_history")
    bounds = {"valid_from", "valid_to"}
    assert [{n: v for n, v in row.items() if n not in bounds} for row in history] == [STORED]
    assert vendors.message_requests() == ["m-1"]


def test_what_the_list_comes_to_say_itself_wins_over_what_is_recalled(
    pull: Pulls, vendors: Vendors
) -> None:
    hold(vendors, LISTED)
    vendors.hold_message("m-1", DETAIL)
    pull(CRMCOM_COMMUNICATIONS)
    clicked = LISTED | {"title": "Corrected", "clicked_on": 1_700_000_000}
    vendors.hold_communications("a", [clicked])

    pull(CRMCOM_COMMUNICATIONS)

    (row,) = pull.table("communications")
    assert row["clicked_at"] == CREATED
    assert row["attributes"] == {
        name: value for name, value in STORED["attributes"].items() if name != "clicked_on"
    } | {"title": "Corrected"}


@pytest.mark.parametrize(
    "said",
    [
        {"created_on": 1_700_000_000_123},
        {"created_on": 1_700_000_000.123456},
        {"created_on": "1700000000"},
        {"created_on": 253_402_300_799_000},
        {"created_on": 0},
        {"created_on": "soon"},
        {"created_on": "17000\x0000"},
        {"created_on": None},
        {"title": "a\x00b", "subtitle": "\\u0000", "in_app_image_url": "ø\u2028😀"},
        {"title": ["deep", {"x\x00y": 1.50, "n": None}], "undocumented": {"z": 1, "a": [2.0]}},
        {"title": "", "in_app_click_link_url": None},
    ],
)
def test_whatever_the_detail_says_is_recalled_exactly(
    pull: Pulls, vendors: Vendors, said: Row
) -> None:
    hold(vendors, LISTED)
    vendors.hold_message("m-1", DETAIL | said)
    pull(CRMCOM_COMMUNICATIONS)
    before = pull.table("communications")

    assert counts(pull(CRMCOM_COMMUNICATIONS, is_full=True)) == {"unchanged": 1}

    vendors.hold_communications("a", [LISTED | {"is_viewed": True}])
    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"updated": 1}
    assert pull.table("communications") == [before[0] | {"is_viewed": True}]
    assert counts(pull(CRMCOM_COMMUNICATIONS, is_full=True)) == {"unchanged": 1}
    assert vendors.message_requests() == ["m-1"]


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (Scripted.json({"message": "no"}, 404), 1),
        (NOT_FOUND, 1),
        (DENIED, 1),
        (REFUSED, 1),
        # What is odd may be so only once: it is asked for a second time at once.
        (WRONG_ANSWER, 2),
    ],
)
def test_a_detail_that_cannot_be_had_is_asked_for_again_and_disturbs_no_other_row(
    pull: Pulls, vendors: Vendors, answer: Scripted, asked: int
) -> None:
    hold(vendors, LISTED, LISTED | {"id": "m-2"})
    vendors.hold_message("m-1", answer)
    vendors.hold_message("m-2", DETAIL)

    first, second = pull(CRMCOM_COMMUNICATIONS), pull(CRMCOM_COMMUNICATIONS)

    whole = STORED | {"communication_id": "m-2"}
    assert (counts(first), counts(second)) == ({"inserted": 2}, {"unchanged": 2})
    assert pull.table("communications") == [BARE, whole]
    assert vendors.message_requests() == [*["m-1"] * 2 * asked, "m-2"]
    assert [r.row["is_complete"] for r in (first, second)] == [True, True]

    vendors.hold_message("m-1", DETAIL)

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"updated": 1, "unchanged": 1}
    assert pull.table("communications") == [STORED, whole]
    in_all = [*["m-1"] * (2 * asked + 1), "m-2"]
    assert vendors.message_requests() == in_all
    pull(CRMCOM_COMMUNICATIONS)
    assert vendors.message_requests() == in_all


def test_a_detail_that_answers_401_disturbs_no_other_row(pull: Pulls, vendors: Vendors) -> None:
    hold(vendors, LISTED, LISTED | {"id": "m-2"})
    vendors.hold_message("m-1", UNAUTHORISED)
    vendors.hold_message("m-2", DETAIL)

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 2}

    assert pull.table("communications") == [BARE, STORED | {"communication_id": "m-2"}]


def test_a_detail_that_is_unavailable_leaves_what_the_list_says_and_the_contact_incomplete(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_communications("a", [LISTED])
    vendors.hold_message("m-1", UNAVAILABLE)

    report = pull(CRMCOM_COMMUNICATIONS)

    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {
        "a": ("incomplete", "unavailable"),
        "b": ("single_response", None),
        "c": ("single_response", None),
    }
    assert report.row["is_complete"] is False
    assert pull.table("communications") == [BARE]
    vendors.hold_message("m-1", DETAIL)

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"updated": 1}
    assert pull.table("communications") == [STORED]


def test_a_detail_of_another_communication_is_kept_aside_as_received(
    pull: Pulls, vendors: Vendors
) -> None:
    listed = json.dumps(LISTED).encode()
    detail = b'{"id": "m-9",  "title":"whose?"}'
    hold(vendors, listed, LISTED | {"id": "m-2"})
    vendors.hold_message("m-1", detail)
    vendors.hold_message("m-2", DETAIL)

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 1, "quarantined": 1}

    assert pull.table("communications") == [STORED | {"communication_id": "m-2"}]
    kept = "SELECT record_id, error_code, payload_raw, resolution FROM ops.quarantine"
    assert pull.rows(kept) == [("m-1", "foreign_id", b"[" + listed + b"," + detail + b"]", None)]

    vendors.hold_message("m-1", DETAIL)

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 1, "unchanged": 1}
    assert [row[-1] for row in pull.rows(kept)] == ["loaded"]


def test_a_subject_of_that_name_is_no_creation_time(pull: Pulls, vendors: Vendors) -> None:
    listed = LISTED | {"subject": "created_on"}
    hold(vendors, listed)
    vendors.hold_message("m-1", DETAIL | {"subject": "created_on"})

    pull(CRMCOM_COMMUNICATIONS)

    assert pull.table("communications") == [STORED | {"subject": "created_on"}]


def test_a_login_that_breaks_between_list_and_detail_fails_the_run(
    pull: Pulls, vendors: Vendors
) -> None:
    hold(vendors, LISTED)

    def expire(_request: Received) -> Scripted:
        vendors.server.script("POST", LOGINS[0], WRONG_ANSWER)
        return UNAUTHORISED

    vendors.server.respond("GET", f"{COMMUNICATIONS}/m-1", expire)

    with pytest.raises(WrongAnswerError):
        pull(CRMCOM_COMMUNICATIONS)

    assert pull.table("communications") == []


def test_v2_says_all_in_its_list(pull: Pulls, vendors: Vendors) -> None:
    row = LISTED | {"created_on": 1_700_000_000, "title": "News"}
    hold(vendors, row, {name: v for name, v in row.items() if name != "created_on"} | {"id": "m-2"})

    pull(CRMCOM_COMMUNICATIONS, settings=vendors.v2())

    assert vendors.message_requests() == []
    attributes = {"clicked_on": 1, "title": "News"}
    plain = BARE | {"attributes": attributes}
    assert pull.table("communications") == [
        plain | {"source_created_at": CREATED},
        plain | {"communication_id": "m-2"},
    ]


def test_a_contact_whose_own_login_is_refused_is_denied_and_no_other(
    pull: Pulls, vendors: Vendors, tmp_path: Path
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_communications("a", [LISTED])
    vendors.hold_message("m-1", DETAIL)
    file = tmp_path / "contacts.csv"
    file.write_text("contact_id,username,password\na,anna,pw-a\nb,berta,pw-b\nc,carl,pw-c\nd\n")

    def log_in(request: Received) -> Scripted:
        body = json.loads(request.body)
        is_right = body["username"] != "berta"
        return Scripted.json({"access_token": body["username"]}) if is_right else UNAUTHORISED

    vendors.server.respond("POST", LOGINS[0], log_in)
    own = {"auth": "per_contact", "username": None, "password": None}
    settings = vendors.settings(contacts_file=file, crmcom=own)

    contacts = pull(CRMCOM_CONTACTS, settings=settings)
    messages = pull(CRMCOM_COMMUNICATIONS, settings=settings)

    marks = {
        "a": ("single_response", None),
        "b": ("incomplete", "denied"),
        "c": ("single_response", None),
        "d": ("incomplete", "denied"),
    }
    assert pull.watermarks(CRMCOM_CONTACTS) == marks | {"": ("single_response", None)}
    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == marks
    assert pull.rows("SELECT contact_id, access FROM ops.contact_registry ORDER BY 1") == [
        ("a", "granted"),
        ("b", "denied"),
        ("c", "granted"),
        ("d", "denied"),
    ]
    assert (counts(contacts), counts(messages)) == ({"inserted": 2}, {"inserted": 1})
    assert pull.table("communications") == [STORED]
    for report in (contacts, messages):
        assert (report.row["is_complete"], report.row["scopes_denied"]) == (False, 2)
