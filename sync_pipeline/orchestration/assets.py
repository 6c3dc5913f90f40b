"""One asset per stream; materialising it is one run of `pull.run.pull_stream`."""

import contextlib
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG, ROOT_RUN_ID_TAG
from pydantic import Field

from sync_pipeline.entities import ROSAAS_TENANTS, Stream
from sync_pipeline.errors import SyncError, WarehouseError
from sync_pipeline.orchestration.columns import (
    api_key,
    column_lineage,
    column_schema,
    mapping_of,
    origins,
)
from sync_pipeline.orchestration.metadata import materialisation
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.pull.backfill_windows import Backfill, Window
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import PullReport, pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline.webhooks.confirming import confirm_work
from sync_pipeline.webhooks.nameless import settle_nameless
from sync_pipeline.webhooks.settling import set_back, settle

FOREVER = float("inf")
# Of runs that are exempt from the slice: at 5 requests a second, three million of them.
LONGEST_RUN = timedelta(days=7)
# Dagster takes no window below a minute.
_SHORTEST = timedelta(minutes=1)


class PullConfig(dg.Config):
    """What a run reads. By default everything of its stream, within one slice of time."""

    is_due_only: bool = Field(default=False, description="Read only what is due by its own time")
    as_of: str | None = Field(
        default=None, description="ISO 8601: read what was not read since (default: now)"
    )
    is_full: bool = Field(default=False, description="Disregard the stored hashes")
    only: list[str] = Field(default_factory=list, description="Only these contacts or tenants")
    allow_deletes: bool = Field(
        default=False, description="Delete also more than MAX_DELETE_SHARE allows"
    )
    since: str | None = Field(default=None, description="ISO 8601: only what was created since")
    until: str | None = Field(default=None, description="ISO 8601: only what was created before")

    @property
    def is_exempt(self) -> bool:
        """Whether the run goes on after its slice of time, and waits for its stream if need be."""
        return self.is_full or self.backfill() is not None

    def request(self, slice_s: float, *, cause: str, asked_at: datetime) -> PullRequest:
        """Return what a run is asked for whose first attempt began at ``asked_at``."""
        return PullRequest(
            self.due(datetime.now(UTC), asked_at=asked_at),
            FOREVER if self.is_exempt else slice_s,
            only=tuple(self.only),
            is_full=self.is_full,
            cause=cause,
            patience_s=FOREVER if self.is_exempt else None,
            allow_deletes=self.allow_deletes,
            backfill=self.backfill(),
        )

    def due(self, now: datetime, *, asked_at: datetime) -> Due:
        """Return what counts as due at ``now`` for a run that was asked for at ``asked_at``."""
        if self.is_due_only:
            return Due(now)
        as_of = datetime.fromisoformat(self.as_of) if self.as_of else asked_at
        return Due(now, as_of=as_of, is_forced=self.is_full)

    def backfill(self) -> Backfill | None:
        """Return the span of creation time that is asked for, if one is."""
        if self.since is None and self.until is None:
            return None
        since, until = (at and datetime.fromisoformat(at) for at in (self.since, self.until))
        return Backfill((Window(since or None, until or None),))


def asset_key(stream: Stream) -> dg.AssetKey:
    """Return the asset key SOURCE/ENTITY."""
    return dg.AssetKey([stream.source, stream.entity.name])


def freshness_policy(settings: Settings) -> dg.FreshnessPolicy:
    """Return when a stream that was not read again is stale; half of it is time for a warning."""
    bound = max(timedelta(hours=settings.staleness_bound_hours), 2 * _SHORTEST)
    return dg.FreshnessPolicy.time_window(fail_window=bound, warn_window=bound / 2)


def stream_asset(stream: Stream, settings: Settings) -> dg.AssetsDefinition:
    """Return the asset of a stream."""
    upstream = [asset_key(stream.upstream)] if stream.upstream else []

    @dg.asset(
        key=asset_key(stream),
        deps=[api_key(stream), *upstream],
        group_name=stream.source,
        kinds={"postgres", "pandas"},
        description=stream.entity.table.comment,
        freshness_policy=freshness_policy(settings),
        metadata={
            "dagster/table_name": f"warehouse.{stream.entity.name}",
            "dagster/column_schema": column_schema(stream.entity),
            "dagster/column_lineage": column_lineage(mapping_of(stream), api_key(stream)),
            "origin of the columns": origins(mapping_of(stream)),
        },
        op_tags={"sync/source": stream.source, "sync/entity": stream.entity.name},
    )
    def pull(
        context: dg.AssetExecutionContext, config: PullConfig, pipeline: Pipeline
    ) -> dg.MaterializeResult[None]:
        slice_s = pipeline.settings.run_slice_seconds
        request = config.request(slice_s, cause=cause_of(context), asked_at=_asked_at(context))
        if config.is_exempt:
            let_run_long(context)
        report = carry_out_run(context, pipeline, stream, request)
        return materialisation(pipeline.engine, stream, report)

    return pull


def cause_of(context: dg.AssetExecutionContext) -> str:
    """Return what asked for the run, for `ops.sync_runs`."""
    return context.run.tags.get("sync/cause", "ui")


def let_run_long(context: dg.AssetExecutionContext) -> None:
    """Tell the daemon, which ends runs that take too long, that this one may."""
    longest_s = str(int(LONGEST_RUN.total_seconds()))
    context.instance.add_run_tags(context.run.run_id, {MAX_RUNTIME_SECONDS_TAG: longest_s})


def carry_out_run(
    context: dg.AssetExecutionContext, pipeline: Pipeline, stream: Stream, request: PullRequest
) -> PullReport:
    """Pull as Dagster's run; an error of ours becomes a failure in its words."""
    try:
        report = pull_stream(
            stream,
            request,
            settings=pipeline.settings,
            engine=pipeline.engine,
            run_id=context.run.run_id,
        )
        _settle_events(pipeline, stream, request, report)
    except SyncError as exc:
        if request.only:
            with contextlib.suppress(WarehouseError):
                # With the database away, they wait without a word.
                set_back(pipeline.engine, stream, request.only, exc)
        # Retries are the HTTP core's business, and progress is kept: the next tick goes on.
        raise dg.Failure(description=str(exc), allow_retries=False) from exc
    return report


def _settle_events(
    pipeline: Pipeline, stream: Stream, request: PullRequest, report: PullReport
) -> None:
    """Settle the webhooks' events that the reading answered, whoever asked for it."""
    engine = pipeline.engine
    rosaas = pipeline.settings.rosaas
    if stream == ROSAAS_TENANTS and rosaas is not None:
        settle_nameless(engine)
        # Whoever asked: a lifecycle call that was lost is repaired by the poll. Before the events
        # are settled: where it fails, they wait and it is tried again.
        confirm_work(engine, rosaas.auto_confirm, request.only)
    began_at = report.row["started_at"]
    # What the slice of time left unread waits for another attempt.
    if isinstance(began_at, datetime) and not report.remaining:
        settle(engine, stream, request.only, began_at=began_at, gaps=report.gaps)


def _asked_at(context: dg.AssetExecutionContext) -> datetime:
    """Return when the first attempt began: another one reads what that left unread."""
    root = context.run.tags.get(ROOT_RUN_ID_TAG)
    record = context.instance.get_run_record_by_id(root) if root else None
    if record is None or record.start_time is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(record.start_time, UTC)
