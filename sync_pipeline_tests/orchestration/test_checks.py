"""The checks in runs of `pull_job`, and started alone: what they tell, and what they stop."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse.outbox import Ending, desk_opened
from sync_pipeline_tests.database.outbox_rows import ask
from sync_pipeline_tests.database.readings import at
from sync_pipeline_tests.pull_vendors import DENIED, WRONG_ANSWER, Vendors

CONTACTS, COMMUNICATIONS = "crmcom/contacts", "crmcom/communications"
Told = dict[str, tuple[bool, str, str | None]]
ENOUGH = (
    "less than 0.01 requests/s hold the bound of 24 h at crmcom; "
    "CRMCOM_REQUESTS_PER_SECOND allows 2000"
)
NONE_STUCK = (True, "WARN", "updates that a person should look at: none")


def pull(name: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_definitions(read_settings(environment())).resolve_job_def("pull_job")
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name.split("/"))],
        raise_on_error=False,
    )


def check_alone(name: str, check: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    key = dg.AssetCheckKey(dg.AssetKey(name.split("/")), check)
    job = dg.define_asset_job("alone", selection=dg.AssetSelection.checks(key))
    definitions = build_definitions(read_settings(environment()))
    alone = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
    return alone.resolve_job_def("alone").execute_in_process(instance=instance)


def told(result: dg.ExecuteInProcessResult) -> Told:
    """Return of each check whether it passed, how bad it is if not, and what it says."""
    return {
        found.check_name: (found.passed, found.severity.value, found.description)
        for found in result.get_asset_check_evaluations()
    }


def shown(result: dg.ExecuteInProcessResult, check: str) -> dict[str, object]:
    (found,) = [c for c in result.get_asset_check_evaluations() if c.check_name == check]
    return {name: entry.value for name, entry in found.metadata.items()}


def shown_table(result: dg.ExecuteInProcessResult, check: str, name: str) -> dg.TableMetadataValue:
    (found,) = [c for c in result.get_asset_check_evaluations() if c.check_name == check]
    table = found.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return table


def test_a_run_checks_what_it_has_loaded(vendors: Vendors, instance: dg.DagsterInstance) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", [{"id": "m", "contact_id": "a"}])
    assert told(pull(CONTACTS, instance)) == {
        # The list of ids is a scope as well.
        "proof": (True, "WARN", "all 3 scopes are proven complete"),
        "key_uniqueness": (True, "ERROR", "0 of 0 superseded versions overlap"),
        "quarantine_depth": (True, "WARN", "0 rows are in quarantine"),
        "updates_depth": NONE_STUCK,
        "drift": (True, "WARN", "the fields of the contract are as they were"),
        "budget": (True, "ERROR", ENOUGH),
    }
    second = pull(COMMUNICATIONS, instance)
    assert told(second) == {
        "proof": (True, "WARN", "all 2 scopes are proven complete"),
        "key_uniqueness": (True, "ERROR", "0 of 0 superseded versions overlap"),
        "orphans": (True, "WARN", "0 rows name 0 contacts that are not there"),
        "quarantine_depth": (True, "WARN", "0 rows are in quarantine"),
        "updates_depth": NONE_STUCK,
        "drift": (True, "WARN", "the fields of the contract are as they were"),
        "budget": (True, "ERROR", ENOUGH),
    }
    assert shown(second, "orphans") == {"rows": 0, "contacts": 0}


def test_what_a_check_finds_is_told_in_counts_and_fails_no_run(
    vendors: Vendors, instance: dg.DagsterInstance
) -> None:
    vendors.hold_contacts("a", "b", "secret-id")
    vendors.hold_contact("b", DENIED)
    vendors.hold_contact("secret-id", b'{"id": "secret-id", "first_name": "\\ud800"}')
    vendors.hold_communications("b", [{"id": "m", "contact_id": "b"}])
    first, second = pull(CONTACTS, instance), pull(COMMUNICATIONS, instance)
    assert (first.success, second.success) == (True, True)
    assert told(first) == {
        "proof": (False, "WARN", "1 of 4 scopes are not proven complete"),
        "key_uniqueness": (True, "ERROR", "0 of 0 superseded versions overlap"),
        "quarantine_depth": (False, "ERROR", "1 rows are in quarantine, 50.0% of all"),
        "updates_depth": NONE_STUCK,
        "drift": (True, "WARN", "the fields of the contract are as they were"),
        "budget": (True, "ERROR", ENOUGH),
    }
    assert told(second)["orphans"] == (False, "WARN", "1 rows name 1 contacts that are not there")
    proof = shown(first, "proof")
    assert (proof["scopes"], proof["unproven"], proof["unread"]) == (4, 1, 0)
    assert "secret-id" not in str([shown(first, name) for name in told(first)])


def test_updates_that_were_given_up_are_told(
    vendors: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CONTACTS, instance)
    for contact_id in ("a", "b"):
        ask(engine, {"email": "zoe@example.com"}, contact_id)
    with desk_opened(engine) as desk:
        for claim, status in zip(desk.claim(now=at(0), most=2), ("dead", "conflict"), strict=True):
            desk.settle([Ending(claim, status)])
    alone = check_alone(CONTACTS, "updates_depth", instance)
    said = "updates that a person should look at: 1 dead"
    assert told(alone)["updates_depth"] == (False, "WARN", said)
    table = shown_table(alone, "updates_depth", "updates")
    assert [record.data for record in table.records] == [
        {"status": "conflict", "updates": 1},
        {"status": "dead", "updates": 1},
    ]


def test_how_deep_the_quarantine_may_be_is_a_setting(
    vendors: Vendors, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_contact("b", b'{"id": "b", "code": 1e99999}')
    pull(CONTACTS, instance)

    def looked(warn_rows: str, fail_share: str) -> tuple[bool, str]:
        monkeypatch.setenv("QUARANTINE_WARN_ROWS", warn_rows)
        monkeypatch.setenv("QUARANTINE_FAIL_SHARE", fail_share)
        alone = check_alone(CONTACTS, "quarantine_depth", instance)
        return told(alone)["quarantine_depth"][:2]

    assert looked("0", "0.5") == (False, "WARN")
    assert looked("1", "0.5") == (True, "WARN")
    assert looked("1", "0.49") == (False, "ERROR")


def test_a_field_of_another_type_is_told_by_its_name_as_the_policy_has_it(
    vendors: Vendors, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.hold_contacts("a")
    vendors.hold_contact("a", {"id": "a", "first_name": ["Ada"], "nickname": "Ada"})
    first = pull(CONTACTS, instance)
    said = "crmcom/contacts: the field first_name is of another type (array)"
    assert told(first)["drift"] == (False, "WARN", said)
    records = [entry.data for entry in shown_table(first, "drift", "fields").records]
    assert records == [
        {"field": "nickname", "kind": "new", "example_type": "string", "rows": 1},
        {"field": "first_name", "kind": "retyped", "example_type": "array", "rows": 1},
    ]
    monkeypatch.setenv("DRIFT_POLICY", "keep")
    assert told(check_alone(CONTACTS, "drift", instance))["drift"] == (True, "WARN", said)
    monkeypatch.setenv("DRIFT_POLICY", "warn,crmcom/contacts=fail")
    assert told(check_alone(CONTACTS, "drift", instance))["drift"] == (False, "ERROR", said)


def test_a_run_looks_at_the_versions_that_it_superseded_alone_a_check_looks_at_all(
    vendors: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CONTACTS, instance)
    vendors.hold_contact("a", {"id": "a", "first_name": "Another"})
    pull(CONTACTS, instance)
    with engine.begin() as connection:
        moved = (
            "UPDATE warehouse.contacts_history SET valid_from = '2000-1-1', valid_to = '2001-1-1'"
        )
        connection.execute(text(moved))
    vendors.hold_contact("b", {"id": "b", "first_name": "Another"})
    assert shown(pull(CONTACTS, instance), "key_uniqueness")["looked_at"] == 1
    alone = check_alone(CONTACTS, "key_uniqueness", instance)
    assert told(alone) == {"key_uniqueness": (True, "ERROR", "0 of 2 superseded versions overlap")}
    assert shown(alone, "key_uniqueness") == {
        "looked_at": 2,
        "overlapping": 0,
        "has_primary_key": True,
        "looked_since": "the beginning",
    }


def test_a_budget_that_cannot_hold_the_bound_fails_with_both_rates(
    vendors: Vendors, instance: dg.DagsterInstance, bare_environment: pytest.MonkeyPatch
) -> None:
    vendors.hold_contacts("a", "b")
    pull(CONTACTS, instance)
    bare_environment.setenv("CRMCOM_REQUESTS_PER_SECOND", "5")
    bare_environment.setenv("STALENESS_BOUND_HOURS", "0.0001")

    alone = check_alone(COMMUNICATIONS, "budget", instance)

    (passed, severity, said) = told(alone)["budget"]
    assert (passed, severity) == (False, "ERROR")
    # Two contacts in each of three streams: two requests each (login and list of ids), one, one.
    assert str(said).startswith("22.22 requests/s hold the bound of 0.0001 h at crmcom (")
    assert "but CRMCOM_REQUESTS_PER_SECOND allows 5" in str(said)
    found = shown(alone, "budget")
    assert found.pop("needed_requests_per_second") == pytest.approx(8 / 0.36)
    assert found == {"allowed_requests_per_second": 5.0, "due": 2, "unread": 2}


def test_a_stream_that_was_never_read_is_not_called_proven(
    vendors: Vendors, instance: dg.DagsterInstance
) -> None:
    assert vendors.detail_requests() == []
    alone = check_alone("rosaas/tenants", "proof", instance)
    assert told(alone) == {"proof": (False, "WARN", "nothing was read yet")}


def test_nothing_is_checked_after_a_load_that_failed(
    vendors: Vendors, instance: dg.DagsterInstance
) -> None:
    vendors.tenants = WRONG_ANSWER
    result = pull("rosaas/tenants", instance)
    assert not result.success
    assert told(result) == {}


def test_every_stream_is_checked_when_all_are_read_in_one_run(
    vendors: Vendors, instance: dg.DagsterInstance
) -> None:
    vendors.hold_contacts("a")
    vendors.hold_tenants({"systemName": "acme", "displayName": "Acme", "status": 7})
    job = build_definitions(read_settings(environment())).resolve_job_def("pull_job")
    names = ("crmcom/contacts", "crmcom/communications", "rosaas/tenants")
    assert set(names) <= set(STREAMS)
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(name.split("/")) for name in names]
    )
    checked = {c.asset_key.to_user_string() for c in result.get_asset_check_evaluations()}
    assert checked == set(names)
