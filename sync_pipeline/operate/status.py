"""What an operator asks first: how fresh and how complete each stream is, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.operate.pace import is_fan_out, pace_of, waiting_of
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.inbox import InboxDepth, inbox_depths
from sync_pipeline.warehouse.push_queue import open_by_stream
from sync_pipeline.warehouse.statements import statement
from sync_pipeline.warehouse.stored import count_rows
from sync_pipeline.webhooks.settling import TOLD_STREAMS

Row = Mapping[str, object]


def stream_states(engine: Engine, settings: Settings) -> list[Row]:
    """Return one row per stream: rows, last run, proofs, what is due, quarantine, updates, events.

    ``updates`` counts by state those of the outbox that have not come to their end; ``events`` are
    those of webhooks whose subject was not read again yet; ``error`` is why the last run failed;
    ``pace`` is said where the bound cannot be held.
    """
    streams = list(STREAMS.values())
    told = {stream: source for source, stream in TOLD_STREAMS.items()}
    now = datetime.now(UTC)
    parameters = {
        "sources": [stream.source for stream in streams],
        "entities": [stream.entity.name for stream in streams],
        "now": now,
    }
    with transaction(engine) as connection:
        rows = connection.execute(statement("stream_states"), parameters).mappings().all()
        said = _said_by_source(connection, settings, now)
        updates = open_by_stream(connection)
        depths = {depth.source: depth for depth in inbox_depths(connection)}
        return [
            {"stream": str(stream), "rows": count_rows(connection, stream)}
            | dict(row)
            | _waiting(connection, stream, settings, now)
            | {"updates": _counted(updates.get(str(stream), {}))}
            | _events(depths.get(told.get(stream, "")))
            | {"pace": said[stream.source] if is_fan_out(stream, settings) else None}
            for stream, row in zip(streams, rows, strict=True)
        ]


def _events(depth: InboxDepth | None) -> dict[str, object]:
    """Return how much that webhooks told of was not read yet, and since when."""
    return {
        "events": depth.waiting if depth else None,
        "oldest_event": depth.oldest_at if depth else None,
    }


def _waiting(
    connection: Connection, stream: Stream, settings: Settings, now: datetime
) -> dict[str, object]:
    if not is_fan_out(stream, settings):
        return {}
    depth = waiting_of(connection, stream, settings, now=now)
    return {"due": depth.due, "unread": depth.unread, "oldest_due": depth.oldest_at}


def _counted(counts: Mapping[str, int]) -> str | None:
    return ", ".join(f"{updates:,} {state}" for state, updates in counts.items()) or None


def _said_by_source(
    connection: Connection, settings: Settings, now: datetime
) -> dict[str, str | None]:
    paces = {
        source: pace_of(connection, source, settings, now=now)
        for source in {stream.source for stream in STREAMS.values()}
    }
    return {
        source: pace.said if pace and not pace.is_enough else None for source, pace in paces.items()
    }
