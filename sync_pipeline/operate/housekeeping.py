"""What is removed after RETENTION_DAYS: nothing that somebody may still decide about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.statements import statement

AT_ONCE = 10_000
"""Rows in one transaction: it holds their locks, and the log of the server, only for so long."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows of what were removed, and from before when."""

    deliveries: int
    quarantined: int
    before: datetime


def remove_what_is_old(
    engine: Engine, settings: Settings, *, now: datetime, at_once: int = AT_ONCE
) -> Removed:
    """Remove decided attempts at pushes and settled records of the quarantine.

    Those that are older than RETENTION_DAYS; raises WarehouseError.
    """
    before = now - timedelta(days=settings.retention_days)
    return Removed(
        deliveries=_remove(engine, "remove_old_deliveries", before, at_once),
        quarantined=_remove(engine, "remove_settled_quarantined", before, at_once),
        before=before,
    )


def _remove(engine: Engine, name: str, before: datetime, at_once: int) -> int:
    removed = 0
    while True:
        with transaction(engine) as connection:
            asked = {"before": before, "most": at_once}
            some = connection.execute(statement(name), asked).rowcount
        removed += some
        if some < at_once:
            return removed
