"""How much a cycle may do: a limit shared out to sources, no more of a table than anybody meant.

Asked before its first write.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.entities import STREAMS
from sync_pipeline.errors import TooManyUpdatesError
from sync_pipeline.warehouse.outbox import allotted
from sync_pipeline.warehouse.statements import statement
from sync_pipeline.warehouse.stored import count_rows

FEW = 20
"""So many records may always be changed."""


def most_records(rows: int, share: float) -> float:
    """Return how many records of a table with so many rows may be changed at once."""
    return max(FEW, share * rows)


def too_many(changing: int, rows: int, share: float) -> str:
    """Return in words that these are more."""
    return (
        f"{changing:,} of {rows:,} records would be changed, more than "
        f"PUSH_MAX_SHARE={share:g} allows"
    )


def allotment(
    connection: Connection, sources: Sequence[str], *, limit: int | None, now: datetime
) -> Mapping[str, float]:
    """Return how many updates a cycle may send to each source: the oldest of all of them."""
    if limit is None:
        return dict.fromkeys(sources, math.inf)
    return allotted(connection, sources, now=now, most=limit)


def require_small_share(
    connection: Connection, source: str, *, most_share: float, limit: float, now: datetime
) -> None:
    """Raise TooManyUpdatesError when the cycle would change too many records of one table.

    ``limit`` is how many updates the cycle is to send to the source at most.
    """
    for entity, due in connection.execute(
        statement("due_shares"), {"source": source, "now": now}
    ).all():
        changing = min(due, limit)
        if changing <= FEW:
            continue
        stream = STREAMS[f"{source}/{entity}"]
        rows = count_rows(connection, stream)
        if changing > most_records(rows, most_share):
            raise TooManyUpdatesError(
                f"{stream}: {too_many(int(changing), rows, most_share)}: look at `push --dry-run`; "
                "then raise it, or send some of them with `push --limit`"
            )
