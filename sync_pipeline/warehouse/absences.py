"""Candidates for deletion (`ops.absences`): confirmed, or forgotten when they are seen.

`warehouse.missed` finds them, `warehouse.deletion` deletes those that are confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.statements import named, statement


class RecordAnswer(StrEnum):
    """What a source said when it was asked for one record by its id."""

    FOUND = "found"
    GONE = "gone"
    DENIED = "denied"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Absence:
    """A candidate: the first reading that missed it, and the latest of those that began later."""

    record_id: str
    scope: str
    missed_at: datetime
    missed_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Those of a stream; ``only`` names records or scopes (none: all).

    A confirmation from before ``since`` is none. ``can_ask``: the API gives a record by its id.
    """

    stream: Stream
    since: datetime
    can_ask: bool
    only: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How far a candidate is confirmed: what was answered, when; when it was shown to be gone."""

    record_id: str
    answer: RecordAnswer | None
    asked_at: datetime | None
    confirmed_at: datetime | None


def has_absences(connection: Connection, stream: Stream) -> bool:
    """Tell whether any record of the stream is a candidate."""
    return bool(connection.execute(statement("has_absences"), named(stream)).scalar_one())


def open_absences(connection: Connection, stream: Stream, *, most: int) -> tuple[int, list[str]]:
    """Return how many candidates the stream has, and the ids of a few."""
    rows = connection.execute(statement("open_absences"), named(stream) | {"most": most}).all()
    return (rows[0].candidates if rows else 0), [row.record_id for row in rows]


def forget_absences(connection: Connection, stream: Stream, seen: Mapping[str, datetime]) -> None:
    """Remove the candidates that were seen (id → when the request was sent that brought it)."""
    if seen:
        parameters = {"record_ids": list(seen), "seen_at": list(seen.values())}
        connection.execute(statement("forget_absences"), named(stream) | parameters)


def absences_to_confirm(
    connection: Connection, candidates: Candidates, *, asked_before: datetime, most: int
) -> list[Absence]:
    """Return the next candidates, not confirmed, of which there is something to find out.

    Where they can be asked for: that were not, or before that instant; else: missed twice.
    """
    parameters = named(candidates.stream) | {
        "only": list(candidates.only) or None,
        "can_ask": candidates.can_ask,
        "since": candidates.since,
        "asked_before": asked_before,
        "most": most,
    }
    rows = connection.execute(statement("absences_to_confirm"), parameters)
    return [Absence(r.record_id, r.scope, r.missed_at, r.missed_again_at) for r in rows]


def note_confirmations(
    connection: Connection, stream: Stream, confirmations: Sequence[Confirmation]
) -> None:
    """Store how far candidates are confirmed; those that were found cease to be candidates."""
    found = {
        c.record_id: c.asked_at
        for c in confirmations
        if c.answer is RecordAnswer.FOUND and c.asked_at is not None
    }
    forget_absences(connection, stream, found)
    others = [c for c in confirmations if c.record_id not in found]
    if others:
        parameters = {
            "record_ids": [c.record_id for c in others],
            "asked_at": [c.asked_at for c in others],
            "answers": [c.answer and c.answer.value for c in others],
            "confirmed_at": [c.confirmed_at for c in others],
        }
        connection.execute(statement("note_confirmations"), named(stream) | parameters)
