"""The work that RoSaaS waits for is confirmed once for each time that it waits."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.settings import AutoConfirm
from sync_pipeline.warehouse.push_requests import DECLINE, decide
from sync_pipeline.webhooks.confirming import confirm_work
from sync_pipeline_tests.pull_vendors import Vendors
from sync_pipeline_tests.pulls import Pulls

ASKED = "SELECT entity_id, changes, base, status FROM push.updates ORDER BY id"
CREATING, ACTIVATING, ACTIVE, DEACTIVATING, DELETING = 3, 6, 7, 9, 12


def read(pull: Pulls, vendors: Vendors, **statuses: int) -> None:
    vendors.hold_tenants(*({"systemName": n, "status": s} for n, s in statuses.items()))
    pull(ROSAAS_TENANTS)


@pytest.mark.parametrize(("mode", "status"), [("held", "held"), ("on", "pending")])
def test_each_tenant_that_waits_gets_the_end_of_its_work(
    pull: Pulls, vendors: Vendors, mode: AutoConfirm, status: str
) -> None:
    read(pull, vendors, a=CREATING, b=ACTIVATING, c=DEACTIVATING, d=DELETING, e=ACTIVE)
    confirm_work(pull.engine, mode, [])
    assert pull.rows(ASKED) == [
        ("a", {"status": "CreatedAsActive"}, {"status": "Creating"}, status),
        ("b", {"status": "Active"}, {"status": "Activating"}, status),
        ("c", {"status": "Inactive"}, {"status": "Deactivating"}, status),
        ("d", {"status": "Deleted"}, {"status": "Deleting"}, status),
    ]


def test_only_those_named_are_confirmed_and_none_while_it_is_off(
    pull: Pulls, vendors: Vendors
) -> None:
    read(pull, vendors, a=CREATING, b=ACTIVATING)
    assert confirm_work(pull.engine, "off", []) == []
    assert len(confirm_work(pull.engine, "on", ["b", "nobody"])) == 1
    assert [row[0] for row in pull.rows(ASKED)] == ["b"]


def test_what_was_declined_is_not_asked_for_again_until_the_tenant_waits_anew(
    pull: Pulls, vendors: Vendors
) -> None:
    read(pull, vendors, a=ACTIVATING)
    (first,) = confirm_work(pull.engine, "held", ["a"])
    assert confirm_work(pull.engine, "held", ["a"]) == []
    with pull.engine.begin() as connection:
        decide(connection, [first], DECLINE, by="somebody")
    vendors.hold_tenants({"systemName": "a", "status": ACTIVATING, "displayName": "Another"})
    pull(ROSAAS_TENANTS)
    assert confirm_work(pull.engine, "held", ["a"]) == []
    read(pull, vendors, a=ACTIVE)
    read(pull, vendors, a=ACTIVATING)
    assert len(confirm_work(pull.engine, "held", ["a"])) == 1


def test_what_failed_in_an_earlier_wait_does_not_keep_the_next_one_from_its_end(
    pull: Pulls, vendors: Vendors
) -> None:
    read(pull, vendors, a=ACTIVATING)
    assert len(confirm_work(pull.engine, "on", ["a"])) == 1
    for status in ("sending", "dead"):
        with pull.engine.begin() as connection:
            connection.execute(text("UPDATE push.updates SET status = :status"), {"status": status})
    read(pull, vendors, a=ACTIVE)
    read(pull, vendors, a=DEACTIVATING)

    assert len(confirm_work(pull.engine, "on", ["a"])) == 1

    assert [(row[1], row[3]) for row in pull.rows(ASKED)] == [
        ({"status": "Active"}, "dead"),
        ({"status": "Inactive"}, "pending"),
    ]
