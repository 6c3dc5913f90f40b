"""The work that a lifecycle call asks for, confirmed to RoSaaS through the outbox.

RoSaaS waits for it: a tenant stays in Creating, Activating, … until somebody reports the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from sqlalchemy import Engine

from sync_pipeline.mapping.rosaas import STATUS_CODES
from sync_pipeline.settings import AutoConfirm
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.statements import statement

# By the status in which RoSaaS waits: the one that reports the end of that work.
CONFIRMED = MappingProxyType(
    {
        STATUS_CODES["CREATING"]: "CreatedAsActive",
        STATUS_CODES["ACTIVATING"]: "Active",
        STATUS_CODES["DEACTIVATING"]: "Inactive",
        STATUS_CODES["DELETING"]: "Deleted",
    }
)
# In which state an update that confirms begins.
_BEGINS_AS: MappingProxyType[AutoConfirm, str] = MappingProxyType({"held": "held", "on": "pending"})


def confirm_work(engine: Engine, mode: AutoConfirm, names: Sequence[str]) -> list[int]:
    """Ask for an update of the status of the tenants that wait, of all or of those named.

    Returns the updates' numbers. In the mode ``held`` they wait for approval; where it is off,
    a person asks for them.
    """
    if mode == "off":
        return []
    wanted = {
        "names": list(names) or None,
        "at_work": list(CONFIRMED),
        "end_statuses": list(CONFIRMED.values()),
        "status": _BEGINS_AS[mode],
    }
    with transaction(engine) as connection:
        return list(connection.execute(statement("confirm_work"), wanted).scalars())
