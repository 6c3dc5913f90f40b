"""One asset per stream; materialising it is one run of `pull.run.pull_stream`."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from sync_pipeline.entities import Stream
from sync_pipeline.errors import SyncError
from sync_pipeline.orchestration.columns import (
    api_key,
    column_lineage,
    column_schema,
    mapping_of,
    origins,
)
from sync_pipeline.orchestration.metadata import materialisation
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due

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

    def request(self, slice_s: float, *, cause: str) -> PullRequest:
        """Return what a run that starts now is asked for."""
        due = self.due(datetime.now(UTC))
        only = tuple(self.only)
        return PullRequest(due, slice_s, only=only, is_full=self.is_full, cause=cause)

    def due(self, now: datetime) -> Due:
        """Return what counts as due for a run that starts at ``now``."""
        if self.is_due_only:
            return Due(now)
        as_of = datetime.fromisoformat(self.as_of) if self.as_of else now
        return Due(now, as_of=as_of, is_forced=self.is_full)


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
        request = config.request(slice_s, cause=context.run.tags.get("sync/cause", "ui"))
        try:
            report = pull_stream(
                stream,
                request,
                settings=pipeline.settings,
                engine=pipeline.engine,
                run_id=context.run.run_id,
            )
        except SyncError as exc:
            # Retries are the HTTP core's business, and progress is kept: the next tick goes on.
            raise dg.Failure(description=str(exc), allow_retries=False) from exc
        return materialisation(pipeline.engine, stream, report)

    return pull
