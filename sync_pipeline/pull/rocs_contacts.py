"""ROCS contacts: by the list, or one by one by the documented lookups; with dynamic fields.

The fields that a customer's set-up adds are an answer of their own. It is read when the contact
is new, changed or named by the request, or when it was last read longer ago than the staleness
bound (nothing else tells that they changed).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.mapping.rocs import DYNAMIC_FIELDS
from sync_pipeline.pull.details import needing_detail
from sync_pipeline.pull.due import due_scopes, is_list_proven
from sync_pipeline.pull.keys import record_id
from sync_pipeline.pull.lists import plan_list
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.setbacks import IN_A_ROW
from sync_pipeline.pull.work import (
    MISSING_AGAIN_AFTER,
    Context,
    Work,
    contained,
    hash_of,
    in_turn,
    keyless,
    once,
)
from sync_pipeline.records import Record
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.answers import Answer
from sync_pipeline.sources.rocs import ContactKey, RocsApi
from sync_pipeline.warehouse.absences import Absence
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Proof, Reason
from sync_pipeline.warehouse.registry import known_identifiers


async def plan_rocs_contacts(context: Context, api: RocsApi, settings: RocsSettings) -> Work:
    """Plan the list, or the lookups of the contacts that are registered or named."""
    reader = RocsReader(context, api, has_dynamic=settings.dynamic_path is not None)
    if context.request.only:
        named = list(dict.fromkeys(context.request.only))
        return Work(
            len(named), in_turn(named), lambda name: once(reader.by_id(name)), ask=reader.ask
        )
    if settings.contacts_mode == "lookup":
        total, scopes = await due_scopes(context)
        ids = replace(context, stream=CRMCOM_CONTACTS)
        is_grounded = await asyncio.to_thread(is_list_proven, ids)
        read = reader.by_lookup
        return Work(
            total,
            scopes,
            lambda scope: once(read(scope)),
            is_grounded=is_grounded,
            ask=reader.ask,
        )
    complete = reader.with_dynamic if reader.has_dynamic else None
    return await plan_list(context, api.contacts_page, complete=complete, ask=reader.ask)


@dataclass(slots=True)
class _Failures:
    """How many contacts in a row were denied their dynamic fields for want of an answer."""

    in_a_row: int = 0

    def note(self, reading: Reading) -> None:
        is_unavailable = reading.reason is Reason.UNAVAILABLE
        if not self.are_enough:
            self.in_a_row = self.in_a_row + 1 if is_unavailable else 0

    @property
    def are_enough(self) -> bool:
        """Whether to ask no more in this run: each waits long before it gives up."""
        return self.in_a_row >= IN_A_ROW


@dataclass(frozen=True, slots=True)
class RocsReader:
    """Reads contacts, with their dynamic fields where these are on."""

    context: Context
    api: RocsApi
    has_dynamic: bool
    failures: _Failures = field(default_factory=_Failures)

    @property
    def _side_by_side(self) -> int:
        return 2 * self.context.source.max_in_flight

    async def by_id(self, contact_id: str) -> Reading:
        """Read one contact that a request names by its ROCS id."""
        return await self._contained(contact_id, self._found(contact_id, [("id", contact_id)]))

    async def by_lookup(self, crmcom_id: str) -> Reading:
        """Read the ROCS contact of a person whom CRM.COM knows, by what is known of them."""
        keys = await asyncio.to_thread(self._keys, crmcom_id)
        return await self._contained(crmcom_id, self._found(crmcom_id, keys))

    async def ask(self, absence: Absence) -> Reading:
        """Read one contact that is missing, by its ROCS id."""
        contact_id = absence.record_id
        reading = await self._contained(contact_id, self._if_found(contact_id))
        return replace(reading, is_progress=False)

    async def with_dynamic(self, page: Reading) -> AsyncIterator[Reading]:
        """Yield a page of the list, and each of its contacts that needs its dynamic fields."""
        wanted = await asyncio.to_thread(needing_detail, self.context, page.records)
        plain = [record for record in page.records if record.record_id not in wanted]
        # A repeated row would come without its dynamic fields; the next reading brings it.
        yield replace(page, records=plain, repeats=[])
        incomplete = [record for record in page.records if record.record_id in wanted]
        for start in range(0, len(incomplete), self._side_by_side):
            some = incomplete[start : start + self._side_by_side]
            for reading in await asyncio.gather(*map(self._listed, some)):
                yield reading

    async def _contained(self, scope: str, reading: Awaitable[Reading]) -> Reading:
        outcome = await contained(self.context, scope, datetime.now(UTC), reading)
        # What ROCS says of access is no news of CRM.COM's registry.
        return replace(outcome, access=None)

    def _keys(self, crmcom_id: str) -> list[tuple[ContactKey, str]]:
        with transaction(self.context.engine) as connection:
            known = known_identifiers(connection, crmcom_id, source=self.context.stream.source)
        keys: list[tuple[ContactKey, str | None]] = [
            ("id", known.contact_id),
            ("externalId", crmcom_id),
            ("email", known.email),
            ("mobile", known.phone),
        ]
        return [(by, value) for by, value in keys if value]

    async def _if_found(self, contact_id: str) -> Reading:
        asked_at = datetime.now(UTC)
        answer = await self.api.find_contact("id", contact_id)
        if answer is not None:
            return await self.read_found(contact_id, answer)
        return Reading(contact_id, Proof.INCOMPLETE, Reason.NOT_FOUND, asked_at, asked_at)

    async def _found(self, scope: str, keys: list[tuple[ContactKey, str]]) -> Reading:
        began_at = datetime.now(UTC)
        missing: set[str] = set()
        for by, value in keys:
            answer = await self.api.find_contact(by, value)
            if answer is not None:
                reading = await self.read_found(scope, answer)
                missing -= {record.record_id for record in reading.records}
                return replace(reading, missing=tuple(missing))
            missing |= {value} if by == "id" else set()
        if self.context.request.only:
            reason = Reason.NOT_FOUND
            reading = Reading(scope, Proof.INCOMPLETE, reason, began_at, began_at)
            return replace(reading, is_progress=False, missing=tuple(missing))
        # That ROCS does not know them is an answer too.
        due_at = began_at + MISSING_AGAIN_AFTER
        reading = Reading(scope, Proof.SINGLE_RESPONSE, None, began_at, due_at)
        return replace(reading, missing=tuple(missing))

    async def read_found(self, scope: str, answer: Answer, *, is_whole: bool = False) -> Reading:
        """Return the reading of a contact that a lookup found.

        Where ``is_whole`` is asked for, it raises the SourceError that keeps it from being read
        with its dynamic fields.
        """
        read_at = answer.sent_at
        due_at = self.context.due_again(read_at)
        reading = Reading(scope, Proof.SINGLE_RESPONSE, None, read_at, due_at)
        contact_id = record_id(answer.record)
        if contact_id is None:
            return replace(reading, rejects=[keyless(answer.record, read_at, scope=scope)])
        raw_hash = hash_of(self.context.stream, answer.record)
        record = Record(contact_id, scope, answer.record, b"", raw_hash, read_at)
        if is_whole:
            return replace(reading, records=[await self._with_dynamic(record)])
        return await self._completed(reading, record)

    async def _listed(self, record: Record) -> Reading:
        """Read what one contact of the list needs beside it."""
        read_at = record.observed_at
        due_at = self.context.due_again(read_at)
        proof = Proof.SINGLE_RESPONSE
        reading = Reading(record.record_id, proof, None, read_at, due_at, is_scope=False)
        return await self._completed(reading, record)

    async def _completed(self, reading: Reading, record: Record) -> Reading:
        """Return ``reading`` with the record and its dynamic fields."""

        async def read() -> Reading:
            return replace(reading, records=[await self._with_dynamic(record)])

        if self.failures.are_enough:
            reason = Reason.UNAVAILABLE
            outcome = replace(reading, proof=Proof.INCOMPLETE, reason=reason)
        else:
            outcome = await self._contained(reading.scope, read())
            self.failures.note(outcome)
        if outcome.proof is not Proof.INCOMPLETE:
            return outcome
        # The contact itself was read, and is loaded; without a hash the next reading asks again.
        return replace(
            outcome,
            records=[msgspec.structs.replace(record, raw_hash=None)],
            due_at=reading.due_at,
            is_scope=reading.is_scope,
            setback=None,
        )

    async def _with_dynamic(self, record: Record) -> Record:
        if not self.has_dynamic:
            return record
        answer = await self.api.dynamic_fields(record.record_id)
        fields = msgspec.Raw(answer.record if answer else b"null")
        return msgspec.structs.replace(record, detail=msgspec.json.encode({DYNAMIC_FIELDS: fields}))
