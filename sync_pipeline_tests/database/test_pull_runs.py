"""Runs: one sweeper per stream, slices that resume, runs that die, what is complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, ROSAAS_TENANTS
from sync_pipeline.errors import SettingsError, StreamBusyError
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import DENIED, NOT_FOUND, SELF_SERVICE, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Received, Scripted
from sync_pipeline_tests.waiting import eventually

OUTCOMES = "SELECT outcome, error FROM ops.sync_runs ORDER BY started_at"
LOADED = "SELECT contact_id FROM warehouse.contacts ORDER BY 1"

# One pull in a process of its own, to be killed.
CHILD = """
import os, signal, sys
from datetime import datetime, UTC
from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import read_settings
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.progress import Due

# A suite in the background of a shell is deaf to Ctrl-C, and so would this process be.
signal.signal(signal.SIGINT, signal.default_int_handler)
now = datetime.now(UTC)
pull_stream(
    CRMCOM_CONTACTS,
    PullRequest(Due(now, as_of=now), slice_s=60),
    settings=read_settings(os.environ),
    engine=open_engine(sys.argv[1]),
    run_id="the child's",
)
"""


@contextmanager
def held_up(vendors: Vendors, contact_id: str) -> Iterator[threading.Event]:
    """Let one contact answer only after the block; yields what tells that it was asked."""
    is_asked, is_free = threading.Event(), threading.Event()

    def late(_request: Received) -> Scripted:
        is_asked.set()
        is_free.wait(60)
        return Scripted.json({"id": contact_id})

    vendors.server.respond("GET", f"{SELF_SERVICE}/{contact_id}", late)
    try:
        yield is_asked
    finally:
        is_free.set()


@contextmanager
def pulling_child(pull: Pulls, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Pull contacts in another process; it is gone after the block."""
    crmcom = settings.crmcom
    assert crmcom is not None
    environ = {
        "CRMCOM_BASE_URL": crmcom.base_url,
        "CRMCOM_BACKOFFICE_URL": str(crmcom.backoffice_url),
        "CRMCOM_API_KEY": "the-api-key",
        "CRMCOM_SECRET_KEY": "the-secret-key",
        "CRMCOM_USERNAME": crmcom.username or "",
        "CRMCOM_PASSWORD": "the-password",
    }
    url = pull.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, url]
    with subprocess.Popen(command, env=os.environ | environ, stderr=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_second_run_over_a_stream_gives_up_after_its_patience(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    first = threading.Thread(target=pull, args=(CRMCOM_CONTACTS,))
    with held_up(vendors, "b") as is_asked:
        first.start()
        is_asked.wait(60)

        with pytest.raises(StreamBusyError, match="crmcom/contacts is being read by another run"):
            pull(CRMCOM_CONTACTS, patience_s=0)
    first.join()

    # It never began, so it left no record.
    assert pull.rows(OUTCOMES) == [("succeeded", None)]


def test_a_second_run_waits_for_the_first_one_and_then_reads(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    runs = [threading.Thread(target=pull, args=(CRMCOM_CONTACTS,)) for _ in range(2)]
    with held_up(vendors, "b") as is_asked:
        for run in runs:
            run.start()
        is_asked.wait(60)
        # The other one is not even open while this one reads.
        eventually(lambda: len(pull.rows(OUTCOMES)) == 2)
    for run in runs:
        run.join()

    assert pull.rows(OUTCOMES) == [("succeeded", None)] * 3


def test_a_run_that_names_its_contacts_reads_beside_a_sweep(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    sweep = threading.Thread(target=pull, args=(CRMCOM_CONTACTS,))
    with held_up(vendors, "b") as is_asked:
        sweep.start()
        is_asked.wait(60)

        report = pull(CRMCOM_CONTACTS, "a", "new", patience_s=0)
        assert report.row["scopes_read"] == 2
        with pytest.raises(StreamBusyError):
            pull(CRMCOM_CONTACTS, patience_s=0)
    sweep.join()

    # The one that runs was not taken for a dead one.
    assert sorted(pull.rows(OUTCOMES)) == [("succeeded", None)] * 2


def test_two_runs_that_name_the_same_contact_take_turns(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    first = threading.Thread(target=pull, args=(CRMCOM_CONTACTS, "a", "b"))
    with held_up(vendors, "b") as is_asked:
        first.start()
        is_asked.wait(60)

        with pytest.raises(StreamBusyError):
            pull(CRMCOM_CONTACTS, "b", patience_s=0)
        pull(CRMCOM_COMMUNICATIONS, "b", patience_s=0)
    first.join()


def test_a_killed_run_is_marked_by_the_next_one_which_completes(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    with held_up(vendors, "c"), pulling_child(pull, vendors.settings()) as child:
        eventually(lambda: pull.rows(LOADED) == [("a",), ("b",)])
        child.kill()
        child.wait()
    assert pull.rows(OUTCOMES) == [("running", None)]
    vendors.hold_contacts("a", "b", "c")

    # The server may need a moment to see that the other side is gone.
    report = pull(CRMCOM_CONTACTS)

    assert pull.rows(OUTCOMES) == [
        ("abandoned", "its process ended without a word; what it had committed is kept"),
        ("succeeded", None),
    ]
    assert counts(report) == {"inserted": 1, "unchanged": 2}
    assert report.row["is_complete"] is True


def test_an_interrupted_run_says_so_and_keeps_what_it_had(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    with held_up(vendors, "c"), pulling_child(pull, vendors.settings()) as child:
        eventually(lambda: pull.rows(LOADED) == [("a",), ("b",)])
        child.send_signal(signal.SIGINT)
        child.wait(60)

        assert pull.rows(OUTCOMES) == [("failed", "interrupted")]
    assert pull.rows(LOADED) == [("a",), ("b",)]


def test_slices_resume_where_the_last_one_stopped_and_together_read_everything(
    pull: Pulls, vendors: Vendors
) -> None:
    many = [f"c-{number}" for number in range(7)]
    vendors.hold_contacts(*many)
    began = pull.began()
    settings = vendors.settings(crmcom={"max_in_flight": 2})

    reports = [pull(CRMCOM_CONTACTS, settings=settings, slice_s=0, as_of=began) for _ in range(4)]

    assert [report.remaining for report in reports] == [5, 3, 1, 0]
    assert [report.row["scopes_total"] for report in reports] == [7, 5, 3, 1]
    assert [report.row["is_complete"] for report in reports] == [False, False, False, True]
    assert sorted(vendors.contact_requests()) == many
    assert pull.rows(LOADED) == [(contact_id,) for contact_id in many]


def test_what_was_read_longest_ago_comes_first(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b", "c")
    settings = vendors.settings(crmcom={"max_in_flight": 1})
    pull(CRMCOM_CONTACTS, settings=settings)
    pull(CRMCOM_CONTACTS, "a", settings=settings)
    vendors.hold_contacts("a", "b", "c", "new")
    vendors.forget_requests()

    pull(CRMCOM_CONTACTS, settings=settings)

    assert vendors.contact_requests() == ["new", "b", "c", "a"]


def test_a_pull_of_what_is_due_leaves_alone_what_is_not(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    vendors.forget_requests()

    assert pull(CRMCOM_CONTACTS, due=Due(datetime.now(UTC))).row["scopes_total"] == 0
    assert vendors.contact_requests() == []

    pull(CRMCOM_CONTACTS, due=Due(datetime.now(UTC) + timedelta(hours=1)))

    assert sorted(vendors.contact_requests()) == ["a", "b"]


def test_what_was_read_since_is_not_read_again(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    began = pull.began()
    pull(CRMCOM_CONTACTS, "a")
    vendors.forget_requests()

    report = pull(CRMCOM_CONTACTS, as_of=began)

    assert vendors.contact_requests() == ["b"]
    assert report.row["is_complete"] is True


def test_what_waits_for_a_time_of_its_own_is_left_out_unless_named(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c", "denied", "missing")
    vendors.hold_contact("denied", DENIED)
    vendors.hold_contact("missing", NOT_FOUND)
    pull(CRMCOM_CONTACTS)
    vendors.forget_requests()

    report = pull(CRMCOM_CONTACTS)

    # A list names what the API does not know: that is asked for again.
    assert sorted(vendors.contact_requests()) == ["a", "b", "c", "missing"]
    # What was not asked for makes the run no more complete.
    assert (report.row["is_complete"], report.row["scopes_denied"]) == (False, 1)

    vendors.hold_contact("denied", {"id": "denied"})
    named = pull(CRMCOM_CONTACTS, "denied")

    assert counts(named) == {"inserted": 1}
    assert (named.row["is_complete"], named.row["scopes_denied"]) == (True, 0)

    vendors.hold_contact("missing", {"id": "missing"})

    assert pull(CRMCOM_CONTACTS).row["is_complete"] is True


def test_a_listed_contact_that_the_api_does_not_know_yet_is_a_gap_until_it_is_there(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "new")
    vendors.hold_contact("new", NOT_FOUND)
    vendors.hold_communications("new", NOT_FOUND)
    began = pull.began()
    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        assert pull(stream).row["is_complete"] is False
        # Nothing is due, and still it is not there.
        later = pull(stream, as_of=began)
        assert (later.row["is_complete"], later.row["scopes_incomplete"]) == (False, 1)

    vendors.hold_contact("new", {"id": "new"})
    vendors.hold_communications("new", [{"id": "m-1"}])
    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        report = pull(stream)
        assert (counts(report)["inserted"], report.row["is_complete"]) == (1, True)


def test_a_contact_that_no_list_names_any_more_is_no_gap_and_waits_until_one_does(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "slip")
    vendors.hold_contact("slip", NOT_FOUND)
    pull(CRMCOM_CONTACTS)
    vendors.ids = [{"id": "a"}]
    vendors.forget_requests()

    assert pull(CRMCOM_CONTACTS).row["is_complete"] is True
    assert vendors.contact_requests() == ["a"]

    vendors.ids = [{"id": "a"}, {"id": "slip"}]
    assert pull(CRMCOM_CONTACTS).row["is_complete"] is False
    assert sorted(vendors.contact_requests()) == ["a", "a", "slip"]


@pytest.mark.parametrize("answer", [DENIED, NOT_FOUND])
def test_a_run_is_not_complete_with_a_contact_that_would_not_be_read(
    pull: Pulls, vendors: Vendors, answer: Scripted
) -> None:
    vendors.hold_contacts("a", "b", "c")
    vendors.hold_contact("b", answer)

    report = pull(CRMCOM_CONTACTS)

    assert (report.row["outcome"], report.row["is_complete"]) == ("succeeded", False)


def test_a_run_is_not_complete_with_a_list_that_was_not_proven(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CRMCOM_CONTACTS)
    rows = [{"id": f"m-{number}"} for number in range(5)]
    # Whichever page is asked for: the list says that it has one more.
    vendors.hold_communications("a", Scripted.json({"content": rows, "paging": {"total": 6}}))

    report = pull(CRMCOM_COMMUNICATIONS)

    assert counts(report)["inserted"] == 5
    assert (report.row["is_complete"], report.row["scopes_incomplete"]) == (False, 1)
    assert pull.watermarks(CRMCOM_COMMUNICATIONS) == {
        "a": ("incomplete", "a page came twice"),
        "b": ("single_response", None),
    }


def test_small_lists_that_stand_still_are_complete(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", [{"id": "m-1"}])
    # As some servers answer an empty list.
    vendors.hold_communications("b", Scripted.json({"content": None, "paging": None}))
    vendors.hold_tenants({"systemName": "acme"})

    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS, ROSAAS_TENANTS):
        row = pull(stream).row
        assert (row["outcome"], row["is_complete"], row["error"]) == ("succeeded", True, None)


def test_a_run_counts_what_it_cost(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")

    row = pull(CRMCOM_CONTACTS).row

    # A login, the list of ids, two contacts.
    assert (row["requests"], row["retries"]) == (4, 0)
    assert int(str(row["bytes_read"])) > 100


def test_a_source_that_is_off_names_the_variable(pull: Pulls, vendors: Vendors) -> None:
    settings = vendors.settings().model_copy(update={"rosaas": None})

    with pytest.raises(SettingsError, match="ROSAAS_BASE_URL"):
        pull(ROSAAS_TENANTS, settings=settings)

    assert pull.rows("SELECT outcome FROM ops.sync_runs") == [("failed",)]


def test_a_defect_of_ours_is_recorded_without_the_rows_it_may_quote(
    pull: Pulls, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.hold_contacts("a")

    def fail(*_: object, **_named: object) -> None:
        raise KeyError("anna@example.com")

    monkeypatch.setattr("sync_pipeline.pull.writing.sieve", fail)
    with pytest.raises(KeyError):
        pull(CRMCOM_CONTACTS)

    assert pull.rows(OUTCOMES) == [("failed", "unexpected KeyError")]
