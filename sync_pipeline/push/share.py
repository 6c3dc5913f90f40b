"""Whether a cycle would change more of a table than anybody meant; asked before its first write."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.entities import STREAMS
from sync_pipeline.errors import TooManyUpdatesError
from sync_pipeline.warehouse.statements import statement
from sync_pipeline.warehouse.stored import count_rows

FEW = 20
"""So many records may always be changed."""


def require_small_share(
    connection: Connection, source: str, *, most_share: float, limit: float, now: datetime
) -> None:
    """Raise TooManyUpdatesError when the cycle would change too many records of one table.

    ``limit`` is how many updates the cycle is to send at most.
    """
    for entity, due in connection.execute(
        statement("due_shares"), {"source": source, "now": now}
    ).all():
        changing = min(due, limit)
        if changing <= FEW:
            continue
        stream = STREAMS[f"{source}/{entity}"]
        rows = count_rows(connection, stream)
        if changing > most_share * rows:
            raise TooManyUpdatesError(
                f"{stream}: {int(changing):,} of {rows:,} records would be changed, more than "
                f"PUSH_MAX_SHARE={most_share:g} allows: look at `push --dry-run`; then raise it, "
                "or send some of them with `push --limit`"
            )
