"""CRM.COM as a push sees it: contacts, communications and approval requests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

from sync_pipeline import entities
from sync_pipeline.pull.communications import read_communication
from sync_pipeline.pull.contacts import read_contact
from sync_pipeline.pull.listing import LongestPage
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.under_contacts import read_approval_requests
from sync_pipeline.pull.work import Context
from sync_pipeline.push import bodies
from sync_pipeline.push.api import Write
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.values import Values
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources import crmcom_writes
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.sources.written import Written


@dataclass(frozen=True, slots=True)
class CrmcomPush:
    """CRM.COM in the version that is set."""

    api: CrmcomApi
    settings: CrmcomSettings
    longest: LongestPage = field(default_factory=LongestPage)
    perhaps_done: ClassVar[frozenset[str]] = frozenset()
    creator: ClassVar[None] = None

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        """Return none."""
        del fields
        return frozenset()

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        """Read a contact, a communication, or the list that an approval request is in."""
        del fields
        if target.stream == entities.CRMCOM_CONTACTS:
            return await read_contact(context, self.api, target.record_id)
        if target.stream == entities.CRMCOM_COMMUNICATIONS:
            return await read_communication(context, self.api, target.owner, target.record_id)
        return await read_approval_requests(context, self.api, target.owner, self.longest)

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        """Return the one call."""
        if target.stream == entities.CRMCOM_CONTACTS:
            version = self.settings.version
            body = bodies.contact_of_crmcom(wanted, current.values, current.raw, version=version)
            call = crmcom_writes.update_contact(target.record_id, body)
        elif target.stream == entities.CRMCOM_COMMUNICATIONS:
            body = bodies.communication_of_crmcom(wanted, current.values)
            call = crmcom_writes.mark_communication(target.record_id, body)
        else:
            body = bodies.approval_of_crmcom(wanted)
            call = crmcom_writes.decide_approval_request(target.record_id, body)
        return [Write(call, wanted)]

    async def write(self, target: Target, call: Call) -> Written:
        """Send as whoever may write to the contact."""
        return await self.api.write(target.owner, call)
