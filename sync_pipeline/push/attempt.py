"""One attempt at one update: what every attempt does, whether it changes a record or makes one.

Whatever happens, it ends in a state that says so. Nothing is written down in here: `cycle` does
that, for many at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from sync_pipeline.errors import RecordNotFoundError, SourceError, SyncError
from sync_pipeline.pull.reading import PullRequest, Reading
from sync_pipeline.pull.work import Context
from sync_pipeline.push.api import Write
from sync_pipeline.push.clock import window_of
from sync_pipeline.push.courier import ClaimLostError, Courier, Delivered, UnknownRecordError
from sync_pipeline.push.decide import Tries
from sync_pipeline.push.outcome import (
    ACCEPTED,
    PASSING,
    UNKNOWN,
    Next,
    after_unread,
    refused,
    texts_in,
    told,
)
from sync_pipeline.push.records import Absent, Current, Read, Target
from sync_pipeline.push.values import UnwritableError, Values
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.deadline import ticks
from sync_pipeline.sources.written import Written
from sync_pipeline.warehouse.outbox import Claim, Delivery, Ending
from sync_pipeline.warehouse.progress import Due


@dataclass(slots=True)
class Attempting(ABC):
    """One attempt, as far as it is the same for all."""

    courier: Courier
    claim: Claim
    deliveries: list[Delivery] = field(default_factory=list)
    read: Read | None = None
    sent_at: datetime | None = None
    known: Values | None = None
    """What the record held of the fields in question, once it was read."""

    @abstractmethod
    async def deliver(self) -> Delivered:
        """Do what there is to do; what `run` catches is settled there."""

    async def run(self) -> Delivered:
        """Return what came of it; raises WarehouseError alone."""
        try:
            return await self.deliver()
        except ClaimLostError as exc:
            self.deliveries.append(Delivery("not sent: another worker has it"))
            return self.ended(Next("pending", str(exc)))
        except UnwritableError as exc:
            return self.ended(Next("dead", str(exc)))
        except UnknownRecordError as exc:
            return self.ended(self._unreadable(exc))
        except SourceError as exc:
            following = self._unread(exc) if isinstance(exc, PASSING) else self._unreadable(exc)
            return replace(self.ended(following), failure=exc)

    def _unread(self, exc: SourceError) -> Next:
        return after_unread(
            exc,
            tries=self.tries,
            was_sent=self.sent_at is not None or self.claim.is_orphan,
            now=self.now,
            grace=self.courier.grace,
        )

    def _unreadable(self, exc: SyncError) -> Next:
        if self.sent_at is not None:
            # The reading may have come too soon after the write.
            return Next("sending", str(exc), self.now + self.courier.grace)
        if self.claim.is_orphan:
            return Next("uncertain", str(exc))
        return refused(str(exc), tries=self.tries, now=self.now)

    @property
    def tries(self) -> Tries:
        """How often the update was tried, this time included."""
        return Tries(self.claim.update.attempts, self.claim.update.refusals)

    @property
    def now(self) -> datetime:
        """The time by the server that keeps the outbox."""
        return self.courier.clock()

    async def look(self, target: Target) -> Current:
        """Read the record; raises SourceError, and UnknownRecordError where there is none."""
        request = PullRequest(Due(self.now), 0, only=(target.owner,))
        context = Context(target.stream, request, self.courier.settings, self.courier.engine)
        fields = self.claim.update.changes.keys()
        try:
            reading = _as_read_back(await self.courier.api.read(context, target, fields))
        except RecordNotFoundError as exc:
            raise UnknownRecordError(str(exc)) from exc
        found = await self.courier.find((target, reading))
        if isinstance(found, Absent):
            raise UnknownRecordError(found.why)
        self.read = (target, reading)
        return found

    async def send(self, target: Target, write: Write, known: Values) -> Written | SourceError:
        """Send one call, once; return what came of it. ``known`` is what the record held."""
        sent_at: datetime | None = None

        async def guard() -> float:
            nonlocal sent_at
            asked_at = ticks()
            if not await self.courier.still_holds(self.claim):
                raise ClaimLostError("another worker has the update")
            sent_at = self.now
            return asked_at + window_of(self.courier.settings).total_seconds()

        secrets = tuple(texts_in({**write.wanted}))
        call = replace(write.call, guard=guard, secrets=secrets)
        answer: Written | SourceError
        try:
            answer = await self.courier.api.write(target, call)
        except SourceError as exc:
            answer = exc
        self.sent_at = sent_at or self.sent_at
        failure = answer if isinstance(answer, SourceError) else None
        before = {name: known.get(name) for name in write.wanted}
        request = _request(call)
        self.deliveries.append(
            Delivery(told(failure), sent_at, request, answer_status=answer.status, before=before)
        )
        return answer

    @property
    def may_have_changed(self) -> bool:
        """Whether anything that was sent now may have been applied."""
        return any(one.outcome in (ACCEPTED, UNKNOWN) for one in self.deliveries)

    def note_after(self, after: Values) -> None:
        """Add to what was sent what the record holds now."""
        self.deliveries = [
            one
            if one.before is None
            else replace(one, after={name: after.get(name) for name in one.before})
            for one in self.deliveries
        ]

    def ended(
        self, following: Next, *, written: Values | None = None, created_id: str | None = None
    ) -> Delivered:
        """Return the end of the attempt; ``written`` is what the source holds by our doing."""
        deliveries = self.deliveries or [Delivery(following.status, before=self.known)]
        at = None if self.read is None else self.read[1].read_at
        ending = Ending(
            self.claim,
            following.status,
            following.error,
            following.next_attempt_at,
            created_id=created_id,
            deliveries=deliveries,
            written=written or {},
            written_at=at,
        )
        return Delivered(ending, self.read)


def _as_read_back(reading: Reading) -> Reading:
    """Return a reading that brings its record, and is no step of the pulls."""
    return replace(reading, is_progress=False, seen=None)


def _request(call: Call) -> dict[str, object]:
    body = None if call.payload is None else msgspec.Raw(call.payload)
    return {"method": call.method, "path": call.path, "body": body}
