"""Which contacts are due, read off the registry and the watermarks in several orders.

Each queue follows an index: the next contacts cost the same however many there are. Of a contact
that is due exactly one queue tells, as things stand when it is asked; who goes first among the
queues is said in `pull.due`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.progress import BEFORE_ALL, Due, deferred_unless_forced
from sync_pipeline.warehouse.statements import named, statement

_BEFORE_ALL_RANKS = -(2**31)
# Most of the planner's choices are right only when it has counted the rows, and a registry that
# was just filled is not counted yet; these are right at any size.
_BY_INDEX = text(
    "SELECT set_config(name, 'off', true) FROM unnest(ARRAY["
    "'enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_material', 'enable_sort', "
    "'jit'"
    "]) AS setting (name)"
)


class Queue(StrEnum):
    """Where a due contact waits; the value names the statement."""

    HINTED = "due_hinted"
    PREFERRED = "due_preferred"
    UNREAD = "due_unread"
    OVERDUE = "due_overdue"
    WANTED = "due_wanted"


@dataclass(frozen=True, slots=True)
class Horizon:
    """What is older than this is overdue, and a hint from before that has been followed."""

    overdue_before: datetime
    hinted_since: datetime


@dataclass(frozen=True, slots=True)
class DueQuery:
    """Which stream's contacts are asked for, and what counts as due and as old."""

    stream: Stream
    due: Due
    horizon: Horizon

    def __post_init__(self) -> None:
        # Else `status` and the check `budget` would leave the stream out.
        if not self.stream.is_fan_out:
            raise ValueError(f"{self.stream} is read contact by contact: set its `is_fan_out`")


@dataclass(frozen=True, slots=True)
class DueContact:
    """A contact to read, and its place in its queue."""

    contact_id: str
    due: datetime
    rank: int = 0
    """The lower, the earlier: the registry's priority, negated."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many contacts are due, how many of them were never read, and from when the oldest is."""

    due: int
    unread: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effort:
    """What a stream has to read within the bound, and what its last runs took for a contact."""

    contacts: int
    requests_each: float | None


def due_contacts(
    connection: Connection, asked: DueQuery, queue: Queue, *, after: DueContact | None, most: int
) -> list[DueContact]:
    """Return the next due contacts of a queue after ``after``, at most ``most``."""
    connection.execute(_BY_INDEX)
    parameters = _parameters(asked) | _after(after) | {"most": most}
    rows = connection.execute(statement(queue.value), parameters)
    return [DueContact(row.contact_id, row.due, row.rank) for row in rows]


def depth_of(connection: Connection, asked: DueQuery) -> Depth:
    """Return how much waits in all queues together; looks at every contact."""
    row = connection.execute(statement("count_due"), _parameters(asked)).one()
    return Depth(int(row.due), int(row.unread), row.oldest_at)


def effort_of(connection: Connection, stream: Stream, *, now: datetime) -> Effort:
    """Return what it takes to read the stream's contacts once, but for those that wait."""
    parameters = named(stream) | {"now": now, "deferred": deferred_unless_forced(Due(now))}
    row = connection.execute(statement("pace_of"), parameters).one()
    return Effort(int(row.contacts), row.requests_each)


def _parameters(asked: DueQuery) -> dict[str, object]:
    return named(asked.stream) | {
        "now": asked.due.now,
        "as_of": asked.due.as_of,
        "deferred": deferred_unless_forced(asked.due),
        "overdue_before": asked.horizon.overdue_before,
        "hinted_since": asked.horizon.hinted_since,
    }


def _after(last: DueContact | None) -> dict[str, object]:
    last = last or DueContact("", BEFORE_ALL, _BEFORE_ALL_RANKS)
    return {"after_rank": last.rank, "after_due": last.due, "after_id": last.contact_id}
