"""`webhook_event_sensor`: which pulls it asks for, and what they settle."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.records import Event
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.webhooks.bodies import read_object
from sync_pipeline.webhooks.events import coded_event
from sync_pipeline.webhooks.group_commit import store_in
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.pull_rocs import CONTACTS, LOGIN
from sync_pipeline_tests.pull_vendors import UNAVAILABLE, WRONG_ANSWER, Vendors

pytestmark = pytest.mark.usefixtures("vendors")

KEPT = """
    SELECT subject, processed_at IS NOT NULL, attempts, error
    FROM ops.webhook_events ORDER BY id
"""
UPDATES = "SELECT entity_id, changes ->> 'status', status FROM push.updates"
TENANTS = "SELECT tenant_name, display_name FROM warehouse.tenants ORDER BY 1"


def tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """Let the sensor decide once."""
    definitions = build_definitions(read_settings(environment()))
    sensor = definitions.resolve_sensor_def("webhook_event_sensor")
    with dg.build_sensor_context(
        instance=instance,
        resources={"pipeline": Pipeline()},
        repository_def=definitions.get_repository_def(),
    ) as context:
        decision = sensor(context)
    assert isinstance(decision, dg.SensorResult)
    requests = list(decision.run_requests or ())
    assert bool(requests) != bool(decision.skip_reason)
    return requests


def carry_out(instance: dg.DagsterInstance, request: dg.RunRequest) -> bool:
    job = build_definitions(read_settings(environment())).resolve_job_def("pull_job")
    result = job.execute_in_process(
        instance=instance,
        asset_selection=list(request.asset_selection or ()),
        run_config=dict(request.run_config),
        tags=dict(request.tags),
        raise_on_error=False,
    )
    return result.success


def tell(engine: Engine, *events: tuple[str, str, bytes]) -> None:
    store_in(engine)([Event(source, "e", "other", name, raw, "{}") for source, name, raw in events])


def test_many_events_become_one_pull_of_just_their_tenants(
    instance: dg.DagsterInstance, engine: Engine, vendors: Vendors
) -> None:
    vendors.hold_tenants(
        *({"systemName": name, "displayName": name.title()} for name in ("acme", "beta", "zeta"))
    )
    tell(engine, ("rosaas", "zeta", b"1"), ("rosaas", "acme", b"2"), ("rosaas", "zeta", b"3"))

    (request,) = tick(instance)

    assert request.asset_selection == [dg.AssetKey(["rosaas", "tenants"])]
    assert {k: v for k, v in request.tags.items() if k.startswith("sync/")} == {
        "sync/source": "rosaas",
        "sync/entity": "tenants",
        "sync/cause": "webhook",
        "sync/lane": "fast",
    }
    assert request.run_config == {
        "ops": {"rosaas__tenants": {"config": {"only": ["acme", "zeta"]}}}
    }
    assert str(request.run_key).startswith("webhook:rosaas/tenants:1-3:")
    assert rows(engine, KEPT) == [("zeta", False, 1, None)] + [
        (name, False, 1, None) for name in ("acme", "zeta")
    ]

    assert carry_out(instance, request)

    assert rows(engine, TENANTS) == [("acme", "Acme"), ("zeta", "Zeta")]
    assert {row[1] for row in rows(engine, KEPT)} == {True}
    assert rows(engine, "SELECT cause, outcome FROM ops.sync_runs") == [("webhook", "succeeded")]
    assert tick(instance) == []


def test_a_contact_and_a_tenant_are_a_run_each(
    instance: dg.DagsterInstance, engine: Engine
) -> None:
    tell(engine, ("rosaas", "acme", b"1"), ("rocs", "7", b"2"))
    assert [request.asset_selection for request in tick(instance)] == [
        [dg.AssetKey(["rosaas", "tenants"])],
        [dg.AssetKey(["rocs", "contacts"])],
    ]


def test_while_a_pull_of_earlier_events_is_not_over_later_ones_wait(
    instance: dg.DagsterInstance, engine: Engine
) -> None:
    tell(engine, ("rosaas", "acme", b"1"))
    (request,) = tick(instance)
    job = build_definitions(read_settings(environment())).resolve_job_def("pull_job")
    run = instance.create_run_for_job(
        job, tags=dict(request.tags), status=dg.DagsterRunStatus.STARTED
    )
    tell(engine, ("rosaas", "beta", b"2"))
    assert tick(instance) == []
    instance.report_run_failed(run)
    (request,) = tick(instance)
    assert request.run_config["ops"]["rosaas__tenants"]["config"] == {"only": ["beta"]}


def test_a_pull_that_fails_is_said_with_its_events_and_tried_again_later(
    instance: dg.DagsterInstance, engine: Engine, vendors: Vendors
) -> None:
    vendors.tenants = WRONG_ANSWER
    tell(engine, ("rosaas", "acme", b"1"))
    (request,) = tick(instance)
    assert not carry_out(instance, request)
    ((name, is_processed, attempts, error),) = rows(engine, KEPT)
    assert (name, is_processed, attempts) == ("acme", False, 1)
    assert "RoSaaS" in str(error)
    # Not before its time.
    assert tick(instance) == []


def test_contacts_that_cannot_be_read_keep_no_other_of_their_pull(
    instance: dg.DagsterInstance,
    engine: Engine,
    vendors: Vendors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROCS_TOKEN_URL", f"{vendors.server.url}{LOGIN}")
    vendors.rocs.hold(CONTACTS, [{"id": 7, "firstname": "Ada"}])
    vendors.rocs.stands_in = lambda asked: None if asked.query["id"] == "7" else UNAVAILABLE
    tell(engine, *(("rocs", str(number), b"1") for number in range(1, 8)))
    (request,) = tick(instance)
    assert not carry_out(instance, request)

    with transaction(engine) as connection:
        connection.execute(text("UPDATE ops.webhook_events SET next_attempt_at = now()"))
    while requests := tick(instance):
        assert not carry_out(instance, requests[0])

    assert rows(engine, "SELECT contact_id, first_name FROM warehouse.contacts") == [("7", "Ada")]
    assert [
        (name, is_processed, error is None) for name, is_processed, _, error in rows(engine, KEPT)
    ] == [(str(number), number == 7, number == 7) for number in range(1, 8)]


def test_a_tenant_that_the_source_does_not_know_is_settled_with_that(
    instance: dg.DagsterInstance, engine: Engine, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"})
    tell(engine, ("rosaas", "nobody", b"1"))
    (request,) = tick(instance)
    assert carry_out(instance, request)
    assert rows(engine, KEPT) == [("nobody", True, 1, "not found")]


def test_events_of_a_source_that_is_off_wait(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(engine, ("rosaas", "acme", b"1"))
    monkeypatch.delenv("ROSAAS_BASE_URL")
    assert tick(instance) == []
    assert rows(engine, KEPT) == [("acme", False, 0, None)]


@pytest.mark.parametrize(
    "case",
    [
        ("", []),
        ("off", []),
        ("held", [("acme", "Active", "held")]),
        ("on", [("acme", "Active", "pending")]),
        ("true", [("acme", "Active", "pending")]),
    ],
)
def test_the_end_of_the_work_is_confirmed_once_as_the_setting_says(
    instance: dg.DagsterInstance,
    engine: Engine,
    vendors: Vendors,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, list[tuple[object, ...]]],
) -> None:
    setting, expected = case
    monkeypatch.setenv("ROSAAS_AUTO_CONFIRM", setting)
    vendors.hold_tenants({"systemName": "acme", "status": 6}, {"systemName": "idle", "status": 10})
    tell(engine, ("rosaas", "acme", b"1"), ("rosaas", "idle", b"1"))
    (request,) = tick(instance)
    assert carry_out(instance, request)
    # What is on its way is not asked for again.
    assert carry_out(instance, request)
    assert rows(engine, UPDATES) == expected


def test_the_poll_repairs_what_lost_webhooks_would_have_started(
    instance: dg.DagsterInstance,
    engine: Engine,
    vendors: Vendors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROSAAS_AUTO_CONFIRM", "on")
    vendors.hold_tenants({"systemName": "acme", "status": 6})
    store_in(engine)([coded_event(read_object(b'{"EventCode": 3}'))])
    poll = dg.RunRequest(asset_selection=[dg.AssetKey(["rosaas", "tenants"])])
    assert carry_out(instance, poll)
    assert rows(engine, UPDATES) == [("acme", "Active", "pending")]
    # Of which tenant the event spoke is not known; whatever it was, it is read now.
    assert rows(engine, "SELECT resolution FROM ops.quarantine") == [("loaded",)]
