"""Tenants: whose detail is read, and what the list proves."""

from __future__ import annotations

import pytest

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.errors import AccessDeniedError, WrongAnswerError
from sync_pipeline_tests.pull_vendors import DENIED, TENANTS, WRONG_ANSWER, Vendors
from sync_pipeline_tests.pulls import Pulls, counts

NAMES = "SELECT tenant_name, display_name, metadata FROM warehouse.tenants ORDER BY 1"


def test_the_first_pull_reads_the_list_once_and_each_detail(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants(
        {"systemName": "acme", "displayName": "Acme", "status": 7},
        {"systemName": "Zeta", "displayName": "Zeta", "status": 10},
    )

    report = pull(ROSAAS_TENANTS)

    assert (vendors.asked(TENANTS), vendors.detail_requests()) == (1, ["acme", "zeta"])
    assert counts(report) == {"inserted": 2}
    assert report.row["is_complete"] is True
    assert pull.rows(NAMES) == [("acme", "Acme", {"n": 1}), ("zeta", "Zeta", {"n": 1})]
    assert pull.watermarks(ROSAAS_TENANTS) == dict.fromkeys(
        ("", "acme", "zeta"), ("single_response", None)
    )


def test_an_unchanged_list_is_one_request_and_no_detail(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "Zeta"})
    pull(ROSAAS_TENANTS)
    vendors.forget_requests()

    report = pull(ROSAAS_TENANTS)

    assert (vendors.asked(TENANTS), vendors.detail_requests()) == (1, [])
    assert (counts(report), report.row["is_complete"]) == ({"unchanged": 2}, True)


def test_only_what_is_new_or_changed_in_the_list_is_asked_for_again(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta", "displayName": "Beta"})
    pull(ROSAAS_TENANTS)
    vendors.forget_requests()
    vendors.hold_tenants(
        {"systemName": "acme"},
        {"systemName": "beta", "displayName": "Better"},
        {"systemName": "new"},
    )

    report = pull(ROSAAS_TENANTS)

    assert vendors.detail_requests() == ["beta", "new"]
    assert counts(report) == {"inserted": 1, "updated": 1, "unchanged": 1}


def test_a_full_pull_asks_for_every_detail(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta"})
    pull(ROSAAS_TENANTS)
    vendors.hold_detail("beta", {"systemName": "beta", "metadata": '{"n": 2}'})
    vendors.forget_requests()

    report = pull(ROSAAS_TENANTS, is_full=True)

    assert vendors.detail_requests() == ["acme", "beta"]
    assert counts(report) == {"updated": 1, "unchanged": 1}


def test_a_detail_beyond_the_staleness_bound_is_read_and_its_changes_load(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta"})
    pull(ROSAAS_TENANTS)
    pull.execute(
        "UPDATE ops.watermarks SET proven_at = proven_at - interval '25 hours' WHERE scope = 'beta'"
    )
    # The list says nothing of it.
    vendors.hold_detail("beta", {"systemName": "beta", "metadata": '{"n": 2}'})
    vendors.forget_requests()

    report = pull(ROSAAS_TENANTS)

    assert vendors.detail_requests() == ["beta"]
    assert counts(report) == {"updated": 1, "unchanged": 1}
    assert pull.rows(NAMES) == [("acme", None, {"n": 1}), ("beta", None, {"n": 2})]
    pull(ROSAAS_TENANTS)
    assert vendors.detail_requests() == ["beta"]


def test_a_tenant_without_a_detail_is_kept_aside_until_it_answers(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta"})
    vendors.hold_detail("beta", None)

    assert counts(pull(ROSAAS_TENANTS)) == {"inserted": 1, "quarantined": 1}
    kept = "SELECT record_id, error_code, payload, resolution FROM ops.quarantine"
    assert pull.rows(kept) == [("beta", "no_detail", {"systemName": "beta"}, None)]

    assert counts(pull(ROSAAS_TENANTS)) == {"unchanged": 1, "quarantined": 1}
    assert pull.rows(kept) == [("beta", "no_detail", {"systemName": "beta"}, None)]

    vendors.hold_detail("beta", {"systemName": "beta", "metadata": '{"n": 3}'})

    assert counts(pull(ROSAAS_TENANTS)) == {"inserted": 1, "unchanged": 1}
    assert pull.rows(kept) == [("beta", "no_detail", {"systemName": "beta"}, "loaded")]


def test_a_list_that_cannot_be_read_leaves_everything_as_it_was(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"})
    pull(ROSAAS_TENANTS)
    before = pull.rows("SELECT * FROM warehouse.tenants"), pull.rows("SELECT * FROM ops.watermarks")
    vendors.tenants = WRONG_ANSWER

    with pytest.raises(WrongAnswerError):
        pull(ROSAAS_TENANTS)

    after = pull.rows("SELECT * FROM warehouse.tenants"), pull.rows("SELECT * FROM ops.watermarks")
    assert after == before
    assert pull.last_run("outcome", "rows_read", "is_complete") == ("failed", 0, False)


def test_one_detail_that_cannot_be_read_stops_no_other(pull: Pulls, vendors: Vendors) -> None:
    names = ("acme", "beta", "zeta")
    vendors.hold_tenants(*({"systemName": name} for name in names))
    vendors.hold_detail("beta", DENIED)

    report = pull(ROSAAS_TENANTS)

    assert counts(report) == {"inserted": 2}
    assert pull.watermarks(ROSAAS_TENANTS) == {
        "": ("single_response", None),
        "acme": ("single_response", None),
        "beta": ("incomplete", "denied"),
        "zeta": ("single_response", None),
    }
    assert (report.row["is_complete"], report.row["scopes_denied"]) == (False, 1)


def test_denied_details_are_not_blamed_on_another_source(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants({"systemName": "acme"})
    vendors.hold_detail("acme", DENIED)

    with pytest.raises(AccessDeniedError, match="RoSaaS"):
        pull(ROSAAS_TENANTS)


def test_a_named_tenant_is_read_and_the_others_are_ignored(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "Beta"}, {"systemName": "zeta"})
    pull(ROSAAS_TENANTS)
    proof = pull.rows("SELECT * FROM ops.watermarks WHERE scope = ''")
    vendors.hold_tenants(
        {"systemName": "acme", "displayName": "Changed too"},
        {"systemName": "Beta", "displayName": "Better"},
        {"systemName": "zeta"},
    )
    vendors.forget_requests()

    report = pull(ROSAAS_TENANTS, "BETA")

    assert vendors.detail_requests() == ["beta"]
    assert counts(report) == {"updated": 1, "ignored": 2}
    assert report.row["is_complete"] is True
    # The change of the other one was seen and not loaded: the list is as proven as before.
    assert pull.rows("SELECT * FROM ops.watermarks WHERE scope = ''") == proof
    assert [name for _, name, _ in pull.rows(NAMES)] == [None, "Better", None]


def test_a_named_tenant_that_is_not_listed_is_said_to_be_missing_and_nothing_else_is_read(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"})

    report = pull(ROSAAS_TENANTS, "nobody")

    assert vendors.detail_requests() == []
    assert counts(report) == {"ignored": 1}
    assert (report.row["scopes_incomplete"], report.row["is_complete"]) == (1, False)
    assert pull.watermarks(ROSAAS_TENANTS) == {}


def test_one_tenant_in_two_spellings_is_a_duplicate_and_one_without_a_name_is_kept_aside(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "ACME"})
    assert isinstance(vendors.tenants, list)
    vendors.tenants.append({"id": "4711"})

    assert counts(pull(ROSAAS_TENANTS)) == {"inserted": 1, "duplicate": 1, "quarantined": 1}
    assert pull.rows("SELECT record_id, error_code FROM ops.quarantine") == [(None, "no_id")]


def test_a_slice_of_time_that_ends_among_the_details_leaves_the_list_unproven(
    pull: Pulls, vendors: Vendors
) -> None:
    many = [f"tenant-{number:03}" for number in range(100)]
    vendors.hold_tenants(*({"systemName": name} for name in many))

    report = pull(ROSAAS_TENANTS, slice_s=0)

    assert 0 < report.remaining < 100
    assert (report.row["outcome"], report.row["is_complete"]) == ("succeeded", False)
    assert "" not in pull.watermarks(ROSAAS_TENANTS)

    while report.remaining:
        report = pull(ROSAAS_TENANTS, slice_s=0)

    assert report.row["is_complete"] is True
    assert vendors.detail_requests() == many == [name for name, _, _ in pull.rows(NAMES)]
