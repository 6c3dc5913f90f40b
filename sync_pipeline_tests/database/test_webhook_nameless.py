"""Events of RoSaaS that name no tenant: in the quarantine until the whole list was read."""

from __future__ import annotations

from sqlalchemy import Engine

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.operate.quarantine import replay
from sync_pipeline.warehouse.quarantine_rows import Chosen, discard
from sync_pipeline.webhooks.bodies import read_object
from sync_pipeline.webhooks.events import coded_event, rocs_event
from sync_pipeline.webhooks.group_commit import store_in
from sync_pipeline.webhooks.nameless import settle_nameless
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.pull_vendors import WRONG_ANSWER, Vendors
from sync_pipeline_tests.pulls import Pulls

# The vendor's own sample of the event names no tenant.
HEALTHY = b'{"MetaData": {"ChangingDate": "2026-01-01T00:00:00"}}'
KEPT = """
    SELECT source, entity, record_id, error_code, payload_raw, resolution
    FROM ops.quarantine ORDER BY id
"""
OPEN = ("rosaas", "tenants", None, "event_without_tenant", HEALTHY, None)
LOADED = (*OPEN[:-1], "loaded")
EVENTS = "SELECT subject, repeats, error FROM ops.webhook_events ORDER BY id"


def tell(engine: Engine, *bodies: bytes) -> None:
    store_in(engine)([coded_event(read_object(body)) for body in bodies])


def replayed(pull: Pulls) -> list[tuple[str, str]]:
    outcomes = replay(pull.engine, pull.vendors.settings(), Chosen())
    return [(one.result.value, one.why) for one in outcomes]


def test_an_event_that_names_no_tenant_is_quarantined_once_with_its_bytes(engine: Engine) -> None:
    tell(engine, HEALTHY, HEALTHY)
    tell(engine, HEALTHY, b'{"TenantSystemName": "acme", "EventCode": 3}')
    store_in(engine)([rocs_event(read_object(b'{"who": "nobody knows"}'))])
    assert rows(engine, KEPT) == [OPEN]
    assert rows(engine, EVENTS) == [
        (None, 2, "no tenant is named: nothing tells what is to be read again"),
        ("acme", 0, None),
        (None, 0, "no contact is named: there is nothing to read again"),
    ]


def test_it_is_settled_by_the_first_reading_of_the_whole_list_that_began_after_it_had_come(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_tenants({"systemName": "acme"}, {"systemName": "beta"})
    pull(ROSAAS_TENANTS)
    tell(pull.engine, HEALTHY)
    settle_nameless(pull.engine)
    assert pull.rows(KEPT) == [OPEN]
    pull(ROSAAS_TENANTS, "acme")
    settle_nameless(pull.engine)
    assert pull.rows(KEPT) == [OPEN]
    pull(ROSAAS_TENANTS)
    settle_nameless(pull.engine)
    assert pull.rows(KEPT) == [LOADED]


def test_a_replay_reads_the_whole_list(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_tenants({"systemName": "acme"})
    tell(pull.engine, HEALTHY)
    assert replayed(pull) == [("loaded", "the whole list was read again")]
    assert pull.rows("SELECT tenant_name FROM warehouse.tenants") == [("acme",)]
    assert pull.rows(KEPT) == [LOADED]


def test_a_replay_that_cannot_read_the_list_says_why_and_leaves_it_open(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.tenants = WRONG_ANSWER
    tell(pull.engine, HEALTHY)
    ((result, why),) = replayed(pull)
    assert result == "could not be read"
    assert "RoSaaS" in why
    assert pull.rows(KEPT) == [OPEN]


def test_one_that_was_discarded_comes_back_with_other_bytes_alone(engine: Engine) -> None:
    tell(engine, HEALTHY)
    ((row_id,),) = rows(engine, "SELECT id FROM ops.quarantine")
    with engine.begin() as connection:
        discard(connection, [int(str(row_id))], reason="a sample")
    discarded = (*OPEN[:-1], "discarded: a sample")
    tell(engine, HEALTHY)
    assert rows(engine, KEPT) == [discarded]
    tell(engine, HEALTHY + b" ")
    assert rows(engine, KEPT) == [discarded, (*OPEN[:4], HEALTHY + b" ", None)]
