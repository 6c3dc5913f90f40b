"""Replay: the record is read again, by itself where that is possible; kept bytes come last."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import (
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_COMMUNICATIONS,
    ROCS_CONTACTS,
    ROSAAS_PLANS,
    ROSAAS_TENANTS,
    Stream,
)
from sync_pipeline.errors import NotInQuarantineError
from sync_pipeline.operate.quarantine import replay
from sync_pipeline.records import Reject
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.quarantine import quarantine
from sync_pipeline.warehouse.quarantine_rows import Chosen, discard
from sync_pipeline_tests.database.stored_rows import stored_rows
from sync_pipeline_tests.pull_vendors import (
    DENIED,
    NOT_FOUND,
    PLANS,
    TENANTS,
    UNAVAILABLE,
    Row,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted

BEYOND_ANY_COLUMN = b'{"id": "%s", "code": 1e99999}'
IN_FORMER_TIMES = datetime(2020, 1, 1, tzinfo=UTC)
BAD_NUMBER = "holds a number that no column can keep"
ROWS = """
    SELECT record_id, scope, error_code, resolution
    FROM ops.quarantine ORDER BY id
"""
Outcome = tuple[str | None, str, str]


def replayed(
    pull: Pulls, chosen: Chosen | None = None, settings: Settings | None = None
) -> list[Outcome]:
    """Replay what is chosen (default: everything); return record, result and why of each row."""
    settings = settings or pull.vendors.settings()
    outcomes = replay(pull.engine, settings, chosen or Chosen())
    return [(one.kept.record_id, one.result.value, one.why) for one in outcomes]


def keep(engine: Engine, stream: Stream, *rejects: Reject) -> None:
    with engine.begin() as connection:
        quarantine(connection, stream, rejects)


def refused_by_an_older_release(record_id: str, payload: bytes, *, scope: str = "") -> Reject:
    return Reject(record_id, payload, "bad_number", BAD_NUMBER, IN_FORMER_TIMES, scope or record_id)


def test_a_record_that_was_mended_is_loaded_and_nothing_else_is_read(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_contact("a", BEYOND_ANY_COLUMN % b"a")
    pull(CRMCOM_CONTACTS)
    assert pull.rows(ROWS) == [("a", "a", "bad_number", None)]
    vendors.hold_contact("a", {"id": "a", "first_name": "Mended"})
    vendors.forget_requests()

    assert replayed(pull) == [("a", "loaded", "")]

    assert vendors.contact_requests() == ["a"]
    assert pull.rows(ROWS) == [("a", "a", "bad_number", "loaded")]
    assert [row["first_name"] for row in pull.table("contacts")] == ["Mended", "Name b"]
    assert pull.last_run("cause", "outcome", "rows_inserted") == ("replay", "succeeded", 1)
    assert replayed(pull) == []


def test_a_record_that_is_broken_still_says_so_with_what_is_wrong_now(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_contact("a", BEYOND_ANY_COLUMN % b"a")
    vendors.hold_contact("b", BEYOND_ANY_COLUMN % b"b")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("b", {"id": "another"})

    assert replayed(pull) == [
        ("a", "still quarantined", BAD_NUMBER),
        ("b", "still quarantined", "carries another id than the one it was asked for by"),
    ]
    assert pull.rows(ROWS) == [
        ("a", "a", "bad_number", None),
        ("b", "b", "bad_number", None),
        ("b", "b", "foreign_id", None),
    ]


def test_what_hangs_under_a_contact_is_read_by_the_list_of_that_contact(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", [BEYOND_ANY_COLUMN % b"m", b'{"subject": "No id"}'])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS)
    assert pull.rows(ROWS) == [("m", "a", "bad_number", None), (None, "a", "no_id", None)]
    mended = {"id": "m", "subject": "Mended", "created_on": 1_700_000_000}
    vendors.hold_communications("a", [mended, b'{"subject": "No id"}'])
    vendors.forget_requests()

    assert replayed(pull) == [
        ("m", "loaded", ""),
        (None, "still quarantined", "no id can be read in it"),
    ]

    assert (len(vendors.list_requests("a")), vendors.list_requests("b")) == (1, [])
    (row,) = pull.table("communications")
    assert (row["contact_id"], row["subject"]) == ("a", "Mended")


def test_only_what_is_chosen_is_replayed(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    for contact_id in ("a", "b"):
        vendors.hold_contact(contact_id, BEYOND_ANY_COLUMN % contact_id.encode())
    vendors.hold_contact("c", {"no": "contact"})
    vendors.hold_tenants({"systemName": "acme"})
    vendors.hold_detail("acme", None)
    pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom={"max_in_flight": 1}))
    pull(ROSAAS_TENANTS)
    by_record = dict(pull.rows("SELECT record_id, id FROM ops.quarantine"))

    def names(**chosen: object) -> list[str | None]:
        return [record_id for record_id, *_ in replayed(pull, Chosen(**chosen))]  # type: ignore[arg-type] # fields of Chosen

    assert names(ids=[by_record["b"]]) == ["b"]
    assert names(streams=[ROSAAS_TENANTS]) == ["acme"]
    assert names(code="bad_number") == ["a", "b"]
    assert sorted(map(str, names())) == ["a", "acme", "b", "c"]


def test_a_list_that_cannot_be_read_in_part_is_read_once_for_all_of_its_rows(
    pull: Pulls, vendors: Vendors
) -> None:
    broken = [{"systemName": name, "displayName": "\ud800"} for name in ("free", "paid")]
    bad_text = "holds text that is not valid Unicode"
    vendors.server.script("GET", PLANS, _listing(*broken))
    pull(ROSAAS_PLANS)
    assert [row[:3] for row in pull.rows(ROWS)] == [
        ("free", "", "bad_text"),
        ("paid", "", "bad_text"),
    ]
    mended = {"systemName": "free", "displayName": "Free"}
    vendors.server.script("GET", PLANS, _listing(mended, broken[1]))
    vendors.forget_requests()

    assert replayed(pull) == [
        ("free", "loaded", ""),
        ("paid", "still quarantined", bad_text),
    ]
    assert vendors.asked(PLANS) == 1


def test_what_the_source_has_no_more_is_loaded_from_the_kept_bytes(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contact("gone", NOT_FOUND)
    payload = b'{"id": "gone", "first_name": "Ada", "odd": 1}'
    keep(pull.engine, CRMCOM_CONTACTS, refused_by_an_older_release("gone", payload))

    assert replayed(pull) == [("gone", "loaded", "loaded as kept: its source has it no more")]

    assert stored_rows(pull.engine, CRMCOM_CONTACTS) == [
        {"contact_id": "gone", "first_name": "Ada", "attributes": {"odd": 1}}
    ]
    assert pull.rows("SELECT observed_at, raw_hash FROM warehouse.contacts") == [
        (IN_FORMER_TIMES, None)
    ]
    assert pull.rows(ROWS) == [
        ("gone", "gone", "bad_number", "loaded as kept: its source has it no more")
    ]
    assert pull.last_run("cause", "outcome", "rows_read", "rows_inserted") == (
        "replay",
        "succeeded",
        1,
        1,
    )


def test_a_row_that_a_proven_list_has_no_more_is_loaded_under_its_contact(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS)
    listed, detail = b'{"id": "m", "subject": "Hello"}', b'{"created_on": 1700000000}'
    payload = b"[" + listed + b"," + detail + b"]"
    reject = refused_by_an_older_release("m", payload, scope="a")
    keep(pull.engine, CRMCOM_COMMUNICATIONS, reject)

    assert replayed(pull) == [("m", "loaded", "loaded as kept: its source has it no more")]

    assert stored_rows(pull.engine, CRMCOM_COMMUNICATIONS) == [
        {
            "communication_id": "m",
            "contact_id": "a",
            "subject": "Hello",
            "source_created_at": datetime.fromtimestamp(1_700_000_000, UTC),
            "attributes": {},
        }
    ]


def test_a_later_reading_that_is_stored_wins_over_the_kept_bytes(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("a", NOT_FOUND)
    payload = b'{"id": "a", "first_name": "Former"}'
    keep(pull.engine, CRMCOM_CONTACTS, refused_by_an_older_release("a", payload))

    why = "outdated: its source has it no more; a later reading of it is stored"
    assert replayed(pull) == [("a", "loaded", why)]
    assert [row["first_name"] for row in pull.table("contacts")] == ["Name a"]


@pytest.mark.parametrize(
    ("payload", "code", "said"),
    [
        (BEYOND_ANY_COLUMN % b"gone", "bad_number", BAD_NUMBER),
        (b'{"id": "gone", "code": "\\ud800"}', "bad_text", "a reason"),
        (b'{"id": "another"}', "foreign_id", "carries another id than the one it was asked for by"),
        (b'{"no": "contact"}', "unrecognised", "a reason"),
        (b"[1, 2]", "unrecognised", "a reason"),
    ],
)
def test_kept_bytes_that_are_no_better_today_stay_in_quarantine(
    pull: Pulls, vendors: Vendors, payload: bytes, code: str, said: str
) -> None:
    vendors.hold_contact("gone", NOT_FOUND)
    reject = Reject("gone", payload, code, "a reason", IN_FORMER_TIMES, "gone")
    keep(pull.engine, CRMCOM_CONTACTS, reject)

    why = f"its source has it no more; the bytes that were kept: {said}"
    assert replayed(pull) == [("gone", "still quarantined", why)]
    assert pull.rows(ROWS) == [("gone", "gone", code, None)]
    assert pull.table("contacts") == []


def test_what_cannot_be_read_now_stays_with_the_reason(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    for contact_id in "abc":
        vendors.hold_contact(contact_id, BEYOND_ANY_COLUMN % contact_id.encode())
    pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom={"max_in_flight": 1}))
    vendors.hold_contact("a", {"id": "a"})
    vendors.hold_contact("b", DENIED)

    assert replayed(pull) == [
        ("a", "loaded", ""),
        ("b", "could not be read", "denied"),
        ("c", "still quarantined", BAD_NUMBER),
    ]

    vendors.hold_contact("b", UNAVAILABLE)
    vendors.hold_contact("c", UNAVAILABLE)
    (of_b, of_c) = replayed(pull)
    assert (of_b[:2], of_c[:2]) == (("b", "could not be read"), ("c", "could not be read"))
    assert "/contacts/{id}" in of_b[2]
    assert [row[3] for row in pull.rows(ROWS)] == ["loaded", None, None]


def test_an_api_that_is_off_reads_nothing_and_names_the_variable(pull: Pulls) -> None:
    keep(pull.engine, CRMCOM_CONTACTS, refused_by_an_older_release("a", b'{"id": "a"}'))
    ((_, result, why),) = replayed(pull, settings=Settings())
    assert (result, "CRMCOM_BASE_URL" in why) == ("could not be read", True)
    assert pull.table("contacts") == []


def test_a_record_that_nothing_names_is_left_to_the_next_pull(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants()
    keep(pull.engine, ROSAAS_TENANTS, Reject(None, b"{}", "no_id", "no id", IN_FORMER_TIMES))
    keep(pull.engine, ROCS_CONTACTS, Reject(None, b"{}", "no_id", "no id", IN_FORMER_TIMES))
    assert replayed(pull) == [
        (None, "could not be read", _nameless("rosaas/tenants")),
        (None, "could not be read", _nameless("rocs/contacts")),
    ]
    assert vendors.asked(TENANTS) == 0


def test_absence_from_a_list_that_is_not_proven_is_no_reason_to_take_the_kept_bytes(
    pull: Pulls, vendors: Vendors
) -> None:
    numbers = itertools.count()

    def always_others(request: Received) -> Scripted:
        is_there = int(request.query.get("page", "1")) <= 2
        rows = [{"id": f"m-{next(numbers)}"} for _ in range(2)] if is_there else []
        return Scripted.json({"items": rows, "totalCount": 4})

    vendors.rocs.stands_in = always_others
    reject = refused_by_an_older_release("gone", b'{"id": "gone"}')
    keep(pull.engine, ROCS_COMMUNICATIONS, reject)
    assert [outcome[:2] for outcome in replayed(pull)] == [("gone", "could not be read")]
    assert pull.rows(ROWS) == [("gone", "gone", "bad_number", None)]


def test_an_id_that_is_not_open_is_refused_before_anything_is_read(
    pull: Pulls, vendors: Vendors
) -> None:
    with pytest.raises(NotInQuarantineError, match="the id 7"):
        replayed(pull, Chosen(ids=[7]))
    assert vendors.server.received == []


def test_a_discarded_record_stays_away_until_it_changes(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a")
    vendors.hold_contact("a", BEYOND_ANY_COLUMN % b"a")
    assert counts(pull(CRMCOM_CONTACTS)) == {"quarantined": 1}
    ((row_id,),) = pull.rows("SELECT id FROM ops.quarantine")
    with pull.engine.begin() as connection:
        discard(connection, [row_id], reason="a test of theirs")
    settled = ("a", "a", "bad_number", "discarded: a test of theirs")
    assert pull.rows(ROWS) == [settled]

    assert counts(pull(CRMCOM_CONTACTS)) == {"ignored": 1}
    assert pull.rows(ROWS) == [settled]

    vendors.hold_contact("a", b'{"id": "a", "code": 2e99999}')
    assert counts(pull(CRMCOM_CONTACTS)) == {"quarantined": 1}
    assert pull.rows(ROWS) == [settled, ("a", "a", "bad_number", None)]


def test_discarding_a_row_that_is_not_open_discards_none(pull: Pulls) -> None:
    keep(pull.engine, CRMCOM_CONTACTS, refused_by_an_older_release("a", b'{"id": "a"}'))
    ((row_id,),) = pull.rows("SELECT id FROM ops.quarantine")
    with (
        pytest.raises(NotInQuarantineError, match=f"the id {row_id + 1}"),
        pull.engine.begin() as connection,
    ):
        discard(connection, [row_id, row_id + 1], reason="both")
    assert pull.rows(ROWS) == [("a", "a", "bad_number", None)]


def _listing(*rows: Row) -> Scripted:
    return Scripted.json({"data": rows, "metadata": {"errors": [], "success": True}})


def _nameless(stream: str) -> str:
    return f"nothing tells how to ask for it alone: `pull {stream}` reads it again"
