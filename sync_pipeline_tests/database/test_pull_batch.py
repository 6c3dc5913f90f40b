"""Batches: what each reading of a row counts as, and that a batch is all or nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from sync_pipeline.entities import (
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CONTACT_LISTS,
    ROSAAS_TENANTS,
)
from sync_pipeline.errors import WarehouseError
from sync_pipeline_tests.pull_rocs import LISTS
from sync_pipeline_tests.pull_vendors import (
    DENIED,
    NOT_FOUND,
    REFUSED,
    UNAVAILABLE,
    WRONG_ANSWER,
    Row,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received

KEYLESS = b'{"subject":"whose is it?"}'


def incompressible_text() -> str:
    """Return more text than an index of PostgreSQL takes."""
    return "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(250))


def message(number: int, subject: str = "Hello") -> Row:
    return {"id": f"m-{number}", "subject": subject, "created_on": 1_700_000_000 + number}


def test_rows_read_is_the_sum_of_its_parts_for_a_mixture(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", [message(1), message(2)])
    pull(CRMCOM_CONTACTS)
    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 2}

    vendors.hold_communications(
        "a",
        [message(1), message(2, "Changed"), message(3), message(3), KEYLESS, KEYLESS],
    )
    # A row that already hangs under another contact, in the same batch.
    vendors.hold_communications("b", [message(4), message(3)])
    report = pull(CRMCOM_COMMUNICATIONS)

    assert counts(report) == {
        "inserted": 2,
        "updated": 1,
        "unchanged": 1,
        "duplicate": 3,
        "quarantined": 1,
    }
    assert pull.rows(
        "SELECT communication_id, subject FROM warehouse.communications ORDER BY 1"
    ) == [
        ("m-1", "Hello"),
        ("m-2", "Changed"),
        ("m-3", "Hello"),
        ("m-4", "Hello"),
    ]
    assert pull.rows("SELECT communication_id, subject FROM warehouse.communications_history") == [
        ("m-2", "Hello")
    ]
    assert pull.rows("SELECT record_id, error_code, payload_raw FROM ops.quarantine") == [
        (None, "no_id", KEYLESS)
    ]


def test_what_breaks_the_contract_is_kept_aside_and_settled_once_it_is_sound(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_contact("a", {"id": "another"})
    vendors.hold_contact("b", b'{"id":"b","balance":1e99999}')

    assert counts(pull(CRMCOM_CONTACTS)) == {"inserted": 1, "quarantined": 2}
    kept = "SELECT record_id, error_code, resolution FROM ops.quarantine ORDER BY 1"
    assert pull.rows(kept) == [("a", "foreign_id", None), ("b", "bad_number", None)]

    vendors.hold_contacts("a", "b", "c")

    assert counts(pull(CRMCOM_CONTACTS)) == {"inserted": 2, "unchanged": 1}
    assert pull.rows(kept) == [("a", "foreign_id", "loaded"), ("b", "bad_number", "loaded")]


def test_a_record_that_turns_back_into_what_is_stored_settles_its_defect(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("a", {"id": "another"})
    assert counts(pull(CRMCOM_CONTACTS)) == {"quarantined": 1}
    vendors.hold_contacts("a")

    assert counts(pull(CRMCOM_CONTACTS)) == {"unchanged": 1}
    assert pull.rows("SELECT resolution FROM ops.quarantine") == [("loaded",)]


def test_an_unchanged_world_is_read_without_a_write(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_tenants({"systemName": "acme", "status": 7})
    vendors.hold_communications("a", [message(1)])
    tables = ("contacts", "communications", "tenants")
    streams = (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS, ROSAAS_TENANTS)
    for stream in streams:
        pull(stream)
    versions = [pull.rows(f"SELECT xmin::text, * FROM warehouse.{t}") for t in tables]

    assert [counts(pull(stream)) for stream in streams] == [
        {"unchanged": 2},
        {"unchanged": 1},
        {"unchanged": 1},
    ]
    # Also when nothing is dropped by its bytes: the content decides.
    assert [counts(pull(stream, is_full=True)) for stream in streams] == [
        {"unchanged": 2},
        {"unchanged": 1},
        {"unchanged": 1},
    ]
    assert [pull.rows(f"SELECT xmin::text, * FROM warehouse.{t}") for t in tables] == versions


def test_a_database_error_in_the_middle_leaves_nothing_of_the_batch(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    pull.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'no more of these';
        END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON ops.sync_runs
        FOR EACH ROW WHEN (new.rows_read > old.rows_read) EXECUTE FUNCTION refuse();
        """
    )

    with pytest.raises(WarehouseError, match="refused a statement"):
        pull(CRMCOM_CONTACTS)

    assert pull.rows("SELECT * FROM warehouse.contacts") == []
    assert pull.rows("SELECT DISTINCT access FROM ops.contact_registry") == [("unknown",)]
    # The list of ids is a batch of its own, and was committed before.
    assert pull.watermarks(CRMCOM_CONTACTS) == {"": ("single_response", None)}
    assert pull.last_run("outcome", "rows_read", "scopes_read", "is_complete") == (
        "failed",
        0,
        0,
        False,
    )

    pull.execute("DROP TRIGGER refuse ON ops.sync_runs")
    assert counts(pull(CRMCOM_CONTACTS)) == {"inserted": 3}


@pytest.mark.parametrize("poisoned", [[2], [0, 6], [0, 1, 2, 3, 4, 5, 6]])
def test_what_postgresql_cannot_hold_is_found_and_takes_no_other_row_along(
    pull: Pulls, vendors: Vendors, poisoned: list[int]
) -> None:
    # There is an index on the address.
    address = incompressible_text() + "@example.com"
    names = [f"c-{number}" for number in range(7)]
    vendors.hold_contacts(*names)
    for number in poisoned:
        vendors.hold_contact(names[number], {"id": names[number], "email_address": address})

    report = pull(CRMCOM_CONTACTS)

    sound = [name for number, name in enumerate(names) if number not in poisoned]
    assert counts(report) == {"quarantined": len(poisoned)} | (
        {"inserted": len(sound)} if sound else {}
    )
    assert pull.rows("SELECT contact_id FROM warehouse.contacts ORDER BY 1") == [
        (name,) for name in sound
    ]
    kept = pull.rows("SELECT record_id, error_code, payload_raw, reason FROM ops.quarantine")
    assert sorted(row[0] for row in kept) == [names[number] for number in poisoned]
    assert {row[1] for row in kept} == {"unstorable"}
    assert all(json.loads(row[2])["email_address"] == address for row in kept)
    assert not any(address[:50] in row[3] for row in kept)
    assert report.row["is_complete"] is True


def test_an_unstorable_row_is_found_among_those_of_one_list(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    pull.execute("CREATE INDEX communications_by_subject ON warehouse.communications (subject)")
    subject = incompressible_text()
    vendors.hold_communications("a", [message(1), message(2, subject), message(3), KEYLESS])
    vendors.hold_communications("b", [message(4)])

    assert counts(pull(CRMCOM_COMMUNICATIONS)) == {"inserted": 3, "quarantined": 2}
    assert pull.rows("SELECT record_id, error_code FROM ops.quarantine ORDER BY 1") == [
        ("m-2", "unstorable"),
        (None, "no_id"),
    ]


def test_numbers_of_absurd_size_in_a_tenants_metadata_load_or_are_kept_aside(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "big"}, {"systemName": "zeta"})
    absurd = json.dumps({"n": 1}).replace("1", "1e200000")
    vendors.hold_detail("big", {"systemName": "big", "metadata": absurd})

    report = pull(ROSAAS_TENANTS)

    stored = {name for (name,) in pull.rows("SELECT tenant_name FROM warehouse.tenants")}
    kept = {name for (name,) in pull.rows("SELECT record_id FROM ops.quarantine")}
    assert stored | kept == {"acme", "big", "zeta"}
    assert stored >= {"acme", "zeta"}
    assert sum(counts(report).values()) == 3


def test_readings_given_up_end_as_watermarks_with_reason_time_and_access(
    pull: Pulls, vendors: Vendors
) -> None:
    answers = {
        "denied": DENIED,
        "missing": NOT_FOUND,
        "wrong": WRONG_ANSWER,
        "refused": REFUSED,
        "away": UNAVAILABLE,
    }
    vendors.hold_contacts(*answers, *(f"c-{number}" for number in range(10)))
    for contact_id, answer in answers.items():
        vendors.hold_contact(contact_id, answer)

    report = pull(CRMCOM_CONTACTS)

    marks = pull.watermarks(CRMCOM_CONTACTS)
    assert {name: marks[name] for name in answers} == {
        "denied": ("incomplete", "denied"),
        "missing": ("incomplete", "not found"),
        "wrong": ("incomplete", "wrong answer"),
        "refused": ("incomplete", "request refused"),
        "away": ("incomplete", "unavailable"),
    }
    waits = dict(pull.rows("SELECT scope, due_at - read_at FROM ops.watermarks"))
    soon = waits["c-0"]
    assert timedelta(0) < soon <= timedelta(minutes=15)
    assert {name: waits[name] for name in answers} == {
        "denied": timedelta(days=7),
        "missing": timedelta(days=1),
        "wrong": soon,
        "refused": soon,
        "away": soon,
    }
    access = dict(pull.rows("SELECT contact_id, access FROM ops.contact_registry"))
    assert {name: access[name] for name in (*answers, "c-0")} == {
        "denied": "denied",
        "missing": "missing",
        "wrong": "unknown",
        "refused": "unknown",
        "away": "unknown",
        "c-0": "granted",
    }
    assert counts(report) == {"inserted": 10}
    row = report.row
    assert (row["scopes_read"], row["scopes_incomplete"], row["scopes_denied"]) == (15, 5, 1)
    assert (row["outcome"], row["is_complete"]) == ("succeeded", False)


def test_a_defect_that_a_later_page_corrects_is_settled_by_the_next_reading(
    pull: Pulls, vendors: Vendors
) -> None:
    rocs = vendors.rocs
    rocs.page_size = 2
    broken: list[Row | bytes] = [b'{"id":1,"n":1e99999}', *[{"id": n} for n in range(2, 7)]]
    rocs.hold(LISTS, broken)

    def correct(request: Received) -> None:
        if request.query.get("page") == "2":
            rocs.lists[LISTS][0] = {"id": 1}

    rocs.stands_in = correct

    assert counts(pull(ROCS_CONTACT_LISTS)) == {"inserted": 5, "quarantined": 1, "duplicate": 2}
    loaded = "SELECT CAST(list_id AS integer) FROM warehouse.contact_lists ORDER BY 1"
    assert pull.rows(loaded) == [(n,) for n in range(1, 7)]

    pull(ROCS_CONTACT_LISTS)

    assert pull.rows("SELECT record_id, resolution FROM ops.quarantine") == [("1", "loaded")]
