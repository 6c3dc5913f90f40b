"""Change a record: read it, decide by what it holds, write, read again, decide what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from sync_pipeline.errors import SourceError
from sync_pipeline.push.attempt import Attempting
from sync_pipeline.push.courier import ClaimLostError, Delivered, UnknownRecordError
from sync_pipeline.push.decide import Decision, comparison, decision, unexpected
from sync_pipeline.push.merge import with_items_merged
from sync_pipeline.push.outcome import Attempt, Next, after_write, without_write
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.values import Values, canonical_values, comparable
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.ledger import own_writes, reported_by
from sync_pipeline.warehouse.stored import owner_of


@dataclass(frozen=True, slots=True)
class _Tried:
    """The values that were accepted, and those of the call that failed."""

    accepted: Values = field(default_factory=dict)
    failed: Values = field(default_factory=dict)
    failure: SourceError | None = None

    @property
    def all(self) -> Values:
        return {**self.accepted, **self.failed}


class Changing(Attempting):
    """One attempt at an update of a record that is there."""

    async def deliver(self) -> Delivered:
        """Bring the record to what is wanted, where the policy for conflicts lets it."""
        target, before, decided = await self.plan()
        unreadable = self.courier.api.unreadable(decided.write)
        if unreadable and self.claim.is_orphan:
            error = f"{', '.join(sorted(unreadable))} may have been reported, and cannot be read"
            return self.ended(Next("uncertain", error))
        self.known = {name: before.values.get(name) for name in self.wanted(target, before)}
        if not decided.write:
            written = {} if decided.held or decided.kept else self.known
            return self.ended(without_write(decided), written=written)
        return await self._write(target, before, decided)

    async def plan(self) -> tuple[Target, Current, Decision]:
        """Return the record, what it holds, and what is to be done about it; nothing is sent."""
        target = await self._target()
        before = await self.look(target)
        return target, before, await self._decide(target, before)

    async def _target(self) -> Target:
        update = self.claim.update
        stream = update.stream
        if stream.upstream is None:
            return Target(stream, update.entity_id, update.entity_id)
        owner = await asyncio.to_thread(owner_of, self.courier.engine, stream, update.entity_id)
        if owner is None:
            raise UnknownRecordError("the warehouse does not know whose record it is")
        return Target(stream, update.entity_id, owner)

    def wanted(self, target: Target, before: Current) -> Values:
        """Return what the record is to hold, in canonical form; raises UnwritableError."""
        return self._asked(target, before)[0]

    def _asked(self, target: Target, before: Current) -> tuple[Values, Values]:
        """Return what it is to hold, and what it was asked for by; arrays that are read merged."""
        update, stream, country = self.claim.update, target.stream, _country(before)
        wanted = canonical_values(stream, update.changes, country=country)
        base = comparable(stream, update.base, country=country)
        hidden = self.courier.api.unreadable(wanted)
        readable = {name: value for name, value in wanted.items() if name not in hidden}
        merged, base = with_items_merged(readable, base, before.values)
        return {**wanted, **merged}, base

    async def _decide(self, target: Target, before: Current) -> Decision:
        stream = target.stream
        wanted, base = self._asked(target, before)
        unreadable = self.courier.api.unreadable(wanted)
        readable = {name: value for name, value in wanted.items() if name not in unreadable}
        strange = unexpected(readable, base, before.values)
        ours = await asyncio.to_thread(self._own_writes, strange) if strange else frozenset()
        policies = {n: self.courier.settings.conflict_policy(str(stream), n) for n in strange}
        reported = unreadable and await asyncio.to_thread(self._reported) & unreadable
        decided = decision(
            {name: value for name, value in wanted.items() if name not in reported},
            before.values,
            conflicts=strange.keys() - ours,
            unreadable=unreadable,
            policies=policies,
        )
        return replace(decided, reported=tuple(reported))

    def _own_writes(self, present: Values) -> frozenset[str]:
        with transaction(self.courier.engine) as connection:
            return own_writes(connection, self.claim.update, present)

    def _reported(self) -> frozenset[str]:
        with transaction(self.courier.engine) as connection:
            return reported_by(connection, self.claim.update)

    async def _write(self, target: Target, before: Current, decided: Decision) -> Delivered:
        writes = self.courier.api.writes(target, decided.write, before)
        tried = _Tried()
        for write in writes:
            answer = await self.send(target, write, before.values)
            if isinstance(answer, SourceError):
                tried = replace(tried, failed=write.wanted, failure=answer)
                break
            tried = replace(tried, accepted={**tried.accepted, **write.wanted})
        if self.sent_at is None:
            raise tried.failure or ClaimLostError("nothing was sent")
        return await self._judged(target, before, decided, tried)

    async def _judged(
        self, target: Target, before: Current, decided: Decision, tried: _Tried
    ) -> Delivered:
        api, failure = self.courier.api, tried.failure
        hidden = api.unreadable(tried.all)
        is_perhaps_done = failure is not None and failure.code in api.perhaps_done
        is_look_worth = self.may_have_changed or is_perhaps_done
        after = await self.look(target) if is_look_worth else before
        readable = {name: value for name, value in tried.all.items() if name not in hidden}
        found = comparison(readable, before.values, after.values)
        attempt = Attempt(
            decided,
            hidden,
            doubtful=hidden & tried.failed.keys(),
            untried=decided.write.keys() - tried.all.keys(),
            failure=failure,
            is_perhaps_done=is_perhaps_done,
        )
        following = after_write(
            attempt, found, tries=self.tries, now=self.now, grace=self.courier.grace
        )
        self.note_after(after.values)
        reported = {name: value for name, value in tried.accepted.items() if name in hidden}
        return self.ended(following, written={**found.there, **found.otherwise, **reported})


def _country(current: Current) -> str | None:
    country = current.values.get("phone_country")
    return country if isinstance(country, str) else None
