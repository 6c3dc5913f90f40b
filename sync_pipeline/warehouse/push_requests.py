"""Updates for the persons who ask for them, look at them and decide about them.

What a worker does with them is in `outbox`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import errors
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sync_pipeline.entities import Stream
from sync_pipeline.errors import UndecidableError, UpdateRefusedError
from sync_pipeline.warehouse.statements import named, statement

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person may decide: the state that an update is in afterwards, and those before."""

    name: str
    status: str
    from_statuses: tuple[str, ...]


APPROVE = Ruling("approve", "pending", ("held",))
DECLINE = Ruling("decline", "declined", ("held",))
RETRY = Ruling("retry", "pending", ("pending", "rejected", "conflict", "uncertain", "dead"))
DISCARD = Ruling(
    "discard", "discarded", ("pending", "rejected", "held", "conflict", "uncertain", "dead")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which updates are meant: in these states, or in any that is not final, or in all."""

    statuses: Sequence[str] = ()
    is_all: bool = False
    model: str | None = None


def request_update(
    connection: Connection, stream: Stream, record_id: str, changes: Row, *, base: Row | None = None
) -> int:
    """Put an update in the outbox; return its number.

    Raises UpdateRefusedError, which says what is allowed.
    """
    asked = named(stream) | {
        "record_id": record_id,
        "changes": json.dumps(changes),
        "base": None if base is None else json.dumps(base),
    }
    try:
        return int(connection.execute(statement("request_update"), asked).scalar_one())
    except DBAPIError as exc:
        if not isinstance(exc.orig, errors.InvalidParameterValue):
            raise
        # Our own words; the driver's would quote the request.
        raise UpdateRefusedError(exc.orig.diag.message_primary or "") from None


def states(connection: Connection) -> list[str]:
    """Return the states that an update can be in."""
    return list(connection.execute(statement("push_states")).scalars())


def list_updates(connection: Connection, wanted: Wanted, *, most: int) -> tuple[Sequence[Row], int]:
    """Return updates, the newest first and without any value, and how many there are in all."""
    parameters = {
        "statuses": list(wanted.statuses) or None,
        "is_all": wanted.is_all,
        "model": wanted.model,
        "most": most,
    }
    rows = connection.execute(statement("list_updates"), parameters).mappings().all()
    matching = int(rows[0]["matching"]) if rows else 0
    return [{k: v for k, v in row.items() if k != "matching"} for row in rows], matching


def find_update(connection: Connection, update_id: int) -> Row | None:
    """Return one update with its values and all of its attempts."""
    found = connection.execute(statement("show_update"), {"id": update_id}).mappings()
    row = found.one_or_none()
    if row is None:
        return None
    attempts = connection.execute(statement("show_deliveries"), {"id": update_id}).mappings()
    return dict(row) | {"deliveries": [dict(attempt) for attempt in attempts]}


def held_by_model(connection: Connection, model: str) -> list[int]:
    """Return the updates of a push model that wait for approval."""
    return list(connection.execute(statement("held_by_model"), {"model": model}).scalars())


def decide(
    connection: Connection, ids: Sequence[int], ruling: Ruling, *, by: str
) -> Mapping[int, str]:
    """Decide about updates; return the state that each is in now.

    Approved or retried, one may be `superseded` at once by a fresher one. Raises UndecidableError
    when one of them is in no state to decide that; then the caller rolls back.
    """
    parameters = {
        "ids": list(ids),
        "status": ruling.status,
        "from_statuses": list(ruling.from_statuses),
        "decided_by": by,
    }
    rows = connection.execute(statement("decide_updates"), parameters).all()
    decided = {row.id: row.status for row in rows}
    missing = sorted(set(ids) - decided.keys())
    if missing:
        row = find_update(connection, missing[0])
        is_in = "there is none" if row is None else f"it is {row['status']}"
        raise UndecidableError(
            f"update {missing[0]}: {is_in}; {ruling.name} takes one that is "
            f"{' or '.join(ruling.from_statuses)}"
        )
    return decided
