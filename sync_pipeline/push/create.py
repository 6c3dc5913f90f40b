"""Create a record, of ROCS alone: a second sending would make another, so it is asked for first.

What tells a contact that was created already is its external id. Without one nothing does, and a
creation of which no answer came is for a person to look at.
"""

from __future__ import annotations

from sync_pipeline.entities import ROCS_CONTACTS
from sync_pipeline.errors import SourceError, UnknownOutcomeError
from sync_pipeline.pull.keys import record_id
from sync_pipeline.push.attempt import Attempting, ClaimLostError, Delivered, UnknownRecordError
from sync_pipeline.push.decide import Decision, comparison
from sync_pipeline.push.outcome import NOT_DONE, Attempt, Next, after_write, refused
from sync_pipeline.push.records import Target
from sync_pipeline.push.rocs import RocsPush
from sync_pipeline.push.values import UnwritableError, Values, canonical_values
from sync_pipeline.sources.written import Written

_NOWHERE = Target(ROCS_CONTACTS, "new", "new")


class Creating(Attempting):
    """One attempt at the creation of a contact."""

    async def deliver(self) -> Delivered:
        """Create the contact, unless one with its external id is there."""
        api = self.api
        wanted, there = await self.plan()
        if there is not None:
            return await self._compared(wanted, there, is_new=False)
        if self.claim.is_orphan and "external_id" not in wanted:
            return self.ended(Next("uncertain", "it may have been created; no external_id tells"))
        answer = await self.send(_NOWHERE, api.creation(wanted), {})
        if self.sent_at is None:
            raise answer if isinstance(answer, SourceError) else ClaimLostError("nothing was sent")
        return await self._answered(api, wanted, answer)

    @property
    def api(self) -> RocsPush:
        """The API, which can create; raises UnwritableError."""
        if not isinstance(self.courier.api, RocsPush):
            raise UnwritableError("a record can be created in ROCS alone")
        return self.courier.api

    async def plan(self) -> tuple[Values, str | None]:
        """Return what it is to hold, and the contact that has its external id; nothing is sent."""
        asked = canonical_values(ROCS_CONTACTS, self.claim.update.changes)
        wanted = {name: value for name, value in asked.items() if value is not None}
        return wanted, await self._there(self.api, wanted)

    async def _there(self, api: RocsPush, wanted: Values) -> str | None:
        external_id = wanted.get("external_id")
        if external_id is None:
            return None
        answer = await api.find_by_external_id(str(external_id))
        return None if answer is None else record_id(answer.record)

    async def _answered(
        self, api: RocsPush, wanted: Values, answer: Written | SourceError
    ) -> Delivered:
        made = record_id(answer.answer) if isinstance(answer, Written) else None
        if made is None and (self.may_have_changed or isinstance(answer, Written)):
            made = await self._there(api, wanted)
        if made is not None:
            return await self._compared(wanted, made, is_new=True)
        return self._unmade(wanted, answer)

    def _unmade(self, wanted: Values, answer: Written | SourceError) -> Delivered:
        """Return the end of an attempt after which no contact is found."""
        if isinstance(answer, SourceError) and not isinstance(answer, UnknownOutcomeError):
            if not isinstance(answer, NOT_DONE):
                return self.ended(refused(str(answer), tries=self.tries, now=self.now))
        elif "external_id" not in wanted:
            return self.ended(Next("uncertain", "it may have been created; no external_id tells"))
        failure = answer if isinstance(answer, SourceError) else None
        attempt = Attempt(Decision(wanted), failure=failure)
        nothing = comparison(wanted, {}, {})
        following = after_write(
            attempt, nothing, tries=self.tries, now=self.now, grace=self.courier.grace
        )
        return self.ended(following)

    async def _compared(self, wanted: Values, made: str, *, is_new: bool) -> Delivered:
        """Return the end by what the contact with this id holds."""
        current = await self.look(Target(ROCS_CONTACTS, made, made))
        found = comparison(wanted, {}, current.values)
        self.note_after(current.values)
        different = [*found.missing, *found.otherwise]
        if is_new and "external_id" in different:
            raise UnknownRecordError("the id that the API answered is another contact's")
        if not different:
            return self.ended(Next("confirmed"), written=found.there, created_id=made)
        names = ", ".join(sorted(different))
        if is_new:
            error = f"the API made another value of {names}"
            written = {name: current.values.get(name) for name in wanted}
            return self.ended(Next("delivered", error), written=written, created_id=made)
        error = f"ROCS has a contact with this external_id, with other values of {names}"
        return self.ended(Next("conflict", error))
