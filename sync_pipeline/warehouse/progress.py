"""Progress per scope (`ops.watermarks`): how a reading was proven complete, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.warehouse.statements import named, statement

# Below every instant that PostgreSQL or Python may hand out as a time of reading.
BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class Proof(StrEnum):
    """How a reading was shown to be complete."""

    SINGLE_RESPONSE = "single_response"
    TAIL_FIRST = "tail_first"
    AGREEING_PASSES = "agreeing_passes"
    INCOMPLETE = "incomplete"


class Reason(StrEnum):
    """Why a reading is incomplete."""

    ORDER_NOT_PROVEN = "order not proven"
    REPEATED_PAGE = "a page came twice"
    SHORT_PAGE = "a page in the middle is short"
    TOTAL_NOT_REACHED = "fewer rows than the total"
    TOTAL_EXCEEDED = "more rows than the total"
    PAGES_CAPPED = "pages shorter than asked for, and no total"
    PROMISES_MORE = "more is promised than comes"
    PAGE_CAP = "more pages than are read"
    FILTER_IGNORED = "rows that were not asked for"
    IDS_NOT_PROVEN = "the list that names the ids is not proven"
    DENIED = "denied"
    NOT_FOUND = "not found"
    WRONG_ANSWER = "wrong answer"
    REFUSED = "request refused"
    UNAVAILABLE = "unavailable"


class Coverage(StrEnum):
    """How much of a scope a reading went through."""

    WHOLE = "all of it"
    NEWS = "what is new since the whole was read"
    GIVEN_UP = "not read to its end"


# These wait for their own time; asking for everything does not bring them forward.
DEFERRED = (Reason.DENIED, Reason.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class ScopeProgress:
    """The outcome of reading one scope; ``reason`` when it is incomplete.

    ``changed_at`` is when a reading last brought something new or changed (None: as it is stored,
    or else now), ``wanted_at`` its place among those that are due (None: as it becomes due).
    """

    scope: str
    proof: Proof
    reason: Reason | None
    read_at: datetime
    due_at: datetime
    coverage: Coverage = Coverage.WHOLE
    changed_at: datetime | None = None
    wanted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What counts as due: by its own time, or (with ``as_of``) all that was not read since.

    With ``is_forced`` also what waits for a time of its own: a denied contact, an unknown one.
    """

    now: datetime
    as_of: datetime | None = None
    is_forced: bool = False


def hold_scopes(
    connection: Connection, stream: Stream, scopes: Sequence[str]
) -> dict[str, datetime]:
    """Keep other batches off these scopes until this transaction ends; to be called first.

    Without it a batch could find a row unchanged, and record its proof, while an older reading of
    that row is on its way into the table. Returns when each of them that was read before changed.
    """
    parameters = named(stream) | {"scopes": list(scopes)}
    rows = connection.execute(statement("hold_scopes"), parameters)
    return {row.scope: row.changed_at for row in rows}


def record_progress(
    connection: Connection, stream: Stream, readings: Sequence[ScopeProgress]
) -> None:
    """Store the outcome of each reading; of two readings of a scope the later one counts."""
    if not readings:
        return
    latest = {r.scope: r for r in sorted(readings, key=lambda reading: reading.read_at)}
    # In one order everywhere, so that two batches never wait for one another in a circle.
    readings = [latest[scope] for scope in sorted(latest)]
    connection.execute(
        statement("record_progress"),
        named(stream)
        | {
            "scopes": [r.scope for r in readings],
            "proofs": [r.proof.value for r in readings],
            "reasons": [r.reason and r.reason.value for r in readings],
            "read_at": [r.read_at for r in readings],
            "due_at": [r.due_at for r in readings],
            "is_news": [r.coverage is Coverage.NEWS for r in readings],
            "is_swept": [r.coverage is Coverage.WHOLE for r in readings],
            "changed_at": [r.changed_at for r in readings],
            "wanted_at": [r.wanted_at or r.due_at for r in readings],
        },
    )


def proof_of(connection: Connection, stream: Stream, scope: str) -> Proof | None:
    """Return how the scope's last reading was proven; null when it was never read."""
    proof = connection.execute(statement("proof_of"), named(stream) | {"scope": scope}).scalar()
    return None if proof is None else Proof(proof)


def is_scope_due(connection: Connection, stream: Stream, scope: str, due: Due) -> bool:
    """Tell whether one scope is due."""
    parameters = named(stream) | {"scope": scope, "now": due.now, "as_of": due.as_of}
    return bool(connection.execute(statement("is_scope_due"), parameters).scalar_one())


def stale_details(
    connection: Connection, stream: Stream, scopes: Iterable[str], *, since: datetime
) -> set[str]:
    """Return those of ``scopes`` whose detail was not read since ``since``."""
    parameters = named(stream) | {"scopes": list(scopes), "since": since}
    return set(connection.execute(statement("stale_details"), parameters).scalars())


def count_deferred(connection: Connection, stream: Stream) -> dict[Reason, int]:
    """Return how many scopes are a gap and wait for a time of their own, by the reason.

    That the API does not know what hangs on a deleted contact, or on an id that is listed no more,
    is no gap.
    """
    now = datetime.now(UTC)
    parameters = named(stream) | {
        "now": now,
        "deferred": deferred_unless_forced(Due(now)),
        "not_found": Reason.NOT_FOUND.value,
    }
    rows = connection.execute(statement("count_deferred"), parameters)
    return {Reason(reason): int(count) for reason, count in rows}


def wake_missing(connection: Connection, *, source: str, listed_at: datetime) -> None:
    """Make due what the source did not know of contacts that were listed since ``listed_at``."""
    parameters = {
        "source": source,
        "entities": [s.entity.name for s in STREAMS.values() if s.source == source],
        "listed_at": listed_at,
        "denied": Reason.DENIED.value,
    }
    connection.execute(statement("wake_missing"), parameters)


def wake_under(connection: Connection, stream: Stream, contact_ids: Sequence[str]) -> None:
    """Make due what the source did not know under contacts of ``stream`` that are deleted now."""
    under = [s.entity.name for s in STREAMS.values() if s.upstream == stream]
    if under and contact_ids:
        parameters = {
            "source": stream.source,
            "entities": under,
            "contact_ids": contact_ids,
            "not_found": Reason.NOT_FOUND.value,
        }
        connection.execute(statement("wake_under"), parameters)


def count_proofs(connection: Connection, stream: Stream) -> dict[str, int]:
    """Return the stream's scopes by proof, the incomplete ones by reason."""
    rows = connection.execute(statement("count_proofs"), named(stream))
    return {str(proof): int(count) for proof, count in rows}


def deferred_unless_forced(due: Due) -> list[str]:
    """Return the reasons for which a scope waits for its own time."""
    return [] if due.is_forced else [reason.value for reason in DEFERRED]
