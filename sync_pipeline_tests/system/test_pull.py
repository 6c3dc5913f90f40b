"""`sync-pipeline pull`: what is asked for, how it is told, and slices of time."""

from __future__ import annotations

import json

from dagster import DagsterRunStatus, RunsFilter

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline_tests.system.installation import Done, Installation, lines
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

LATEST = "SELECT max(started_at) FROM ops.sync_runs"
SESSIONS = "SELECT sessions FROM pg_stat_database WHERE datname = 'dagster'"
SINCE = """
    SELECT source || '/' || entity, cause, outcome, rows_read, rows_unchanged, scopes_read
    FROM ops.sync_runs WHERE started_at > %s ORDER BY started_at
"""


def runs_of(
    small: Installation, *arguments: str, **environ: str
) -> tuple[Done, list[tuple[object, ...]]]:
    """Pull; return how that ended with the runs that it made."""
    before = small.ask(LATEST)[0][0]
    done = small.run("pull", *arguments, environ=environ)
    return done, small.ask(SINCE, before)


def versions(small: Installation, table: str, where: str) -> list[tuple[object, ...]]:
    return small.ask(f"SELECT xmin::text, * FROM warehouse.{table} WHERE {where} ORDER BY 3")


def test_only_the_named_streams_are_read(small: Installation) -> None:
    done, runs = runs_of(small, "rosaas/tenants", "crmcom/contacts")
    done.succeeded()
    assert [run[0] for run in runs] == ["rosaas/tenants", "crmcom/contacts"]


def test_runs_keep_their_connections_to_the_storage_of_dagster(small: Installation) -> None:
    def sessions() -> int:
        return int(str(small.ask(SESSIONS, database="postgres")[0][0]))

    before = sessions()
    small.run("pull", "rosaas/plans", "rosaas/specifications").succeeded()
    # Each run says some fifty things.
    assert 0 < sessions() - before < 30


def test_an_unknown_stream_is_refused_with_the_list_of_streams(small: Installation) -> None:
    done, runs = runs_of(small, "rosaas/tenants", "crmcom/contcts")
    assert done.code == 2
    assert runs == []
    assert "crmcom/contcts" in done.err
    for stream in STREAMS:
        assert stream in done.err
    assert "Traceback" not in done.err


def test_one_contact_is_read_and_no_other(small: Installation) -> None:
    contacts = [row["contact_id"] for row in small.world("contacts", source="crmcom")]
    chosen, names = str(contacts[17]), ("contacts", "communications")
    others = f"contact_id <> '{chosen}'"
    before = [versions(small, name, others) for name in names]
    with_reading_times = "SELECT scope, read_at FROM ops.watermarks WHERE scope <> %s ORDER BY 1, 2"
    read_before = small.ask(with_reading_times, chosen)
    done, runs = runs_of(small, "crmcom/contacts", "crmcom/communications", "--contact", chosen)
    done.succeeded()
    messages = sum(row["contact_id"] == chosen for row in small.world("communications"))
    assert [(run[0], run[2], run[4], run[5]) for run in runs] == [
        ("crmcom/contacts", "succeeded", 1, 1),
        ("crmcom/communications", "succeeded", messages, 1),
    ]
    assert [versions(small, name, others) for name in names] == before
    assert small.ask(with_reading_times, chosen) == read_before


def test_full_loads_again_what_the_hashes_would_have_dropped(small: Installation) -> None:
    small.ask("UPDATE warehouse.tenants SET display_name = 'not what the source says' RETURNING 1")
    kept, _ = runs_of(small, "rosaas/tenants")
    kept.succeeded()
    assert warehouse_rows(small, ENTITIES["tenants"]) != world_rows(small, ENTITIES["tenants"])
    small.ask("UPDATE warehouse.tenants SET content_hash = '' RETURNING 1")
    done, runs = runs_of(small, "rosaas/tenants", "--full")
    done.succeeded()
    assert len(runs) == 1
    assert warehouse_rows(small, ENTITIES["tenants"]) == world_rows(small, ENTITIES["tenants"])


def test_json_is_alone_on_standard_output(small: Installation) -> None:
    done, runs = runs_of(small, "--json")
    done.succeeded()
    told = json.loads(done.out)
    assert [(row["stream"], row["read"]) for row in told] == [(run[0], run[3]) for run in runs]
    assert all(row["complete"] for row in told)
    assert "not proven complete" not in done.err


def test_strict_fails_for_what_could_not_be_proven_complete(small: Installation) -> None:
    assert runs_of(small, "rosaas/tenants", "--strict")[0].code == 0
    # Not the name by which the API knows a page: whatever is asked for, the first one comes.
    done, runs = runs_of(small, "rocs/communications", "--strict", ROCS_PAGE_PARAM="seite")
    assert done.code == 1
    assert [run[2] for run in runs] == ["succeeded"]
    complaints = [line for line in lines(done.err) if "not proven complete" in line]
    assert {line.partition(":")[0] for line in complaints} == {"rocs/communications"}


def test_a_pull_goes_on_over_several_runs_until_all_is_read() -> None:
    with Installation() as slow:
        slow.start_sandbox(contacts=12, latency_ms=200)
        slices = {"RUN_SLICE_SECONDS": "0.5", "CRMCOM_MAX_IN_FLIGHT": "2"}
        done = slow.run("pull", "crmcom/contacts", "crmcom/communications", environ=slices)
        done.succeeded()
        runs = slow.ask(
            "SELECT entity, outcome, scopes_total, scopes_read, rows_inserted "
            "FROM ops.sync_runs ORDER BY started_at"
        )
        for entity in ("contacts", "communications"):
            of_entity = [run[1:] for run in runs if run[0] == entity]
            assert len(of_entity) > 1
            left = 12
            for outcome, total, read, _ in of_entity:
                assert (outcome, total) == ("succeeded", left)
                assert isinstance(read, int)
                left -= read
            assert left == 0
            true = world_rows(slow, ENTITIES[entity], source="crmcom")
            assert sum(int(str(run[3])) for run in of_entity) == len(true)
            assert warehouse_rows(slow, ENTITIES[entity]) == true
        with slow.dagster() as instance:
            successes = RunsFilter(statuses=[DagsterRunStatus.SUCCESS])
            assert instance.get_runs_count(successes) == len(runs)
