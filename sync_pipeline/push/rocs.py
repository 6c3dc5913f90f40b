"""ROCS as a push sees it: contacts, and their dynamic fields, which have calls of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from sync_pipeline.errors import RecordNotFoundError
from sync_pipeline.mapping.rocs import DYNAMIC_FIELDS
from sync_pipeline.mapping.writes import INTERESTS, is_dynamic
from sync_pipeline.pull.keys import record_id
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.rocs_contacts import RocsReader
from sync_pipeline.pull.work import Context
from sync_pipeline.push import bodies
from sync_pipeline.push.api import Write
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.values import Json, UnwritableError, Values
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources import rocs_writes
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.rocs import RocsApi
from sync_pipeline.sources.written import Written


@dataclass(frozen=True, slots=True)
class RocsPush:
    """ROCS: contacts."""

    api: RocsApi
    settings: RocsSettings
    perhaps_done: ClassVar[frozenset[str]] = frozenset()

    @property
    def creator(self) -> RocsCreator:
        """What creates contacts."""
        return RocsCreator(self.api, self.settings)

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        """Return the dynamic fields, unless it is known where they are read."""
        is_read = self.settings.dynamic_path is not None
        return frozenset() if is_read else frozenset(filter(is_dynamic, fields))

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        """Read a contact by its id."""
        answer = await self.api.find_contact("id", target.record_id)
        if answer is None:
            raise RecordNotFoundError("ROCS", f"{self.settings.contacts_path}?id={{id}}")
        # Where they are in question, those that cannot be read are not to be taken for missing.
        is_whole = any(map(is_dynamic, fields))
        reader = self._reader(context)
        return await reader.read_found(target.record_id, answer, is_whole=is_whole)

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        """Return a call with the whole contact, and one with all of its dynamic fields."""
        calls = []
        _require_configured(wanted, self.settings)
        dynamic = {name: value for name, value in wanted.items() if is_dynamic(name)}
        if plain := {name: value for name, value in wanted.items() if name not in dynamic}:
            body = bodies.contact_of_rocs(plain, current.raw)
            calls.append(Write(rocs_writes.update_contact(self.settings, body), plain))
        path = self.settings.dynamic_update_path or self.settings.dynamic_path
        if dynamic and path:
            body = bodies.dynamic_of_rocs(dynamic, _dynamic_there(target, current))
            call = rocs_writes.update_dynamic_fields(path, target.record_id, body)
            calls.append(Write(call, dynamic))
        return calls

    async def write(self, target: Target, call: Call) -> Written:
        """Send a call."""
        del target
        return await self.api.write(call)

    def _reader(self, context: Context) -> RocsReader:
        return RocsReader(context, self.api, has_dynamic=self.settings.dynamic_path is not None)


@dataclass(frozen=True, slots=True)
class RocsCreator:
    """Creates contacts, which are found by the external id that they were given."""

    api: RocsApi
    settings: RocsSettings
    key: ClassVar[str] = "external_id"

    async def find(self, value: str) -> str | None:
        """Return the id of the contact that has this external id, if there is one."""
        answer = await self.api.find_contact("externalId", value)
        return None if answer is None else record_id(answer.record)

    def creation(self, wanted: Values) -> Write:
        """Return the call that creates a contact of these values; raises UnwritableError."""
        _require_configured(wanted, self.settings)
        body = bodies.contact_of_rocs(wanted, {})
        return Write(rocs_writes.create_contact(self.settings, body), wanted)

    def id_in(self, answer: Written) -> str | None:
        """Return the id in the contact that was answered."""
        return record_id(answer.answer)


def _require_configured(wanted: Values, settings: RocsSettings) -> None:
    for name in wanted:
        is_json = name == INTERESTS or is_dynamic(name)
        if is_json and name not in settings.push_fields:
            raise UnwritableError(f"ROCS_PUSH_FIELDS does not name {name}")


def _dynamic_there(target: Target, current: Current) -> bodies.Members:
    for record in current.reading.records:
        if record.record_id == target.record_id and record.detail:
            detail: dict[str, dict[str, Json] | None] = msgspec.json.decode(record.detail)
            return detail[DYNAMIC_FIELDS] or {}
    return {}
