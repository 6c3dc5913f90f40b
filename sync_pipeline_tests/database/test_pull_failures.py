"""What goes wrong while a run reads: what fails it, what does not, and what stays loaded."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.errors import (
    CredentialRefusedError,
    IdentityCannotReadError,
    SyncError,
    TransientSourceError,
    WarehouseError,
    WrongAnswerError,
)
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import (
    BACKOFFICE,
    DENIED,
    LOGINS,
    NOT_FOUND,
    SELF_SERVICE,
    UNAUTHORISED,
    UNAVAILABLE,
    WRONG_ANSWER,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted
from sync_pipeline_tests.waiting import eventually

ALONE = {"max_in_flight": 1}


def numbered(many: int) -> list[str]:
    return [f"c-{number:03}" for number in range(many)]


def test_twenty_denials_at_the_start_fail_the_run_and_explain_the_authentication(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(40))
    for contact_id in numbered(40):
        vendors.hold_contact(contact_id, DENIED)

    with pytest.raises(IdentityCannotReadError, match="CRMCOM_AUTH=service") as raised:
        pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom=ALONE))

    assert vendors.contact_requests() == numbered(20)
    assert pull.last_run("outcome", "error", "is_complete", "scopes_denied") == (
        "failed",
        str(raised.value),
        False,
        20,
    )
    # They wait for a week; the others are as due as they were.
    assert set(pull.watermarks(CRMCOM_CONTACTS)) == {"", *numbered(20)}


def test_more_than_half_denied_fail_the_run_after_all_others_were_loaded(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(9))
    for contact_id in numbered(5):
        vendors.hold_contact(contact_id, DENIED)

    with pytest.raises(IdentityCannotReadError, match="5 of 9 contacts"):
        pull(CRMCOM_CONTACTS)

    assert pull.last_run("outcome", "rows_inserted", "scopes_read") == ("failed", 4, 9)


def test_a_run_that_fails_says_what_it_asked_for(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a")
    vendors.hold_contact("a", WRONG_ANSWER)

    with pytest.raises(WrongAnswerError):
        pull(CRMCOM_CONTACTS)

    assert pull.last_run("outcome", "requests", "retries") == (
        "failed",
        len(vendors.server.received),
        # An answer of another shape may be the only one of its kind: it was asked for once more.
        1,
    )
    (bytes_read,) = pull.last_run("bytes_read")
    assert isinstance(bytes_read, int)
    assert bytes_read > 0


def test_a_run_that_fails_while_it_is_planned_says_so_too(pull: Pulls, vendors: Vendors) -> None:
    vendors.server.script("GET", BACKOFFICE, WRONG_ANSWER)

    with pytest.raises(WrongAnswerError):
        pull(CRMCOM_CONTACTS)

    assert pull.last_run("outcome", "requests") == ("failed", len(vendors.server.received))


def test_five_unavailable_in_a_row_fail_the_run_and_keep_what_came_before(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(30))
    for contact_id in numbered(30)[10:]:
        vendors.hold_contact(contact_id, UNAVAILABLE)

    with pytest.raises(TransientSourceError, match="500"):
        pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom=ALONE))

    assert vendors.contact_requests() == numbered(15)
    assert pull.last_run("outcome", "rows_inserted", "scopes_read") == ("failed", 10, 15)


@pytest.mark.parametrize("answer", [DENIED, NOT_FOUND, WRONG_ANSWER, UNAVAILABLE])
def test_one_poisoned_contact_stops_no_other_now_or_later(
    pull: Pulls, vendors: Vendors, answer: Scripted
) -> None:
    vendors.hold_contacts(*numbered(6))
    vendors.hold_contact("c-000", answer)
    settings, began = vendors.settings(crmcom=ALONE), pull.began()

    # One contact a run. Alone in its run it may fail that one, and is then no longer due.
    for _ in range(6):
        with contextlib.suppress(SyncError):
            pull(CRMCOM_CONTACTS, settings=settings, slice_s=0, as_of=began)

    again = numbered(6)[:1] if answer is WRONG_ANSWER else []
    assert sorted(vendors.contact_requests()) == sorted([*again, *numbered(6)])
    assert pull.rows("SELECT contact_id FROM warehouse.contacts ORDER BY 1") == [
        (contact_id,) for contact_id in numbered(6)[1:]
    ]


def test_one_contact_that_answers_401_stops_no_other_now_or_later(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(30))
    poisoned, *others = numbered(30)
    vendors.hold_contact(poisoned, UNAUTHORISED)

    reports = [pull(CRMCOM_CONTACTS) for _ in range(2)]

    assert [report.row["outcome"] for report in reports] == ["succeeded", "succeeded"]
    assert sorted(pull.rows("SELECT contact_id FROM warehouse.contacts")) == sorted(
        (contact_id,) for contact_id in others
    )
    assert pull.watermarks(CRMCOM_CONTACTS)[poisoned] == ("incomplete", "request refused")


def test_a_broken_login_fails_the_run_at_once(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts(*numbered(30))
    vendors.server.script("POST", LOGINS[0], WRONG_ANSWER)

    with pytest.raises(WrongAnswerError):
        pull(CRMCOM_CONTACTS)

    assert vendors.contact_requests() == []


def test_a_slip_in_a_named_id_leaves_no_trace(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a")
    vendors.hold_contact("slip", NOT_FOUND)
    pull(CRMCOM_CONTACTS)
    before = pull.watermarks(CRMCOM_CONTACTS)

    report = pull(CRMCOM_CONTACTS, "slip")

    assert report.row["scopes_incomplete"] == 1
    assert pull.watermarks(CRMCOM_CONTACTS) == before
    assert pull.rows("SELECT contact_id FROM ops.contact_registry") == [("a",)]


def test_contacts_that_are_not_found_never_fail_a_run(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts(*numbered(30))
    for contact_id in numbered(30):
        vendors.hold_contact(contact_id, NOT_FOUND)

    report = pull(CRMCOM_CONTACTS)

    assert (report.row["outcome"], report.row["is_complete"]) == ("succeeded", False)
    assert report.proofs == {"single_response": 1, "incomplete: not found": 30}


def test_a_refused_credential_stops_the_run_at_once(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts(*numbered(50))
    vendors.server.script("POST", LOGINS[0], UNAUTHORISED)

    with pytest.raises(CredentialRefusedError, match="CRMCOM_USERNAME"):
        pull(CRMCOM_CONTACTS)

    assert vendors.contact_requests() == []
    assert vendors.server.count("POST", LOGINS[0]) == 1
    assert pull.watermarks(CRMCOM_CONTACTS) == {"": ("single_response", None)}
    assert pull.last_run("outcome", "rows_read") == ("failed", 0)


def test_a_token_that_ends_in_the_middle_is_replaced_and_nobody_notices(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(30))
    valid = ["token-1"]
    answered: list[str] = []

    def log_in(_request: Received) -> Scripted:
        return Scripted.json({"access_token": valid[0]})

    def contact(request: Received) -> Scripted:
        if request.headers["authorization"] != f"Bearer {valid[0]}":
            return UNAUTHORISED
        contact_id = request.path.rpartition("/")[2]
        answered.append(contact_id)
        valid[0] = "token-2" if len(answered) >= 15 else "token-1"
        return Scripted.json({"id": contact_id})

    vendors.server.respond("POST", LOGINS[0], log_in)
    for contact_id in numbered(30):
        vendors.server.respond("GET", f"{SELF_SERVICE}/{contact_id}", contact)

    report = pull(CRMCOM_CONTACTS)

    assert counts(report) == {"inserted": 30}
    assert report.row["is_complete"] is True
    assert sorted(answered) == numbered(30)


def test_a_list_of_ids_that_cannot_be_read_fails_the_run_before_any_contact(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    vendors.ids = WRONG_ANSWER

    with pytest.raises(WrongAnswerError):
        pull(CRMCOM_COMMUNICATIONS)

    assert vendors.asked(BACKOFFICE) == 2
    assert vendors.contact_requests() == []
    assert pull.rows("SELECT * FROM ops.watermarks") == []


def test_a_connection_cut_in_the_middle_fails_the_run_and_keeps_its_earlier_batches(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts(*numbered(10))
    is_free = threading.Event()

    def late(_request: Received) -> Scripted:
        is_free.wait(30)
        return Scripted.json({"id": "c-009"})

    vendors.server.respond("GET", f"{SELF_SERVICE}/c-009", late)
    loaded = "SELECT count(*) FROM warehouse.contacts"

    def cut() -> None:
        eventually(lambda: pull.rows(loaded) == [(9,)])
        pull.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        is_free.set()

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(WarehouseError, match="the connection broke"):
        pull(CRMCOM_CONTACTS)
    cutter.join()

    outcome, error, inserted, read = pull.last_run(
        "outcome", "error", "rows_inserted", "scopes_read"
    )
    assert (outcome, inserted, read) == ("failed", 9, 9)
    assert "the connection broke" in error
    assert set(pull.watermarks(CRMCOM_CONTACTS)) == {"", *numbered(9)}

    assert counts(pull(CRMCOM_CONTACTS)) == {"inserted": 1, "unchanged": 9}


def test_a_load_that_fails_while_readers_wait_for_room_ends_the_run(
    pull: Pulls, vendors: Vendors
) -> None:
    # More than the queue holds, so that some are still to be handed over when loading fails.
    many = numbered(400)
    vendors.hold_contacts(*many)
    pull.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep(0.5);
            RAISE EXCEPTION 'no more of these';
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON warehouse.contacts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse();
        """
    )

    with pytest.raises(WarehouseError, match="refused a statement"):
        pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom={"max_in_flight": 64}))

    assert pull.last_run("outcome", "rows_read") == ("failed", 0)


@pytest.mark.parametrize(
    "answer", [b"{}", b'{"obfuscated_value":"s***","auth_otp":"1"}', b'{"data":{"id":"a"}}']
)
def test_an_answer_that_is_no_contact_replaces_none(
    pull: Pulls, vendors: Vendors, answer: bytes
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    names = "SELECT contact_id, first_name FROM warehouse.contacts ORDER BY 1"
    before = pull.rows(names)
    vendors.hold_contact("a", answer)

    assert counts(pull(CRMCOM_CONTACTS)) == {"unchanged": 1, "quarantined": 1}

    assert pull.rows(names) == before
    kept = "SELECT record_id, error_code, payload_raw FROM ops.quarantine WHERE resolved_at IS NULL"
    assert pull.rows(kept) == [("a", "unrecognised", answer)]


def test_who_was_denied_is_asked_again_at_once_by_a_full_pull(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_contact("a", DENIED)
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("a", {"id": "a", "first_name": "Name a"})
    vendors.forget_requests()

    pull(CRMCOM_CONTACTS)
    assert sorted(vendors.contact_requests()) == ["b", "c"]

    now = datetime.now(UTC)
    report = pull(CRMCOM_CONTACTS, is_full=True, due=Due(now, as_of=now, is_forced=True))
    assert counts(report) == {"inserted": 1, "unchanged": 2}
    assert report.row["is_complete"] is True
