"""Backfills in Dagster: days of one table, spans of time, and full pulls that read to their end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, STREAMS
from sync_pipeline.orchestration.backfill import DAYS, days_asset, days_key
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.orchestration.schedules import run_config
from sync_pipeline.settings import read_settings
from sync_pipeline_tests.pull_vendors import UNAVAILABLE, Row, Vendors
from sync_pipeline_tests.scripted_server import Scripted

BY_DAY = days_key(CRMCOM_COMMUNICATIONS)
A_WEEK_S = "604800"


def message(name: str, day: str) -> Row:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC, hour=12)
    return {"id": name, "created_on": int(at.timestamp())}


def hold(vendors: Vendors, contact_id: str, *rows: Row) -> None:
    vendors.hold_communications(contact_id, rows)


def days_run(
    instance: dg.DagsterInstance, first: str, last: str, **tags: str
) -> dg.ExecuteInProcessResult:
    """Run a range of days as a backfill does."""
    bounds = {"start": first, "end": last}
    ranged = {f"dagster/asset_partition_range_{name}": day for name, day in bounds.items()}
    return dg.materialize(
        [days_asset(CRMCOM_COMMUNICATIONS)],
        resources={"pipeline": Pipeline()},
        instance=instance,
        tags=ranged | {f"dagster/{name}": value for name, value in tags.items()},
        raise_on_error=False,
    )


def stream_run(
    instance: dg.DagsterInstance, stream: str, again: str | None = None, **options: object
) -> dg.ExecuteInProcessResult:
    """Run a stream's asset as the launchpad does, with ``options`` as its configuration."""
    job = build_definitions(read_settings({})).resolve_job_def("pull_job")
    of_again = {"dagster/root_run_id": again, "dagster/parent_run_id": again} if again else {}
    return job.execute_in_process(
        instance=instance,
        run_id=str(uuid.uuid4()),
        asset_selection=[dg.AssetKey(stream.split("/"))],
        run_config=run_config(STREAMS[stream], **options),
        tags=of_again,
        raise_on_error=False,
    )


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def loaded(engine: Engine) -> list[object]:
    query = "SELECT communication_id FROM warehouse.communications ORDER BY 1"
    return [name for (name,) in rows(engine, query)]


def tags_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> Mapping[str, str]:
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return run.tags


@pytest.fixture
def days(vendors: Vendors, bare_environment: pytest.MonkeyPatch) -> Vendors:
    """Serve two contacts with a message on each of some days, by the second version."""
    bare_environment.setenv("CRMCOM_BASE_URL", f"{vendors.server.url}/self-service/v2")
    bare_environment.setenv("CRMCOM_MAX_IN_FLIGHT", "1")
    vendors.hold_contacts("a", "b")
    hold(vendors, "a", *[message(f"m-{day}", f"2026-03-{day}") for day in range(10, 16)])
    return vendors


def test_each_day_since_the_first_is_a_partition_and_the_day_that_has_begun_is_the_last() -> None:
    keys = DAYS.get_partition_keys(current_time=datetime(2026, 3, 10, 0, 1, tzinfo=UTC))
    assert (keys[0], keys[-1]) == ("2000-01-01", "2026-03-10")
    assert len(keys) == (date(2026, 3, 10) - date(2000, 1, 1)) / timedelta(days=1) + 1
    # Dagster's bound for one asset is far away for as long as anybody will care.
    assert len(keys) + 200 * 366 < 100_000


def test_a_range_of_days_is_one_run_however_long_it_is() -> None:
    node = build_definitions(read_settings({})).resolve_asset_graph().get(BY_DAY)
    assert node.partitions_def == DAYS
    policy = node.backfill_policy
    assert policy is not None
    assert (policy.max_partitions_per_run or 0) >= 100_000
    assert not node.automation_condition


def test_no_schedule_and_no_job_of_the_live_pulls_runs_it() -> None:
    definitions = build_definitions(read_settings({}))
    job = definitions.resolve_job_def("pull_job")
    assert BY_DAY not in job.asset_layer.executable_asset_keys


def test_a_run_reads_its_days_and_materialises_each_of_them(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    result = days_run(instance, "2026-03-11", "2026-03-13", backfill="of-march")
    assert result.success
    assert loaded(engine) == ["m-11", "m-12", "m-13"]
    (query,) = days.list_requests("a", "/self-service/v2/contacts")
    assert set(query) == {"page", "created_on[gte]", "created_on[lt]"}
    events = result.asset_materializations_for_node(BY_DAY.to_python_identifier())
    assert {event.partition for event in events} == {"2026-03-11", "2026-03-12", "2026-03-13"}
    told = {name: entry.value for name, entry in events[0].metadata.items()}
    assert (told["rows_inserted"], told["requests"], told["is_complete"]) == (3, 4, True)
    runs = rows(engine, "SELECT run_id, entity, cause, outcome FROM ops.sync_runs")
    assert runs == [(result.run_id, "communications", "ui", "succeeded")]
    # The daemon ends what takes too long; of these it knows that they may take days.
    assert tags_of(instance, result)["dagster/max_runtime"] == A_WEEK_S


def test_a_run_that_fails_materialises_none_of_its_days_and_no_other_run_s_fail_with_it(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    days.hold_communications("b", UNAVAILABLE)
    days.hold_communications("a", UNAVAILABLE)
    failed = days_run(instance, "2026-03-11", "2026-03-11", backfill="two-days")
    hold(days, "a", message("m-14", "2026-03-14"))
    hold(days, "b")
    other = days_run(instance, "2026-03-14", "2026-03-14", backfill="two-days")
    assert (failed.success, other.success) == (False, True)
    assert loaded(engine) == ["m-14"]
    materialised = instance.get_materialized_partitions(BY_DAY)
    assert materialised == {"2026-03-14"}
    failure = failed.failure_data_for_node(BY_DAY.to_python_identifier())
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "status 500" in str(failure.user_failure_data.description)


AGAIN = {
    "run once more within its backfill": {"backfill": "one"},
    "its backfill executed again": {"backfill": "two", "root_backfill_id": "one"},
}


def half_read(days: Vendors, instance: dg.DagsterInstance, **tags: str) -> str:
    """Let a run fail that has read one contact of seven; return its id."""
    names = [f"c-{number}" for number in range(7)]
    days.hold_contacts(*names)
    for name in names[1:]:
        days.hold_communications(name, UNAVAILABLE)
    failed = days_run(instance, "2026-03-11", "2026-03-12", **tags)
    assert not failed.success
    for name in names:
        hold(days, name, message(f"m-{name}", "2026-03-11"))
    days.forget_requests()
    return failed.run_id


@pytest.mark.parametrize("how", AGAIN)
def test_a_run_that_failed_goes_on_with_the_rest_when_it_is_run_again(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine, how: str
) -> None:
    half_read(days, instance, backfill="one")
    assert days_run(instance, "2026-03-11", "2026-03-12", **AGAIN[how]).success
    assert not days.list_requests("c-0", "/self-service/v2/contacts")
    assert loaded(engine) == [f"m-c-{number}" for number in range(1, 7)]


def test_a_run_without_a_backfill_goes_on_when_it_is_executed_again(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    first = half_read(days, instance)
    again = {"root_run_id": first, "parent_run_id": first}
    assert days_run(instance, "2026-03-11", "2026-03-12", **again).success
    assert not days.list_requests("c-0", "/self-service/v2/contacts")
    assert len(loaded(engine)) == 6


def test_a_new_backfill_of_the_same_days_reads_everything(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    half_read(days, instance, backfill="one")
    assert days_run(instance, "2026-03-11", "2026-03-12", backfill="two").success
    assert loaded(engine) == [f"m-c-{number}" for number in range(7)]


def test_a_full_run_from_the_launchpad_reads_to_its_end_whatever_a_slice_is(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_SLICE_SECONDS", "0.01")
    names = [f"c-{number}" for number in range(5)]
    days.hold_contacts(*names)
    for name in names:
        days.hold_communications(name, Scripted(delay_s=0.05, body=b'{"content":[]}'))
    sliced = stream_run(instance, "crmcom/communications")
    full = stream_run(instance, "crmcom/communications", is_full=True)
    assert (sliced.success, full.success) == (True, True)
    read = rows(engine, "SELECT scopes_total, scopes_read FROM ops.sync_runs ORDER BY started_at")
    assert read == [(5, 1), (5, 5)]
    assert tags_of(instance, full)["dagster/max_runtime"] == A_WEEK_S
    assert "dagster/max_runtime" not in tags_of(instance, sliced)


def test_a_full_run_that_failed_goes_on_with_the_rest_when_it_is_executed_again(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    names = [f"c-{number}" for number in range(7)]
    days.hold_contacts(*names)
    for name in names[1:]:
        days.hold_communications(name, UNAVAILABLE)
    failed = stream_run(instance, "crmcom/communications", is_full=True)
    assert not failed.success
    for name in names:
        hold(days, name, message(f"m-{name}", "2026-03-11"))
    days.forget_requests()
    assert stream_run(instance, "crmcom/communications", failed.run_id, is_full=True).success
    # What the first attempt has read, or given up for the time being, is not asked again at once.
    assert loaded(engine) == ["m-c-6"]
    assert not days.list_requests("c-0", "/self-service/v2/contacts")


def test_contacts_and_a_span_of_time_may_be_named_in_the_launchpad(
    days: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    hold(days, "b", message("m-b", "2026-03-12"))
    span = {"since": "2026-03-12T00:00:00Z", "until": "2026-03-14T00:00:00+00:00"}
    assert stream_run(instance, "crmcom/communications", only=["a"], **span).success
    assert loaded(engine) == ["m-12", "m-13"]
    assert rows(engine, "SELECT scope FROM ops.watermarks WHERE entity = 'communications'") == []


def test_a_span_of_time_of_what_has_no_time_of_creation_is_refused_in_words(
    days: Vendors, instance: dg.DagsterInstance
) -> None:
    assert days.tenants == []
    result = stream_run(instance, "rosaas/plans", since="2026-03-12T00:00:00Z")
    failure = result.failure_data_for_node("rosaas__plans")
    assert failure is not None
    assert failure.user_failure_data is not None
    expected = "rosaas/plans cannot be read by the time of creation"
    assert failure.user_failure_data.description == expected
