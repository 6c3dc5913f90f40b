"""What materialising an asset does: one run of the pull, told to Dagster; failures in words."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS
from sync_pipeline.orchestration.assets import stream_asset
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.settings import read_settings
from sync_pipeline_tests.pull_vendors import ROSAAS_LOGIN, UNAVAILABLE, WRONG_ANSWER, Vendors
from sync_pipeline_tests.scripted_server import Scripted

TENANT = {"systemName": "acme", "displayName": "Acme", "status": 7}
REFUSAL = {
    "metadata": {
        "errors": [{"message": "no such client", "sysCode": "2002", "parameter": ""}],
        "success": False,
    }
}


def materialise(name: str, instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [stream_asset(STREAMS[name], read_settings({}))],
        resources={"pipeline": Pipeline()},
        instance=instance,
        tags=tags,
        raise_on_error=False,
    )


def run_row(engine: Engine, run_id: str, columns: str) -> tuple[object, ...]:
    query = text(f"SELECT {columns} FROM ops.sync_runs WHERE run_id = :run_id")
    with engine.connect() as connection:
        return tuple(connection.execute(query, {"run_id": run_id}).one())


def test_a_materialisation_tells_what_the_run_did(
    vendors: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    vendors.hold_tenants(TENANT)
    vendors.hold_detail("acme", TENANT | {"step": 2, "metadata": None, "specifications": []})
    result = materialise("rosaas/tenants", instance, **{"sync/cause": "schedule"})
    assert result.success
    ((event,),) = [result.asset_materializations_for_node("rosaas__tenants")]
    told = {name: entry.value for name, entry in event.metadata.items()}
    columns = "cause, rows_read, rows_inserted, is_complete, requests"
    assert run_row(engine, result.run_id, columns) == (
        "schedule",
        told["rows_read"],
        told["rows_inserted"],
        told["is_complete"],
        told["requests"],
    )
    assert (told["rows_read"], told["dagster/row_count"], told["is_complete"]) == (1, 1, True)
    assert "| Active | 2 | True |" in str(told["preview"])
    assert "acme" not in str(told).lower()


def test_a_run_from_the_ui_says_so(
    vendors: Vendors, instance: dg.DagsterInstance, engine: Engine
) -> None:
    vendors.hold_tenants()
    result = materialise("rosaas/tenants", instance)
    assert run_row(engine, result.run_id, "cause, outcome") == ("ui", "succeeded")


FAILURES = {
    "refused": (ROSAAS_LOGIN, Scripted.json(REFUSAL, 400), "ROSAAS_CLIENT_SECRET"),
    "wrong answer": ("/api/management/apps/v1/tenants", WRONG_ANSWER, "an HTML page came"),
    "unavailable": ("/api/management/apps/v1/tenants", UNAVAILABLE, "status 500"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_of_ours_is_a_failure_in_our_words_that_dagster_does_not_retry(
    vendors: Vendors, instance: dg.DagsterInstance, engine: Engine, name: str
) -> None:
    path, answer, words = FAILURES[name]
    method = "POST" if path == ROSAAS_LOGIN else "GET"
    vendors.server.script(method, path, answer)
    result = materialise("rosaas/tenants", instance)
    assert not result.success
    failure = result.failure_data_for_node("rosaas__tenants")
    assert failure is not None
    assert failure.user_failure_data is not None
    message = str(failure.user_failure_data.description)
    assert words in message
    assert "the-client-secret" not in message
    assert failure.error is not None
    assert failure.error.cls_name == "Failure"
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert run_row(engine, result.run_id, "outcome, error") == ("failed", message)


def test_a_source_that_is_off_fails_with_its_variable(
    vendors: Vendors, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vendors.detail_requests() == []
    monkeypatch.delenv("ROSAAS_BASE_URL")
    result = materialise("rosaas/tenants", instance)
    failure = result.failure_data_for_node("rosaas__tenants")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "ROSAAS_BASE_URL" in str(failure.user_failure_data.description)
