"""RoSaaS as a push sees it: tenants; each field has a call of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from sync_pipeline.mapping import rosaas
from sync_pipeline.mapping.writes import UNREADABLE
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.tenants import read_tenant
from sync_pipeline.pull.work import Context
from sync_pipeline.push import bodies
from sync_pipeline.push.api import Write
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.values import UnwritableError, Values
from sync_pipeline.sources import rosaas_writes
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.rosaas import RosaasApi
from sync_pipeline.sources.written import Written


@dataclass(frozen=True, slots=True)
class RosaasPush:
    """RoSaaS: tenants."""

    api: RosaasApi
    perhaps_done: ClassVar[frozenset[str]] = rosaas_writes.PERHAPS_DONE
    creator: ClassVar[None] = None

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
