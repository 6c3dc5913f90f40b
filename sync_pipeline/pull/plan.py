"""From a stream to its API and its plan: a new stream gets its line here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, ROSAAS_TENANTS, Stream
from sync_pipeline.pull.communications import plan_communications
from sync_pipeline.pull.contacts import plan_contacts
from sync_pipeline.pull.tenants import plan_tenants
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.settings import CrmcomSettings, RosaasSettings
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas

Api = CrmcomApi | RosaasApi

_CRMCOM_PLANS: dict[Stream, Callable[[Context, CrmcomApi], Awaitable[Work]]] = {
    CRMCOM_CONTACTS: plan_contacts,
    CRMCOM_COMMUNICATIONS: plan_communications,
}
_ROSAAS_PLANS: dict[Stream, Callable[[Context, RosaasApi], Awaitable[Work]]] = {
    ROSAAS_TENANTS: plan_tenants,
}


@asynccontextmanager
async def open_api(context: Context) -> AsyncIterator[Api]:
    """Open the API of the context's stream; raise SettingsError where its source is off."""
    match context.source:
        case RosaasSettings() as settings:
            async with open_rosaas(settings) as rosaas:
                yield rosaas
        case CrmcomSettings() as settings:
            async with open_crmcom(settings) as crmcom:
                yield crmcom
        case _:
            raise NotImplementedError(f"no API is known for {context.stream}")


async def plan_work(context: Context, api: Api) -> Work:
    """Return the work of the context's stream."""
    if isinstance(api, RosaasApi):
        return await _ROSAAS_PLANS[context.stream](context, api)
    return await _CRMCOM_PLANS[context.stream](context, api)
