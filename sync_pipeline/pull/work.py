"""The work of a run: which scopes it reads, and how one of them is read.

Each stream has a module that plans its `Work`; `run` carries any of them out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine

from sync_pipeline.entities import Stream
from sync_pipeline.errors import (
    AccessDeniedError,
    RecordNotFoundError,
    SettingsError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.reading import PullRequest, Reading
from sync_pipeline.records import Reject
from sync_pipeline.settings import Settings, SourceSettings
from sync_pipeline.sources.answers import Answer
from sync_pipeline.warehouse.absences import Absence
from sync_pipeline.warehouse.hashes import raw_hash, raw_hashes
from sync_pipeline.warehouse.progress import Coverage, Proof, Reason

DENIED_AGAIN_AFTER = timedelta(days=7)
MISSING_AGAIN_AFTER = timedelta(days=1)
T = TypeVar("T")
AskForOne = Callable[[Absence], Awaitable[Reading]]


@dataclass(frozen=True, slots=True)
class Work:
    """What a run is going to read.

    ``opening`` is committed first; ``scopes`` names the scopes, which ``read`` reads, a long one
    in parts (`reading.part`) before the reading of the scope itself;
    ``closing`` is committed last, and only when every scope was read. ``is_grounded`` tells
    whether the list of the scopes themselves is proven.
    ``ask`` asks for one record that is missing, by its id; None where the API has no such call.
    ``is_one_list``: the run reads the whole table, and not a slice of it.
    """

    scopes_total: int
    scopes: AsyncIterator[str]
    read: Callable[[str], AsyncIterator[Reading]]
    opening: list[Reading] = field(default_factory=list)
    closing: list[Reading] = field(default_factory=list)
    is_grounded: bool = True
    ask: AskForOne | None = None
    is_one_list: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What planning needs to know."""

    stream: Stream
    request: PullRequest
    settings: Settings
    engine: Engine

    @property
    def source(self) -> SourceSettings:
        """The settings of the stream's source; raises SettingsError where it is off."""
        source = self.stream.source
        settings = self.settings.of_source(source)
        variable = self.settings.missing_for(source, self.stream.entity.name)
        if settings is None or variable:
            raise SettingsError(f"{self.stream} is off: set {variable} to read it")
        return settings

    def due_again(self, read_at: datetime) -> datetime:
        """Return when a scope that was read at ``read_at`` is due again.

        Half an interval later: a full one would end just after the next tick, and the scope
        would be read at every second tick only.
        """
        return read_at + timedelta(minutes=self.source.interval_minutes) / 2


def hash_of(stream: Stream, raw: bytes, *, context: str = "") -> bytes:
    """Return the raw hash of a record's bytes as the stream's normaliser reads them."""
    return raw_hash(raw, context=context, version=NORMALISERS[stream].version)


def hashes_of(stream: Stream, raws: Iterable[bytes], *, context: str = "") -> list[bytes]:
    """Return the raw hash of each of many records."""
    return raw_hashes(raws, context=context, version=NORMALISERS[stream].version)


def keyless(raw: bytes, sent_at: datetime, *, scope: str = "") -> Reject:
    """Return the rejection of a record in which no id can be read."""
    return Reject(None, raw, "no_id", "no id can be read in it", sent_at, scope)


async def once(reading: Awaitable[Reading]) -> AsyncIterator[Reading]:
    """Yield the one reading of a scope that is read as a whole."""
    yield await reading


async def ask_whether(
    context: Context, absence: Absence, fetch: Callable[[], Awaitable[Answer | None]]
) -> Reading:
    """Ask for a record whose own answer is not what its table is loaded from.

    The reading brings no record; its reason is null where the API knows it.
    """
    asked_at = datetime.now(UTC)
    scope = absence.scope

    async def read() -> Reading:
        answer = await fetch()
        if answer is None:
            proof, reason = Proof.INCOMPLETE, Reason.NOT_FOUND
            return Reading(scope, proof, reason, asked_at, asked_at, is_progress=False)
        return Reading(scope, Proof.SINGLE_RESPONSE, None, asked_at, asked_at, is_progress=False)

    return replace(await contained(context, scope, asked_at, read()), is_progress=False)


async def in_turn(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield ``items`` as they are."""
    for item in items:
        yield item


async def contained(
    context: Context, scope: str, read_at: datetime, reading: Awaitable[Reading]
) -> Reading:
    """Read one scope; what is wrong with that scope alone is recorded and stops no other.

    It is given up as a whole: when a later page of its list fails, what the earlier ones brought
    is not loaded (part of a list that nothing vouches for), and the next reading begins anew.
    What fails before the record is asked for (the login) concerns them all, and is raised.
    A targeted request leaves no trace of a record that could not be had: its id may be a slip.
    """
    try:
        return await reading
    except SourceError as exc:
        if not is_about_a_record(exc):
            raise
        reason, access, wait = _reason(exc)
        due_at = read_at + wait if wait else context.due_again(read_at)
        return Reading(
            scope,
            Proof.INCOMPLETE,
            reason,
            read_at,
            due_at,
            access=access,
            setback=exc,
            coverage=Coverage.GIVEN_UP,
            is_progress=not context.request.only,
        )


def is_about_a_record(exc: SourceError) -> bool:
    """Tell whether one record's own request failed, and not what comes before it."""
    # The path is a template: `Call` sees to it that it has a place for each id, and no other.
    return "{" in exc.path


def _reason(exc: SourceError) -> tuple[Reason, str | None, timedelta | None]:
    """Return why a scope is given up, what that says of its access, and when to ask again."""
    match exc:
        case AccessDeniedError():
            return Reason.DENIED, "denied", DENIED_AGAIN_AFTER
        case RecordNotFoundError():
            return Reason.NOT_FOUND, "missing", MISSING_AGAIN_AFTER
        case WrongAnswerError():
            return Reason.WRONG_ANSWER, None, None
        case TransientSourceError():
            return Reason.UNAVAILABLE, None, None
        case _:
            return Reason.REFUSED, None, None
