"""`sync-pipeline backfill` where no daemon runs: the command does it, Dagster shows it as ever."""

from __future__ import annotations

import json

from dagster import DagsterRunStatus, RunsFilter
from dagster._core.execution.backfill import BulkActionStatus

from sync_pipeline_tests.system.installation import Installation

STREAM = "crmcom/communications"
DAYS = ("--from", "2025-03-01", "--to", "2025-04-30")
CREATED = """SELECT count(*) FROM warehouse.communications
    WHERE source = 'crmcom'
        AND source_created_at >= '2025-03-01' AND source_created_at < '2025-05-01'"""
LIVE = "SELECT * FROM ops.watermarks ORDER BY source, entity, scope"


def test_the_command_reads_its_days_and_dagster_shows_a_backfill(small: Installation) -> None:
    live, ((created,),) = small.ask(LIVE), small.ask(CREATED)
    assert int(str(created)) > 0
    gone = f"DELETE {CREATED.partition('*)')[2]} RETURNING 1"
    assert len(small.ask(gone)) == created

    done = small.run("backfill", STREAM, *DAYS, "--json")

    done.succeeded()
    (told,) = json.loads(done.out)
    named = ("stream", "days", "outcome", "inserted", "complete")
    assert [told[name] for name in named] == [STREAM, 61, "succeeded", created, True]
    assert small.ask(CREATED) == [(created,)]
    assert small.ask(LIVE) == live
    with small.dagster() as instance:
        record = instance.get_backfill(told["backfill"])
        assert record is not None
        assert record.status is BulkActionStatus.COMPLETED_SUCCESS
        assert record.asset_backfill_data is not None
        left = record.asset_backfill_data.get_targeted_partitions_without_materialization_status()
        assert left.is_empty
        of_it = RunsFilter(tags={"dagster/backfill": told["backfill"]})
        assert [run.status for run in instance.get_runs(of_it)] == [DagsterRunStatus.SUCCESS]


def test_the_same_command_goes_on_with_one_that_did_not_come_to_its_end(
    small: Installation,
) -> None:
    contacts = small.ask("SELECT contact_id FROM ops.contact_registry ORDER BY 1 LIMIT 2")
    windows = "2025-03-01T00:00:00+00:00/2025-05-01T00:00:00+00:00"
    ((number,),) = small.ask(
        "INSERT INTO ops.backfills (source, entity, origin, windows) "
        "VALUES ('crmcom', 'communications', 'earlier', %s) RETURNING id",
        windows,
    )
    for (contact_id,) in contacts:
        progress = "INSERT INTO ops.backfill_progress VALUES (%s, %s) RETURNING 1"
        small.ask(progress, number, contact_id)

    done = small.run("backfill", STREAM, *DAYS)

    done.succeeded()
    assert "going on with backfill earlier, which has read 2 contacts" in done.err
    latest = "SELECT scopes_total, cause FROM ops.sync_runs ORDER BY started_at DESC LIMIT 1"
    assert small.ask(latest) == [(58, "backfill")]
    assert small.ask("SELECT * FROM ops.backfills") == []


def test_a_pull_of_a_span_of_time_reads_what_was_created_in_it(small: Installation) -> None:
    live = small.ask(LIVE)
    span = ("--since", "2025-03-01", "--until", "2025-05-01T00:00:00Z")
    ((created,),) = small.ask(CREATED)

    done = small.run("pull", *span, "--json")

    done.succeeded()
    told = json.loads(done.out)
    named = ("stream", "outcome", "unchanged", "complete")
    assert [[one[name] for name in named] for one in told] == [[STREAM, "succeeded", created, True]]
    assert told[0]["read"] == created + told[0]["ignored"] + told[0]["duplicate"]
    assert small.ask(LIVE) == live
