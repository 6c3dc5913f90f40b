"""`crmcom/communications_by_day`: the table of a stream by days of creation, for backfills alone.

It fills the table of the live asset and has no schedule. Days that follow one another are one run,
which reads each contact's list once.
"""

import warnings
from datetime import UTC, date, datetime

import dagster as dg
from dagster import DagsterRun
from dagster._core.storage.tags import BACKFILL_ID_TAG, ROOT_BACKFILL_ID_TAG, ROOT_RUN_ID_TAG

from sync_pipeline.entities import Stream
from sync_pipeline.orchestration.assets import (
    FOREVER,
    asset_key,
    carry_out_run,
    cause_of,
    let_run_long,
)
from sync_pipeline.orchestration.columns import (
    api_key,
    column_lineage,
    column_schema,
    mapping_of,
)
from sync_pipeline.orchestration.metadata import told_of_run
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.pull.backfill_windows import FIRST_DAY, Backfill, windows_of
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.warehouse.progress import Due

# The day that has begun is one of them.
DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), end_offset=1)
# More than there are: one reading per contact, not one per contact and day.
MOST_DAYS_PER_RUN = 100_000
ORIGIN_TAG = "sync/backfill"


def days_key(stream: Stream) -> dg.AssetKey:
    """Return the key of the asset by which days of a stream are backfilled."""
    return dg.AssetKey([stream.source, f"{stream.entity.name}_by_day"])


def days_asset(stream: Stream) -> dg.AssetsDefinition:
    """Return that asset, of a stream whose rows say when they were created."""
    with warnings.catch_warnings():
        # The policy is "in beta" as long as anybody knows it.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _days_asset(stream)


def _days_asset(stream: Stream) -> dg.AssetsDefinition:
    upstream = [asset_key(stream.upstream)] if stream.upstream else []

    @dg.asset(
        key=days_key(stream),
        deps=[api_key(stream), *upstream],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=MOST_DAYS_PER_RUN),
        group_name=stream.source,
        kinds={"postgres", "pandas"},
        description=(
            f"Fills warehouse.{stream.entity.name}, as {stream} does, with what was created on "
            "the days chosen (UTC). For backfills: what the live asset knows of its own progress "
            "is not touched."
        ),
        metadata={
            "dagster/table_name": f"warehouse.{stream.entity.name}",
            "dagster/column_schema": column_schema(stream.entity),
            "dagster/column_lineage": column_lineage(mapping_of(stream), api_key(stream)),
        },
        op_tags={"sync/source": stream.source, "sync/entity": stream.entity.name},
    )
    def backfill(
        context: dg.AssetExecutionContext, pipeline: Pipeline
    ) -> dg.MaterializeResult[None]:
        origin = origin_of(context.run)
        let_run_long(context)
        # Run again from the UI, it has this tag but not always those of its backfill.
        context.instance.add_run_tags(context.run.run_id, {ORIGIN_TAG: origin})
        windows = windows_of(date.fromisoformat(day) for day in context.partition_keys)
        request = PullRequest(
            Due(datetime.now(UTC)),
            FOREVER,
            cause=cause_of(context),
            patience_s=FOREVER,
            backfill=Backfill(windows, origin),
        )
        report = carry_out_run(context, pipeline, stream, request)
        return dg.MaterializeResult(metadata=told_of_run(report))

    return backfill


def origin_of(run: DagsterRun) -> str:
    """Return what all attempts at a backfill have in common: its first id, or the first run's."""
    for tag in (ORIGIN_TAG, ROOT_BACKFILL_ID_TAG, BACKFILL_ID_TAG, ROOT_RUN_ID_TAG):
        if tag in run.tags:
            return run.tags[tag]
    return run.run_id
