"""What a materialisation shows: the counts of `ops.sync_runs`, the proof, a small preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import dagster as dg
from sqlalchemy import Engine

from sync_pipeline.entities import Stream
from sync_pipeline.pull.run import PullReport
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.stored import count_rows, preview

_COUNTS = ("rows_", "scopes_", "absences_")
_TRAFFIC = ("requests", "retries", "bytes_read")


def materialisation(
    engine: Engine, stream: Stream, report: PullReport
) -> dg.MaterializeResult[None]:
    """Return the result of a run, without a person's data."""
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": _rows(engine, stream),
            "dagster/table_name": f"warehouse.{stream.entity.name}",
            **told_of_run(report),
            "scopes_remaining": report.remaining,
            "proof": dg.MetadataValue.md(_proof(report)),
            "preview": dg.MetadataValue.md(_preview(engine, stream)),
        }
    )


def told_of_run(report: PullReport) -> dict[str, dg.MetadataValue | int | float]:
    """Return the counts of a run, how long it took, and whether it read everything."""
    row = report.row
    counts = {name: int(str(row[name])) for name in row if name.startswith(_COUNTS)}
    counts |= {name: int(str(row[name])) for name in _TRAFFIC}
    is_complete = dg.MetadataValue.bool(bool(row["is_complete"]))
    return {**counts, "is_complete": is_complete, "seconds": _seconds(row)}


def _seconds(row: Mapping[str, object]) -> float:
    began, ended = row["started_at"], row["finished_at"]
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return 0.0
    return round((ended - began).total_seconds(), 3)


def _proof(report: PullReport) -> str:
    lines = [f"| {proof} | {scopes} |" for proof, scopes in report.proofs.items()]
    return "\n".join(["| proof of the last reading | scopes |", "|---|---|", *lines])


def _rows(engine: Engine, stream: Stream) -> int:
    with transaction(engine) as connection:
        return count_rows(connection, stream)


def _preview(engine: Engine, stream: Stream) -> str:
    names = stream.entity.presentable
    with transaction(engine) as connection:
        rows = preview(connection, stream)
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(names) + " |", "|" + "---|" * len(names), *lines])


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
