"""`sync-pipeline run` from nothing: the warehouse, the records of the work, Dagster's, the output.

After it, the commands that must change nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRunStatus

from sync_pipeline.entities import ENTITIES, STREAMS, Entity
from sync_pipeline_tests.system.installation import Done, Installation, awaited
from sync_pipeline_tests.system.rows import (
    carried_columns,
    differences,
    personal_values,
    warehouse_rows,
    world_rows,
)

FirstRun = tuple[Installation, Done]
PAGE = 100
PARTS = (
    *("rows_inserted", "rows_updated", "rows_unchanged", "rows_duplicate"),
    *("rows_outdated", "rows_ignored", "rows_suppressed", "rows_quarantined"),
)
BUSINESS_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'warehouse' AND table_name = %s AND column_name <> ALL (%s)
"""
BOOKKEEPING = ["raw_hash", "content_hash", "observed_at", "cause", "deleted_at", "run_id"]
DAGSTER_TEXTS = (("event_logs", "event"), ("runs", "run_body"), ("job_ticks", "tick_body"))
WRITES = """
    SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
    WHERE schemaname = 'warehouse' ORDER BY relname
"""


def test_the_first_run_succeeds(first_run: FirstRun) -> None:
    _, done = first_run
    done.succeeded()


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_the_warehouse_equals_the_world_in_every_column(
    first_run: FirstRun, entity: Entity
) -> None:
    installation, _ = first_run
    found, true = warehouse_rows(installation, entity), world_rows(installation, entity)
    assert len(true) > 0
    assert differences(found, true, entity) == []


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_the_comparison_covers_every_business_column_of_the_table(
    first_run: FirstRun, entity: Entity
) -> None:
    installation, _ = first_run
    names = installation.ask(BUSINESS_COLUMNS, entity.name, [*BOOKKEEPING, "loaded_at"])
    assert {str(name) for (name,) in names} == set(carried_columns(entity))


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_rows_are_first_versions_from_their_source(first_run: FirstRun, entity: Entity) -> None:
    installation, _ = first_run
    table = f"warehouse.{entity.name}"
    said = (
        "cause, deleted_at IS NULL, observed_at <= loaded_at, "
        "run_id IN (SELECT run_id FROM ops.sync_runs)"
    )
    question = f"SELECT DISTINCT {said} FROM {table}"
    assert installation.ask(question) == [("source", True, True, True)]
    assert installation.ask(f"SELECT count(*) FROM {table}_history") == [(0,)]
    assert installation.ask("SELECT count(*) FROM ops.quarantine") == [(0,)]


def test_each_stream_had_one_run_whose_counts_add_up(first_run: FirstRun) -> None:
    installation, _ = first_run
    columns = ", ".join(PARTS)
    runs = installation.ask(
        f"SELECT source || '/' || entity, outcome, cause, rows_read, error, {columns} "
        "FROM ops.sync_runs ORDER BY started_at LIMIT %s",
        len(STREAMS),
    )
    assert [run[0] for run in runs] == list(STREAMS)
    for stream, outcome, cause, read, error, *parts in runs:
        source, _, entity = str(stream).partition("/")
        rows = len(installation.world(entity, source=source))
        assert (outcome, cause, error) == ("succeeded", "pull", None)
        assert read == sum(int(str(part)) for part in parts)
        assert dict(zip(PARTS, parts, strict=True)) == dict.fromkeys(PARTS, 0) | {
            "rows_inserted": rows,
            "rows_duplicate": int(str(read)) - rows,
        }


def test_every_scope_has_the_proof_that_its_list_allows(first_run: FirstRun) -> None:
    installation, _ = first_run
    proofs = "SELECT scope, proof, reason FROM ops.watermarks WHERE source = %s AND entity = %s"
    contacts, customers = (
        [str(row["contact_id"]) for row in installation.world("contacts", source=source)]
        for source in ("crmcom", "rocs")
    )
    lengths = dict.fromkeys(contacts, 0)
    for row in installation.world("communications", source="crmcom"):
        lengths[str(row["contact_id"])] += 1
    # CRM.COM's lists of several pages show no order of their rows and are read twice; ROCS's do.
    proven, agreeing = ("single_response", None), ("agreeing_passes", None)
    ordered = ("tail_first", None)

    def found(source: str, entity: str) -> dict[object, tuple[object, ...]]:
        return {scope: tuple(rest) for scope, *rest in installation.ask(proofs, source, entity)}

    tenants = [str(row["tenant_name"]) for row in installation.world("tenants")]
    assert found("rosaas", "tenants") == dict.fromkeys(["", *tenants], proven)
    assert found("crmcom", "contacts") == {"": agreeing} | dict.fromkeys(contacts, proven)
    assert found("crmcom", "communications") == {
        contact: agreeing if length > PAGE else proven for contact, length in lengths.items()
    }
    assert max(lengths.values()) > 10 * PAGE
    assert found("crmcom", "approval_requests") == dict.fromkeys(contacts, proven)
    # The rows of a list are its own scope; those of its dynamic fields are single answers.
    assert found("rocs", "contacts") == {"": ordered} | dict.fromkeys(customers, proven)
    assert found("rocs", "communications") == {"": ordered}
    for source, entity in (
        *(("rosaas", "plans"), ("rosaas", "specifications")),
        *(("rocs", "contact_lists"), ("rocs", "campaigns")),
    ):
        assert found(source, entity) == {"": proven}


def test_a_world_that_stands_still_is_complete_after_one_run(first_run: FirstRun) -> None:
    installation, _ = first_run
    complete = installation.ask(
        "SELECT source || '/' || entity, is_complete, scopes_incomplete > 0, scopes_denied "
        "FROM ops.sync_runs ORDER BY started_at LIMIT %s",
        len(STREAMS),
    )
    assert complete == [
        ("rosaas/plans", True, False, 0),
        ("rosaas/specifications", True, False, 0),
        ("rosaas/tenants", True, False, 0),
        ("rocs/contacts", True, False, 0),
        ("rocs/contact_lists", True, False, 0),
        ("rocs/campaigns", True, False, 0),
        ("rocs/communications", True, False, 0),
        ("crmcom/contacts", True, False, 0),
        ("crmcom/communications", True, False, 0),
        ("crmcom/approval_requests", True, False, 0),
    ]


@pytest.fixture
def dagster(first_run: FirstRun) -> Iterator[DagsterInstance]:
    installation, _ = first_run
    with installation.dagster() as instance:
        yield instance


def test_dagster_has_one_successful_run_per_stream(dagster: DagsterInstance) -> None:
    runs = dagster.get_runs(limit=None)[-len(STREAMS) :]
    assert {run.status for run in runs} == {DagsterRunStatus.SUCCESS}
    tags = [{k: v for k, v in run.tags.items() if k.startswith("sync/")} for run in runs]
    assert tags[::-1] == [
        {
            "sync/source": stream.source,
            "sync/entity": stream.entity.name,
            "sync/cause": "pull",
            "sync/lane": "bulk",
        }
        for stream in STREAMS.values()
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_a_materialisation_shows_counts_seconds_proof_and_preview(
    first_run: FirstRun, dagster: DagsterInstance, name: str
) -> None:
    installation, _ = first_run
    stream = STREAMS[name]
    key = AssetKey([stream.source, stream.entity.name])
    first = dagster.fetch_materializations(key, limit=1000).records[-1]
    assert first.asset_materialization is not None
    shown = {k: entry.value for k, entry in first.asset_materialization.metadata.items()}
    run_id = first.run_id
    counts = installation.ask(
        "SELECT to_jsonb(r) FROM ops.sync_runs r WHERE run_id = %s AND entity = %s",
        *(run_id, stream.entity.name),
    )[0][0]
    assert isinstance(counts, dict)
    for column, value in counts.items():
        if column.startswith(("rows_", "scopes_")) or column in {"requests", "bytes_read"}:
            assert shown[column] == value, column
    assert shown["dagster/table_name"] == f"warehouse.{stream.entity.name}"
    assert shown["dagster/row_count"] == counts["rows_inserted"]
    assert shown["is_complete"] == counts["is_complete"]
    assert isinstance(shown["seconds"], float)
    assert shown["seconds"] > 0
    assert counts["scopes_incomplete"] == 0
    assert "incomplete" not in str(shown["proof"])
    assert counts["is_complete"] is True
    preview = str(shown["preview"]).splitlines()
    assert preview[0] == "| " + " | ".join(stream.entity.presentable) + " |"
    assert len(preview) > 2


def test_nobody_s_data_is_in_dagster_or_in_a_log(first_run: FirstRun) -> None:
    installation, done = first_run
    told = [text for _, text in installation.log_files()] + [done.out, done.err]
    for table, column in DAGSTER_TEXTS:
        rows = installation.ask(f"SELECT {column} FROM {table}", database="dagster")
        told += ["\n".join(_texts(json.loads(str(body)))) for (body,) in rows]
    everything = "\n".join(told)
    words = set(re.findall(r"\w+", everything))
    personal = personal_values(installation)
    shown = {v for v in personal if (v in words if v.isalnum() else v in everything)}
    assert len(personal) > 1000
    assert shown == set()


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [str(value)]


def test_the_output_shows_what_was_loaded_three_answers_and_how_to_go_on(
    first_run: FirstRun,
) -> None:
    installation, done = first_run
    assert installation.sandbox_url in done.out
    for stream in STREAMS.values():
        count = f"{len(installation.world(stream.entity.name, source=stream.source)):,}"
        (line,) = [line for line in done.out.splitlines() if str(stream) in line]
        assert count in line.split()
    questions = [line for line in done.out.splitlines() if line.endswith("?")]
    assert len(questions) == 3
    for question in questions:
        answer = done.out.partition(question)[2].partition(";")[2].splitlines()
        assert any(re.search(r"\w+\W+\d+", line) for line in answer[:20]), question
    assert f"http://127.0.0.1:{installation.ui_port}" in done.out
    assert "sync-pipeline url" in done.out
    assert "Traceback" not in done.err


@pytest.fixture(scope="module")
def before_and_after(first_run: FirstRun) -> tuple[Done, dict[str, object], dict[str, object]]:
    """Pull once more while nothing changed, with the tables' traces before and after."""
    installation, _ = first_run
    before = _traces(installation)
    done = installation.run("pull", "--json")
    return done, before, _traces(installation)


def _traces(installation: Installation) -> dict[str, object]:
    """Every row's xmin, and the counters of writes once no session has any to report."""
    xmins = "SELECT source, {}, xmin::text FROM warehouse.{} ORDER BY 1, 2"
    traces: dict[str, object] = {
        name: installation.ask(xmins.format(entity.key, name)) for name, entity in ENTITIES.items()
    }
    # A session reports its counts at the latest when it ends.
    others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sync-pipeline'"
    awaited(lambda: installation.ask(others) == [(0,)], "the pipeline's sessions end")
    return traces | {"writes": installation.ask(WRITES)}


def test_a_second_pull_writes_to_no_warehouse_table(
    before_and_after: tuple[Done, dict[str, object], dict[str, object]],
) -> None:
    done, before, after = before_and_after
    done.succeeded()
    assert after == before


def test_a_second_pull_counts_all_rows_as_unchanged(
    first_run: FirstRun,
    before_and_after: tuple[Done, dict[str, object], dict[str, object]],
) -> None:
    installation, _ = first_run
    for row in json.loads(before_and_after[0].out):
        source, _, entity = row["stream"].partition("/")
        rows = len(installation.world(entity, source=source))
        assert row["unchanged"] == rows
        assert row["read"] == rows + row["duplicate"]
        assert (row["inserted"], row["updated"], row["outdated"], row["quarantined"]) == (0,) * 4


def test_a_second_run_starts_nothing_anew(first_run: FirstRun) -> None:
    installation, _ = first_run

    def standing() -> tuple[object, ...]:
        cluster = "SELECT system_identifier FROM pg_control_system()"
        applied = "SELECT number, applied_at FROM ops.schema_migrations ORDER BY number"
        servers = (installation.noted_pid("sandbox"), installation.postmaster_pid())
        return (*servers, installation.ask(cluster), installation.ask(applied))

    before = standing()
    traces = _traces(installation)
    installation.run("run").succeeded()
    assert standing() == before
    assert _traces(installation) == traces
