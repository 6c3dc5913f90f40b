"""From a stream to its API and its plan: the one place that knows all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import SettingsError
from sync_pipeline.pull.communications import plan_communications
from sync_pipeline.pull.contacts import plan_contacts
from sync_pipeline.pull.tenants import plan_tenants
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas

Api = CrmcomApi | RosaasApi


@asynccontextmanager
async def open_api(context: Context) -> AsyncIterator[Api]:
    """Open the API of the context's stream; raise SettingsError where its source is off."""
    settings = context.settings
    if context.stream.source == "rosaas" and settings.rosaas is not None:
        async with open_rosaas(settings.rosaas) as rosaas:
            yield rosaas
    elif context.stream.source == "crmcom" and settings.crmcom is not None:
        async with open_crmcom(settings.crmcom) as crmcom:
            yield crmcom
    else:
        variable = f"{context.stream.source.upper()}_BASE_URL"
        raise SettingsError(f"{context.stream} is off: set {variable} to read it")


async def plan_work(context: Context, api: Api) -> Work:
    """Return the work of the context's stream."""
    if isinstance(api, RosaasApi):
        return await plan_tenants(context, api)
    if context.stream is CRMCOM_CONTACTS:
        return await plan_contacts(context, api)
    return await plan_communications(context, api)
