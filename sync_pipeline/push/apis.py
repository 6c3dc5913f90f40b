"""The APIs as a push sees them: CRM.COM and RoSaaS; ROCS is in `rocs`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sync_pipeline import entities
from sync_pipeline.mapping import rosaas
from sync_pipeline.mapping.writes import UNREADABLE
from sync_pipeline.pull.communications import read_communication
from sync_pipeline.pull.contacts import read_contact
from sync_pipeline.pull.listing import LongestPage
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.tenants import read_tenant
from sync_pipeline.pull.under_contacts import read_approval_requests
from sync_pipeline.pull.work import Context
from sync_pipeline.push import bodies
from sync_pipeline.push.api import PushApi, Write
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.rocs import RocsPush
from sync_pipeline.push.values import UnwritableError, Values
from sync_pipeline.settings import CrmcomSettings, RocsSettings, RosaasSettings, SourceSettings
from sync_pipeline.sources import crmcom_writes, rosaas_writes
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.budget import Budget
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs import open_rocs
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas
from sync_pipeline.sources.written import Written


@dataclass(frozen=True, slots=True)
class CrmcomPush:
    """CRM.COM in the version that is set."""

    api: CrmcomApi
    settings: CrmcomSettings
    longest: LongestPage = field(default_factory=LongestPage)

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


@dataclass(frozen=True, slots=True)
class RosaasPush:
    """RoSaaS: tenants; each field has a call of its own."""

    api: RosaasApi

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        """Return what can be reported alone."""
        return UNREADABLE["rosaas/tenants"] & {*fields}

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        """Read a tenant by the list and by its own answer."""
        del fields
        return await read_tenant(context, self.api, target.record_id)

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        """Return a call for each field; the status last, for it may end the others."""
        del current
        last = sorted(wanted, key=lambda name: name == rosaas.STATUS)
        return [Write(_tenant_call(target.record_id, wanted, n), {n: wanted[n]}) for n in last]

    async def write(self, target: Target, call: Call) -> Written:
        """Send a call."""
        del target
        return await self.api.write(call)


def _tenant_call(name: str, wanted: Values, field_name: str) -> Call:
    value = wanted[field_name]
    if field_name == rosaas.METADATA:
        return rosaas_writes.put_metadata(name, bodies.any_json(value))
    if field_name == rosaas.UPGRADE_APPLIED:
        if value is not True:
            raise UnwritableError("upgrade_applied can only be true")
        return rosaas_writes.report_upgrade(name)
    report = rosaas.STATUS_WRITES.get(str(value))
    if report is None:
        said = ", ".join(rosaas.STATUS_WRITES)
        raise UnwritableError(f"the status of a tenant may be reported as {said}")
    body = bodies.any_json({}) if report == rosaas.STATUS_WRITES["Failure"] else None
    return rosaas_writes.report_status(name, report, body=body)


@asynccontextmanager
async def open_api(
    settings: SourceSettings,
    *,
    budget: Budget | None,
    meter: Meter,
    bounds: RetryBounds | None = None,
) -> AsyncIterator[PushApi]:
    """Open a source for a push; ``bounds`` are those of its readings."""
    match settings:
        case CrmcomSettings():
            async with open_crmcom(settings, budget=budget, bounds=bounds, meter=meter) as crmcom:
                yield CrmcomPush(crmcom, settings)
        case RocsSettings():
            async with open_rocs(settings, budget=budget, bounds=bounds, meter=meter) as rocs:
                yield RocsPush(rocs, settings)
        case RosaasSettings():
            async with open_rosaas(
                settings, budget=budget, bounds=bounds, meter=meter
            ) as rosaas_api:
                yield RosaasPush(rosaas_api)
        case _:
            raise NotImplementedError("no API is known for these settings")
