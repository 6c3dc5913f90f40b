"""Communications by the days of their creation: what a backfill reads, loads, keeps and resumes."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline.errors import TransientSourceError
from sync_pipeline.pull.backfill_windows import Backfill, Window, windows_of
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import PullReport, pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import open_engine, transaction
from sync_pipeline.warehouse.locks import try_lock
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import (
    DENIED,
    NOT_FOUND,
    SELF_SERVICE,
    SELF_SERVICE_V2,
    UNAVAILABLE,
    Row,
    Vendors,
)
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted
from sync_pipeline_tests.waiting import eventually

DAY = date(2026, 3, 10)
FOREVER = float("inf")
PROGRESS = "SELECT contact_id FROM ops.backfill_progress ORDER BY 1"
LIVE = "SELECT * FROM ops.watermarks ORDER BY 1, 2, 3"
REJECTED = "SELECT scope, record_id, error_code FROM ops.quarantine"
LOADED = "SELECT communication_id FROM warehouse.communications ORDER BY 1"


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def instant(days: float) -> datetime:
    return datetime(2026, 3, 10, tzinfo=UTC) + timedelta(days=days)


def message(name: str, *, days: float, **more: object) -> Row:
    return {"id": name, "created_on": int(instant(days).timestamp()), "subject": name} | more


def listed(row: Row) -> Row:
    """Return the form in the list of v1, which does not say when it was created."""
    return {name: value for name, value in row.items() if name != "created_on"}


def hold(vendors: Vendors, contact_id: str, *rows: Row) -> None:
    """Hold a contact's list as both versions show it."""
    vendors.hold_communications(contact_id, rows)


def hold_v1(vendors: Vendors, contact_id: str, *rows: Row) -> None:
    vendors.hold_communications(contact_id, [listed(row) for row in rows])
    for row in rows:
        vendors.hold_message(row["id"], row)


def backfill(
    pull: Pulls,
    *days: int,
    settings: Settings,
    origin: str | None = "first",
    **asked: Any,  # noqa: ANN401 -- fields of PullRequest
) -> PullReport:
    windows = windows_of(day(number) for number in days)
    request = Backfill(windows, origin)
    return pull(CRMCOM_COMMUNICATIONS, settings=settings, backfill=request, **asked)


def filters(*bounds: tuple[int, int]) -> list[dict[str, str]]:
    return [
        {
            "page": "1",
            "created_on[gte]": str(int(instant(since).timestamp())),
            "created_on[lt]": str(int(instant(until).timestamp())),
        }
        for since, until in bounds
    ]


def asked(vendors: Vendors, contact_id: str = "a") -> list[dict[str, str]]:
    return vendors.list_requests(contact_id, SELF_SERVICE_V2)


def loaded(pull: Pulls) -> list[str]:
    return [name for (name,) in pull.rows(LOADED)]


@pytest.fixture
def week(vendors: Vendors) -> Settings:
    """Return settings of the second version; contact a has a message on each of seven days."""
    vendors.hold_contacts("a", "b")
    hold(vendors, "a", *[message(f"m-{n}", days=n + 0.5) for n in range(7)])
    return vendors.v2()


def test_days_that_follow_one_another_are_one_filtered_read_per_contact(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    report = backfill(pull, 2, 3, 4, settings=week)

    assert asked(vendors, "a") == asked(vendors, "b") == filters((2, 5))
    assert loaded(pull) == ["m-2", "m-3", "m-4"]
    assert counts(report) == {"inserted": 3}
    row = report.row
    assert (row["outcome"], row["is_complete"], row["scopes_read"]) == ("succeeded", True, 2)


def test_days_apart_are_a_read_each_and_what_lies_between_is_left_alone(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    assert counts(backfill(pull, 5, 0, 1, 3, settings=week)) == {"inserted": 4}

    assert asked(vendors) == filters((0, 2), (3, 4), (5, 6))
    assert loaded(pull) == ["m-0", "m-1", "m-3", "m-5"]


def test_a_message_of_midnight_belongs_to_the_day_that_it_begins(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    hold(vendors, "a", message("first", days=1), message("next", days=2))

    backfill(pull, 1, settings=week)

    assert loaded(pull) == ["first"]


def test_what_has_no_id_is_kept_with_the_contact_whose_list_brought_it(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    hold(vendors, "a", message("m-2", days=2.5), {"created_on": int(instant(2.6).timestamp())})

    backfill(pull, 2, settings=week)

    assert pull.rows(REJECTED) == [("a", None, "no_id")]


def test_the_live_progress_is_not_moved(pull: Pulls, vendors: Vendors, week: Settings) -> None:
    pull(CRMCOM_COMMUNICATIONS, settings=week)
    live = pull.rows(LIVE)
    hold(vendors, "a", message("m-2", days=2.5, is_viewed=True), message("late", days=2.6))

    report = backfill(pull, 2, settings=week)

    assert counts(report) == {"inserted": 1, "updated": 1}
    assert pull.rows(LIVE) == live
    assert pull.rows(PROGRESS) == []


def test_before_anything_was_read_it_leaves_no_trace_of_a_reading(
    pull: Pulls, week: Settings
) -> None:
    backfill(pull, 2, settings=week)

    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {}
    # And so everything is still due to the live pull.
    live = pull(CRMCOM_COMMUNICATIONS, settings=week)
    assert counts(live) == {"inserted": 6, "unchanged": 1}


def test_a_server_that_ignores_the_filter_is_read_once_and_the_rest_is_counted(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    vendors.has_filter = False

    report = backfill(pull, 1, 3, settings=week, origin=None)

    assert counts(report) == {"inserted": 2, "ignored": 5}
    assert loaded(pull) == ["m-1", "m-3"]
    assert asked(vendors) == filters((1, 2))


def test_what_says_no_day_is_counted_and_left_alone(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    vendors.has_filter = False
    undated = {"id": "undated", "created_on": 1}
    hold(vendors, "a", undated, message("m-1", days=1))

    assert counts(backfill(pull, 1, settings=week)) == {"inserted": 1, "ignored": 1}


def test_the_first_version_is_read_in_full_and_the_days_are_kept(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    hold_v1(vendors, "a", *[message(f"m-{n}", days=n) for n in range(5)])

    report = backfill(pull, 1, 3, settings=vendors.settings())

    assert vendors.list_requests("a", SELF_SERVICE) == [{"page": "1"}]
    assert vendors.message_requests() == [f"m-{n}" for n in range(5)]
    assert counts(report) == {"inserted": 2, "ignored": 3}
    (row, _) = pull.table("communications")
    assert (row["communication_id"], row["source_created_at"]) == ("m-1", instant(1))
    assert report.row["is_complete"]


def test_the_first_version_is_not_asked_again_when_a_known_message_was_created(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    rows = [message(f"m-{n}", days=n) for n in range(4)]
    hold_v1(vendors, "a", *rows)
    pull(CRMCOM_COMMUNICATIONS)
    vendors.forget_requests()
    hold_v1(
        vendors,
        "a",
        rows[0] | {"is_viewed": True},
        rows[1] | {"is_viewed": True},
        *rows[2:],
        message("new", days=1.5),
    )

    report = backfill(pull, 1, 2, settings=vendors.settings())

    assert vendors.message_requests() == ["new"]
    assert counts(report) == {"inserted": 1, "updated": 1, "unchanged": 1, "ignored": 2}
    viewed = pull.rows("SELECT communication_id FROM warehouse.communications WHERE is_viewed")
    assert viewed == [("m-1",)]
    # Nothing of the detail is lost by it.
    assert pull.rows(
        "SELECT count(*) FROM warehouse.communications WHERE source_created_at IS NULL"
    )


def test_a_message_whose_day_cannot_be_asked_for_leaves_its_contact_unread(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    hold_v1(vendors, "a", message("m-1", days=1), message("m-2", days=1))
    vendors.hold_message("m-2", UNAVAILABLE)

    report = backfill(pull, 1, settings=vendors.settings())

    assert loaded(pull) == ["m-1"]
    assert (report.row["is_complete"], report.row["scopes_incomplete"]) == (False, 1)


def test_one_contact_that_is_denied_stops_no_other_and_is_not_asked_within_its_week(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    vendors.hold_contacts("a", "b", "c")
    hold(vendors, "a", message("m-1", days=1))
    vendors.hold_communications("b", DENIED)

    report = backfill(pull, 1, settings=week)

    assert loaded(pull) == ["m-1"]
    assert (report.row["scopes_denied"], report.row["is_complete"]) == (1, False)
    # Denied to the live pull, it waits for its week here as well.
    pull(CRMCOM_COMMUNICATIONS, settings=week)
    vendors.forget_requests()
    again = backfill(pull, 1, settings=week)
    assert asked(vendors, "b") == []
    assert (again.row["scopes_denied"], again.row["is_complete"]) == (1, False)


def test_a_deleted_contact_that_the_api_does_not_know_is_no_gap(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    pull(CRMCOM_CONTACTS, settings=week)
    vendors.hold_contact("b", NOT_FOUND)
    vendors.hold_communications("b", NOT_FOUND)

    before = backfill(pull, 1, settings=week, origin="before")
    pull(CRMCOM_CONTACTS, settings=week)
    after = backfill(pull, 1, settings=week, origin="after")

    assert (before.row["is_complete"], before.row["scopes_incomplete"]) == (False, 1)
    assert (after.row["is_complete"], after.row["scopes_incomplete"]) == (True, 0)


def failing(vendors: Vendors, *, after: int) -> Settings:
    """Hold ten contacts of a message each, of which the first few can be read; one at a time."""
    names = [f"c-{number}" for number in range(10)]
    vendors.hold_contacts(*names)
    for number, name in enumerate(names):
        held = [message(f"m-{number}", days=1)]
        vendors.hold_communications(name, held if number < after else UNAVAILABLE)
    return vendors.v2(max_in_flight=1)


def recovered(vendors: Vendors) -> None:
    for number in range(10):
        hold(vendors, f"c-{number}", message(f"m-{number}", days=1))
    vendors.forget_requests()


def read(vendors: Vendors) -> list[str]:
    """Return the contacts whose list was asked for, in order."""
    return [r.path.split("/")[-2] for r in vendors.server.received if "/communications" in r.path]


def test_one_that_failed_goes_on_with_the_rest_when_it_is_run_again(
    pull: Pulls, vendors: Vendors
) -> None:
    settings = failing(vendors, after=3)
    with pytest.raises(TransientSourceError):
        backfill(pull, 1, settings=settings)
    assert loaded(pull) == ["m-0", "m-1", "m-2"]
    assert pull.rows(PROGRESS) == [("c-0",), ("c-1",), ("c-2",)]
    recovered(vendors)

    report = backfill(pull, 1, settings=settings)

    assert read(vendors) == [f"c-{number}" for number in range(3, 10)]
    assert counts(report) == {"inserted": 7}
    assert (report.row["is_complete"], report.row["scopes_total"]) == (True, 7)
    # It has come to its end: whoever runs it again wants all of it again.
    recovered(vendors)
    assert counts(backfill(pull, 1, settings=settings)) == {"unchanged": 10}


def test_another_backfill_and_other_days_begin_anew(pull: Pulls, vendors: Vendors) -> None:
    settings = failing(vendors, after=3)
    with pytest.raises(TransientSourceError):
        backfill(pull, 1, settings=settings)
    recovered(vendors)

    other = backfill(pull, 1, settings=settings, origin="second")
    more = backfill(pull, 1, 2, settings=settings)

    assert counts(other) == {"inserted": 7, "unchanged": 3}
    assert counts(more) == {"unchanged": 10}
    # The first one may still be gone on with.
    assert counts(backfill(pull, 1, settings=settings)) == {"unchanged": 7}


def test_what_was_given_up_is_read_again_by_the_next_attempt(pull: Pulls, vendors: Vendors) -> None:
    settings = failing(vendors, after=3)
    hold(vendors, "c-1", message("m-1", days=1))
    vendors.hold_communications("c-1", UNAVAILABLE)
    with pytest.raises(TransientSourceError):
        backfill(pull, 1, settings=settings)
    recovered(vendors)

    backfill(pull, 1, settings=settings)

    assert read(vendors)[0] == "c-1"
    assert loaded(pull) == [f"m-{number}" for number in range(10)]


def test_progress_that_nobody_went_on_with_is_forgotten_after_a_month(
    pull: Pulls, vendors: Vendors
) -> None:
    settings = failing(vendors, after=3)
    with pytest.raises(TransientSourceError):
        backfill(pull, 1, settings=settings)
    pull.execute("UPDATE ops.backfills SET begun_at = begun_at - interval '31 days'")
    recovered(vendors)

    backfill(pull, 1, settings=settings, origin="second")

    assert pull.rows("SELECT * FROM ops.backfills") == pull.rows(PROGRESS) == []


def run_alone(url: str, settings: Settings) -> None:
    """Backfill in a process of its own."""
    engine = open_engine(url)
    now = datetime.now(UTC)
    request = PullRequest(Due(now), FOREVER, backfill=Backfill(windows_of([day(1)]), "first"))
    stream = CRMCOM_COMMUNICATIONS
    pull_stream(stream, request, settings=settings, engine=engine, run_id="killed")


def test_one_that_was_killed_goes_on_with_the_rest_when_it_is_run_again(
    pull: Pulls, vendors: Vendors, warehouse_url: str
) -> None:
    settings = failing(vendors, after=10)
    vendors.hold_communications("c-4", Scripted(delay_s=300))
    process = multiprocessing.get_context("spawn").Process(
        target=run_alone, args=(warehouse_url, settings)
    )
    process.start()
    eventually(lambda: len(pull.rows(PROGRESS)) == 4)
    process.kill()
    process.join()
    recovered(vendors)

    report = backfill(pull, 1, settings=settings)

    assert read(vendors) == [f"c-{number}" for number in range(4, 10)]
    assert counts(report) == {"inserted": 6}
    assert loaded(pull) == [f"m-{number}" for number in range(10)]
    outcomes = pull.rows("SELECT run_id, outcome FROM ops.sync_runs ORDER BY started_at")
    assert outcomes[0] == ("killed", "abandoned")
    assert outcomes[1][1] == "succeeded"


def test_it_waits_for_its_stream_as_long_as_it_takes(
    pull: Pulls, vendors: Vendors, week: Settings, engine: Engine
) -> None:
    reports: list[PullReport] = []

    def run() -> None:
        reports.append(backfill(pull, 2, settings=week, slice_s=FOREVER, patience_s=FOREVER))

    with engine.connect() as other:
        assert try_lock(other, CRMCOM_COMMUNICATIONS)
        other.commit()
        thread = threading.Thread(target=run)
        thread.start()
        waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' OFFSET 1"
        eventually(lambda: pull.rows(waits) != [])
        assert (reports, asked(vendors)) == ([], [])
        other.detach()
    thread.join(60)
    assert [counts(report) for report in reports] == [{"inserted": 1}]


def test_while_it_runs_nothing_else_sweeps_its_stream(
    pull: Pulls, vendors: Vendors, week: Settings, engine: Engine
) -> None:
    vendors.hold_communications("b", Scripted(delay_s=1, body=b'{"content":[]}'))
    thread = threading.Thread(target=lambda: backfill(pull, 2, settings=week))
    thread.start()
    eventually(lambda: asked(vendors, "b") != [])
    with transaction(engine) as connection:
        assert not try_lock(connection, CRMCOM_COMMUNICATIONS)
    thread.join(60)


def test_named_contacts_are_read_of_a_span_of_time_and_keep_no_progress(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    span = Backfill((Window(instant(2.4), instant(4.5)),), "first")

    report = pull(CRMCOM_COMMUNICATIONS, "a", settings=week, backfill=span)

    assert loaded(pull) == ["m-2", "m-3"]
    assert counts(report) == {"inserted": 2}
    assert asked(vendors, "b") == []
    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {}
    assert pull.rows("SELECT * FROM ops.backfills") == []


@pytest.mark.parametrize(
    ("window", "names"),
    [
        (Window(since=instant(4)), ["m-4", "m-5", "m-6"]),
        (Window(until=instant(2)), ["m-0", "m-1"]),
        (Window(), [f"m-{n}" for n in range(7)]),
    ],
)
def test_a_span_may_be_open(pull: Pulls, week: Settings, window: Window, names: list[str]) -> None:
    report = pull(CRMCOM_COMMUNICATIONS, settings=week, backfill=Backfill((window,)))

    assert loaded(pull) == names
    assert counts(report) == {"inserted": len(names)}


def test_a_bound_within_a_second_is_asked_for_in_whole_seconds_and_kept_exactly(
    pull: Pulls, vendors: Vendors, week: Settings
) -> None:
    half = timedelta(seconds=0.5)
    at = instant(2.5)
    span = Window(at + half, at + timedelta(days=1) + half)

    report = pull(CRMCOM_COMMUNICATIONS, settings=week, backfill=Backfill((span,)))

    assert asked(vendors) == [
        {
            "page": "1",
            "created_on[gte]": str(int(at.timestamp())),
            "created_on[lt]": str(int(at.timestamp()) + 86_401),
        }
    ]
    assert loaded(pull) == ["m-3"]
    assert counts(report) == {"inserted": 1, "ignored": 1}
