"""What was written to the sources (`push.ledger`): how the pipeline knows its own writes again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from sync_pipeline.warehouse.outbox import Update
from sync_pipeline.warehouse.statements import statement


def own_writes(
    connection: Connection, update: Update, present: Mapping[str, object]
) -> frozenset[str]:
    """Return those fields whose ``present`` value an older update wrote since the base was seen.

    Such a field differs from the base only by our own doing: that is no conflict.
    """
    parameters = {
        "id": update.id,
        "source": update.source,
        "entity": update.entity,
        "entity_id": update.entity_id,
        "base_at": update.base_at,
        "present": msgspec.json.encode(present).decode(),
    }
    return frozenset(connection.execute(statement("own_writes"), parameters).scalars())


def reported_by(connection: Connection, update: Update) -> frozenset[str]:
    """Return the fields that an earlier attempt at this update has written."""
    return frozenset(connection.execute(statement("reported_by"), {"id": update.id}).scalars())
