"""Create a record: a second sending would make another, so it is asked for first.

What tells one that was created already is its key at the API (`Creator.key`). Without one nothing
does, and a creation of which no answer came is for a person to look at. Those with one external id
are claimed one after another (`push.updates.record`).
"""

from __future__ import annotations

from sync_pipeline.entities import Stream
from sync_pipeline.errors import SourceError, UnknownOutcomeError
from sync_pipeline.mapping.pushable import NEW_RECORD
from sync_pipeline.push.api import Creator
from sync_pipeline.push.attempt import Attempting
from sync_pipeline.push.courier import ClaimLostError, Delivered, UnknownRecordError
from sync_pipeline.push.decide import Decision, comparison
from sync_pipeline.push.outcome import NOT_DONE, Attempt, Next, after_write, refused
from sync_pipeline.push.records import Target
from sync_pipeline.push.values import UnwritableError, Values, canonical_values
from sync_pipeline.sources.written import Written


class Creating(Attempting):
    """One attempt at the creation of a record."""

    async def deliver(self) -> Delivered:
        """Create the record, unless one with its key is there."""
        api = self.api
        wanted, there = await self.plan()
        if there is not None:
            return await self._compared(wanted, there, is_new=False)
        if self.claim.is_orphan and api.key not in wanted:
            return self._uncertain()
        nowhere = Target(self.stream, NEW_RECORD, NEW_RECORD)
        answer = await self.send(nowhere, api.creation(wanted), {})
        if self.sent_at is None:
            raise answer if isinstance(answer, SourceError) else ClaimLostError("nothing was sent")
        return await self._answered(wanted, answer)

    @property
    def api(self) -> Creator:
        """What creates the record; raises UnwritableError."""
        creator = self.courier.api.creator
        if creator is None:
            raise UnwritableError(f"no record can be created in {self.stream}")
        return creator

    @property
    def stream(self) -> Stream:
        """The stream that the record is to be one of."""
        return self.claim.update.stream

    async def plan(self) -> tuple[Values, str | None]:
        """Return what it is to hold, and the id of the record with its key; nothing is sent."""
        asked = canonical_values(self.stream, self.claim.update.changes)
        wanted = {name: value for name, value in asked.items() if value is not None}
        return wanted, await self._there(wanted)

    async def _there(self, wanted: Values) -> str | None:
        value = wanted.get(self.api.key)
        return None if value is None else await self.api.find(str(value))

    async def _answered(self, wanted: Values, answer: Written | SourceError) -> Delivered:
        made = self.api.id_in(answer) if isinstance(answer, Written) else None
        if made is None and (self.may_have_changed or isinstance(answer, Written)):
            made = await self._there(wanted)
        if made is not None:
            return await self._compared(wanted, made, is_new=True)
        return self._unmade(wanted, answer)

    def _unmade(self, wanted: Values, answer: Written | SourceError) -> Delivered:
        """Return the end of an attempt after which no record is found."""
        if isinstance(answer, SourceError) and not isinstance(answer, UnknownOutcomeError):
            if not isinstance(answer, NOT_DONE):
                return self.ended(refused(str(answer), tries=self.tries, now=self.now))
        elif self.api.key not in wanted:
            return self._uncertain()
        failure = answer if isinstance(answer, SourceError) else None
        attempt = Attempt(Decision(wanted), failure=failure)
        nothing = comparison(wanted, {}, {})
        following = after_write(
            attempt, nothing, tries=self.tries, now=self.now, grace=self.courier.grace
        )
        return self.ended(following)

    def _uncertain(self) -> Delivered:
        error = f"it may have been created; no {self.api.key} tells"
        return self.ended(Next("uncertain", error))

    async def _compared(self, wanted: Values, made: str, *, is_new: bool) -> Delivered:
        """Return the end by what the record with this id holds."""
        current = await self.look(Target(self.stream, made, made))
        found = comparison(wanted, {}, current.values)
        self.note_after(current.values)
        different = [*found.missing, *found.otherwise]
        if is_new and self.api.key in different:
            raise UnknownRecordError("the id that the API answered is another record's")
        if not different:
            return self.ended(Next("confirmed"), written=found.there, created_id=made)
        names = ", ".join(sorted(different))
        if is_new:
            error = f"the API made another value of {names}"
            written = {name: current.values.get(name) for name in wanted}
            return self.ended(Next("delivered", error), written=written, created_id=made)
        error = f"the API has a record with this {self.api.key}, with other values of {names}"
        return self.ended(Next("conflict", error))
