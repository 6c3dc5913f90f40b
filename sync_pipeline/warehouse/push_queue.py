"""How full the outbox is: for the sensor, which asks what is due, and for those who watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class DueUpdates:
    """What a worker could claim now.

    ``attempts`` grows with every claim, so that the same updates look different once they were
    worked on. ``next_due_at`` is when the first of the others may be claimed.
    """

    count: int
    first_id: int | None
    last_id: int | None
    attempts: int
    next_due_at: datetime | None


def due_updates(connection: Connection, *, now: datetime, sources: Sequence[str]) -> DueUpdates:
    """Return what is due to ``sources``: of each record the oldest that waits for the machine."""
    parameters = {"now": now, "sources": list(sources)}
    row = connection.execute(statement("due_updates"), parameters).mappings().one()
    return DueUpdates(**row)


def open_by_stream(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """Return for each stream the states, other than final ones, with their numbers of updates."""
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(statement("count_open_updates")).all():
        found.setdefault(row.stream, {})[row.status] = row.updates
    return found
