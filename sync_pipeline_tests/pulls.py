"""Pulls from scripted vendors into a warehouse, and what a test asks of it afterwards."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from sync_pipeline.entities import Stream
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import PullReport, pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import Vendors

_run_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Pulls:
    """Pulls from some vendors into some warehouse."""

    engine: Engine
    vendors: Vendors

    def __call__(
        self,
        stream: Stream,
        *only: str,
        settings: Settings | None = None,
        as_of: datetime | None = None,
        **asked: Any,  # noqa: ANN401 -- fields of PullRequest
    ) -> PullReport:
        """Run over ``stream``: everything that was not read since ``as_of`` (default: now)."""
        now = datetime.now(UTC)
        due = Due(now, as_of=as_of or now)
        request = replace(PullRequest(due, slice_s=60, only=only), **asked)
        return pull_stream(
            stream,
            request,
            settings=settings or self.vendors.settings(),
            engine=self.engine,
            run_id=f"run-{next(_run_ids)}",
        )

    def began(self) -> datetime:
        """Return an instant for the `as_of` of several pulls."""
        return datetime.now(UTC)

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def last_run(self, *columns: str) -> tuple[Any, ...]:
        query = f"SELECT {', '.join(columns)} FROM ops.sync_runs ORDER BY started_at DESC LIMIT 1"
        return self.rows(query)[0]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows by column, without what says only when and by which run."""
        kept = {"raw_hash", "content_hash", "observed_at", "cause", "run_id", "loaded_at"}
        with self.engine.connect() as connection:
            found = connection.execute(text(f"SELECT * FROM warehouse.{name} ORDER BY 1, 2"))
            return [
                {n: v for n, v in row.items() if n not in kept and v is not None}
                for row in found.mappings()
            ]

    def versions(self, name: str) -> list[tuple[Any, ...]]:
        """Return a table's rows with what tells whether any of them was written."""
        return self.rows(f"SELECT xmin::text, * FROM warehouse.{name} ORDER BY 2, 3")

    def watermarks(self, stream: Stream) -> dict[str, tuple[str, str | None]]:
        """Return proof and reason by scope."""
        query = (
            "SELECT scope, proof, reason FROM ops.watermarks "
            "WHERE source = :source AND entity = :entity"
        )
        found = self.rows(query, source=stream.source, entity=stream.entity.name)
        return {scope: (proof, reason) for scope, proof, reason in found}


def counts(report: PullReport) -> dict[str, int]:
    """Return the run's row counts that are not null, by short name; sum checked."""
    parts = {
        name.removeprefix("rows_"): int(str(value))
        for name, value in report.row.items()
        if name.startswith("rows_") and value and name != "rows_deleted"
    }
    read = parts.pop("read", 0)
    if read != sum(parts.values()):
        raise AssertionError(f"rows_read is {read}, its parts {parts}")
    return parts
