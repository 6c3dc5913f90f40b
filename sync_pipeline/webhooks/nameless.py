"""Events that break the contract: those of RoSaaS that name no tenant. They are quarantined.

What one tells is in the warehouse once the list of all tenants was read after it had come.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.records import Event, Reject
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.quarantine import quarantine, undiscarded
from sync_pipeline.warehouse.statements import named, statement
from sync_pipeline.webhooks.events import NO_TENANT

ERROR_CODE = "event_without_tenant"


def quarantine_nameless(connection: Connection, events: Iterable[Event]) -> None:
    """Keep those of the events that break the contract, with their bytes."""
    now = datetime.now(UTC)
    rejects = [
        Reject(None, event.payload_raw, ERROR_CODE, NO_TENANT, now)
        for event in events
        if event.source == ROSAAS_TENANTS.source and event.subject is None
    ]
    kept = undiscarded(connection, ROSAAS_TENANTS, rejects)
    quarantine(connection, ROSAAS_TENANTS, kept)


def settle_nameless(engine: Engine) -> None:
    """Settle those that came before the latest reading that proved the whole list complete."""
    with transaction(engine) as connection:
        connection.execute(
            statement("settle_nameless"), named(ROSAAS_TENANTS) | {"error_code": ERROR_CODE}
        )
