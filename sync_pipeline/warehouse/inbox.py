"""The rows of `ops.webhook_events`: stored, counted, claimed for a pull, and settled by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.records import Event
from sync_pipeline.warehouse.statements import named, statement


@dataclass(frozen=True, slots=True)
class InboxDepth:
    """How many events of a source wait to be worked off, and since when the oldest does."""

    source: str
    waiting: int
    failing: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedSubjects:
    """The subjects that one pull is launched for, and the facts that it goes back to."""

    subjects: tuple[str, ...]
    first_id: int
    last_id: int
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Lost:
    """Status changes that readings found, and those of which no webhook had told."""

    changes: int
    untold: int

    @property
    def share(self) -> float:
        """The share of webhooks that did not come."""
        return self.untold / self.changes if self.changes else 0.0


def store_events(connection: Connection, events: Iterable[Event]) -> None:
    """Store events; the same one several times over is one row that counts its repeats."""
    counted = Counter(events)
    connection.execute(statement("lock_inbox"))
    arrived = list(counted)
    columns = {
        "sources": [one.source for one in arrived],
        "events": [one.event for one in arrived],
        "kinds": [one.kind for one in arrived],
        "subjects": [one.subject for one in arrived],
        "payloads_raw": [one.payload_raw for one in arrived],
        "payloads": [one.payload for one in arrived],
        "happened": [one.happened_at for one in arrived],
        "errors": [one.error for one in arrived],
        "times": list(counted.values()),
    }
    connection.execute(statement("store_events"), columns)


def inbox_depths(connection: Connection) -> list[InboxDepth]:
    """Return what waits, by source."""
    return [InboxDepth(*row) for row in connection.execute(statement("inbox_depths"))]


def lost_events(connection: Connection, *, since: datetime) -> Lost:
    """Compare what readings found of tenants since then with what webhooks had told."""
    row = connection.execute(statement("lost_events"), {"since": since}).one()
    return Lost(row.changes, row.untold)


def claim_subjects(connection: Connection, source: str, *, most: int) -> ClaimedSubjects | None:
    """Claim the subjects of a source that have waited longest; None where nothing is due.

    Of those that failed before it claims a few alone, to be read after the others. Their
    events are due again after a while, unless a pull settles them before.
    """
    parameters = {"source": source, "most": most}
    row = connection.execute(statement("claim_events"), parameters).one()
    if not row.subjects:
        return None
    return ClaimedSubjects(tuple(row.subjects), row.first_id, row.last_id, row.claimed_at)


def settle_events(
    connection: Connection,
    stream: Stream,
    subjects: Collection[str],
    *,
    began_at: datetime,
    reasons: Mapping[str, str],
) -> None:
    """Mark the events of ``subjects`` as processed that had come when the reading began.

    ``reasons`` are why a subject is settled though it was not loaded. What came later waits on.
    """
    parameters = {
        "source": stream.source,
        "subjects": list(subjects),
        "reasons": [reasons.get(subject) for subject in subjects],
        "began_at": began_at,
    }
    connection.execute(statement("settle_events"), parameters)


def settle_read_events(connection: Connection, stream: Stream, subjects: Sequence[str]) -> None:
    """Mark the events of ``subjects`` as processed after which the stream's progress has them."""
    parameters = named(stream) | {"subjects": list(subjects)}
    connection.execute(statement("settle_read_events"), parameters)


def set_back_events(connection: Connection, stream: Stream, subjects: Mapping[str, str]) -> None:
    """Have the events of subjects wait for another attempt; given by subject is why."""
    parameters = {
        "source": stream.source,
        "subjects": list(subjects),
        "errors": list(subjects.values()),
    }
    connection.execute(statement("set_back_events"), parameters)
