"""What an operator asks first: how fresh and how complete each stream is, and what is open."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from sync_pipeline.entities import STREAMS
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.statements import statement
from sync_pipeline.warehouse.stored import count_rows

Row = Mapping[str, object]


def stream_states(engine: Engine) -> list[Row]:
    """Return one row per stream: rows, last run, proofs, quarantine."""
    streams = list(STREAMS.values())
    parameters = {
        "sources": [stream.source for stream in streams],
        "entities": [stream.entity.name for stream in streams],
    }
    with transaction(engine) as connection:
        rows = connection.execute(statement("stream_states"), parameters).mappings().all()
        return [
            {"stream": str(stream), "rows": count_rows(connection, stream), **row}
            for stream, row in zip(streams, rows, strict=True)
        ]
