"""How far backfills have come (`ops.backfills`): progress of their own, beside the live one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, column, func, select

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.progress import DEFERRED
from sync_pipeline.warehouse.statements import named, statement

KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class BackfillKey:
    """What all attempts at one backfill have in common.

    ``origin`` names the first of them, ``windows`` the spans of creation time, in words.
    """

    stream: Stream
    origin: str
    windows: str

    def parameters(self) -> dict[str, object]:
        """Return the key as statement parameters."""
        return named(self.stream) | {"origin": self.origin, "windows": self.windows}


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A backfill that failed or was killed, and how many contacts it had read."""

    origin: str
    contacts: int


def begin_backfill(connection: Connection, key: BackfillKey) -> int:
    """Return the number under which the backfill's progress is kept, of earlier attempts too."""
    connection.execute(statement("forget_backfills"), named(key.stream) | {"age": KEPT_FOR})
    return int(connection.execute(statement("begin_backfill"), key.parameters()).scalar_one())


def end_backfill(connection: Connection, key: BackfillKey) -> None:
    """Forget the progress of a backfill that has read everything."""
    connection.execute(statement("end_backfill"), key.parameters())


def unfinished_backfill(
    connection: Connection, stream: Stream, windows: str, *, since: datetime
) -> Unfinished | None:
    """Return the latest backfill of these windows that began since and did not end well."""
    parameters = named(stream) | {"windows": windows, "since": since}
    row = connection.execute(statement("unfinished_backfill"), parameters).one_or_none()
    return None if row is None else Unfinished(row.origin, row.contacts)


def count_backfill_contacts(connection: Connection, stream: Stream, backfill_id: int | None) -> int:
    """Return how many contacts `backfill_contacts` would return in all."""
    every = statement("backfill_contacts").columns(column("contact_id")).subquery("every")
    query = select(func.count()).select_from(every)
    return int(connection.execute(query, _left(stream, backfill_id, "", None)).scalar_one())


def backfill_contacts(
    connection: Connection, stream: Stream, backfill_id: int | None, *, after: str, most: int
) -> list[str]:
    """Return the next registered contacts that the backfill has not read, by id."""
    parameters = _left(stream, backfill_id, after, most)
    return list(connection.execute(statement("backfill_contacts"), parameters).scalars())


def note_backfilled(connection: Connection, done: Sequence[tuple[int, str]]) -> None:
    """Store that contacts were read by a backfill, given its number and theirs."""
    if done:
        columns = {
            "backfill_ids": [backfill_id for backfill_id, _ in done],
            "contact_ids": [contact_id for _, contact_id in done],
        }
        connection.execute(statement("note_backfilled"), columns)


def known_creations(
    connection: Connection, stream: Stream, contact_ids: Iterable[str]
) -> dict[str, dict[str, datetime]]:
    """Return by contact when each of its stored communications was created."""
    parameters = named(stream) | {"contact_ids": list(contact_ids)}
    created: dict[str, dict[str, datetime]] = {}
    for row in connection.execute(statement("known_creations"), parameters):
        created.setdefault(row.contact_id, {})[row.communication_id] = row.source_created_at
    return created


def _left(
    stream: Stream, backfill_id: int | None, after: str, most: int | None
) -> dict[str, object]:
    return named(stream) | {
        "backfill_id": backfill_id,
        "after": after,
        "most": most,
        "deferred": [reason.value for reason in DEFERRED],
        "now": datetime.now(UTC),
    }
