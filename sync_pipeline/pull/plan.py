"""From a stream to its API and its plan: a new stream gets its line here (see docs/extend.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from sync_pipeline import entities
from sync_pipeline.entities import Stream
from sync_pipeline.errors import SettingsError
from sync_pipeline.pull.backfill import plan_backfill
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.pull.communications import plan_communications
from sync_pipeline.pull.contacts import plan_contacts
from sync_pipeline.pull.lists import plan_list
from sync_pipeline.pull.rocs_contacts import plan_rocs_contacts
from sync_pipeline.pull.tenants import plan_tenants
from sync_pipeline.pull.under_contacts import plan_approval_requests
from sync_pipeline.pull.work import Context, Work
from sync_pipeline.settings import CrmcomSettings, RocsSettings, RosaasSettings
from sync_pipeline.sources.answers import Meter, Page
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.rocs import RocsApi, open_rocs
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas

_CRMCOM_PLANS: dict[Stream, Callable[[Context, CrmcomApi], Awaitable[Work]]] = {
    entities.CRMCOM_CONTACTS: plan_contacts,
    entities.CRMCOM_COMMUNICATIONS: plan_communications,
    entities.CRMCOM_APPROVAL_REQUESTS: plan_approval_requests,
}


@asynccontextmanager
async def open_plan(context: Context, *, meter: Meter) -> AsyncIterator[Work]:
    """Open the API of the context's stream and plan its work; ``meter`` counts its requests.

    Raises SettingsError where the source is off, or the stream cannot be read as it is asked for.
    """
    if context.request.backfill is not None and not context.stream.has_creation_time:
        raise SettingsError(f"{context.stream} cannot be read by the time of creation")
    source = context.source
    async with open_budget(context.engine, context.stream.source, source) as budget:
        match source:
            case CrmcomSettings() as settings:
                async with open_crmcom(settings, budget=budget, meter=meter) as crmcom:
                    yield await _plan_crmcom(context, crmcom)
            case RocsSettings() as settings:
                async with open_rocs(settings, budget=budget, meter=meter) as rocs:
                    yield await _plan_rocs(context, rocs, settings)
            case RosaasSettings() as settings:
                async with open_rosaas(settings, budget=budget, meter=meter) as rosaas:
                    yield await _plan_rosaas(context, rosaas)
            case _:
                raise NotImplementedError(f"no API is known for {context.stream}")


async def _plan_crmcom(context: Context, api: CrmcomApi) -> Work:
    if context.request.backfill is not None:
        return await plan_backfill(context, api, context.request.backfill)
    return await _CRMCOM_PLANS[context.stream](context, api)


async def _plan_rocs(context: Context, api: RocsApi, settings: RocsSettings) -> Work:
    if context.stream == entities.ROCS_CONTACTS:
        return await plan_rocs_contacts(context, api, settings)
    pages = {
        entities.ROCS_COMMUNICATIONS: api.activity_page,
        entities.ROCS_CONTACT_LISTS: api.contact_lists_page,
        entities.ROCS_CAMPAIGNS: api.campaigns_page,
    }
    return await plan_list(context, pages[context.stream])


async def _plan_rosaas(context: Context, api: RosaasApi) -> Work:
    if context.stream == entities.ROSAAS_TENANTS:
        return await plan_tenants(context, api)
    lists = {
        entities.ROSAAS_PLANS: api.plans,
        entities.ROSAAS_SPECIFICATIONS: api.specifications,
    }
    return await plan_list(context, partial(_whole, lists[context.stream]))


async def _whole(fetch: Callable[[], Awaitable[Page]], _page: int) -> Page:
    # The API has no paging: the first page is the list.
    return await fetch()
