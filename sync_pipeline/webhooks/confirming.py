"""The work that a lifecycle call asks for, confirmed to RoSaaS through the outbox.

RoSaaS waits for it: a tenant stays in Creating, Activating, … until somebody reports the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from sqlalchemy import Engine

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_requests import request_update
from sync_pipeline.warehouse.statements import statement

# By the status in which RoSaaS waits: the one that reports the end of that work.
CONFIRMED = MappingProxyType({3: "CreatedAsActive", 6: "Active", 9: "Inactive", 12: "Deleted"})


def confirm_work(engine: Engine, names: Sequence[str]) -> list[int]:
    """Ask for an update of the status of those tenants that wait; return their numbers."""
    wanted = {"names": list(names), "at_work": list(CONFIRMED)}
    with transaction(engine) as connection:
        rows = connection.execute(statement("tenants_at_work"), wanted).all()
        return [
            request_update(
                connection,
                ROSAAS_TENANTS,
                row.tenant_name,
                {"status": CONFIRMED[row.status_code]},
            )
            for row in rows
        ]
