"""ROCS: contacts by list or by lookup, their dynamic fields, activity, lists and campaigns.

Contract 1. Only the lookups of a contact are documented; the paths of all else, the names of a
page's parameters and the form of a list are settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from sync_pipeline.errors import RecordNotFoundError, SettingsError
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.answers import Answer, Meter, Page
from sync_pipeline.sources.budget import Budget, ProcessBudget
from sync_pipeline.sources.calls import Call, Endpoint
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs_answers import page_of, record_or_none
from sync_pipeline.sources.rocs_login import log_in, remedy
from sync_pipeline.sources.rocs_writes import DECLARED
from sync_pipeline.sources.sessions import Session
from sync_pipeline.sources.tokens import Tokens
from sync_pipeline.sources.written import Written, accepted

ContactKey = Literal["id", "email", "externalId", "mobile"]


class RocsApi:
    """The calls of one client; made by `open_rocs`."""

    def __init__(self, settings: RocsSettings, core: HttpCore, token_core: HttpCore) -> None:
        self.meter: Meter = core.meter
        self._settings = settings
        self._core = core
        tokens = Tokens(partial(log_in, token_core, settings))
        self._session = Session(core, tokens, schemes=("bearer",), remedy=remedy(settings))

    async def contacts_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the list of contacts."""
        return await self._page(self._settings.contacts_path, page)

    async def find_contact(self, by: ContactKey, value: str) -> Answer | None:
        """Return the contact with this identifier, or None when the API knows none."""
        return await self._find(f"{self._settings.contacts_path}?{by}={{id}}", value)

    async def write(self, call: Call) -> Written:
        """Send a call of `rocs_writes`, once.

        Raises a SourceError that says what came of it (see `written`).
        """
        return accepted(call, await self._session.fetch(call), self._core.endpoint)

    async def dynamic_fields(self, contact_id: str) -> Answer | None:
        """Return a contact's customer-specific fields, or None when the API knows none."""
        path = self._path("dynamic_fields")
        return await self._find(f"{path}?id={{id}}", contact_id)

    async def activity_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the communications with all contacts."""
        return await self._page(self._path("communications"), page)

    async def contact_lists_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the contact lists."""
        return await self._page(self._path("contact_lists"), page)

    async def campaigns_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the campaigns."""
        return await self._page(self._path("campaigns"), page)

    def _path(self, entity: str) -> str:
        path = self._settings.path_of(entity)
        if path is None:
            variable = self._settings.missing_for(entity)
            raise SettingsError(f"{variable} is not set: nothing is known of where ROCS has it")
        return path

    async def _page(self, path: str, page: int) -> Page:
        settings = self._settings
        query = {settings.page_param: page, settings.size_param: settings.page_size}
        call = Call("GET", path, query=query, headers=DECLARED)
        key, endpoint = settings.result_key, self._core.endpoint
        return await self._core.understood(
            lambda: self._session.fetch(call),
            lambda reply: page_of(call, reply, endpoint, result_key=key),
        )

    async def _find(self, template: str, value: str) -> Answer | None:
        call = Call("GET", template, ids=(value,), headers=DECLARED)
        try:
            return await self._core.understood(
                lambda: self._session.fetch(call),
                lambda reply: record_or_none(call, reply, self._core.endpoint),
            )
        except RecordNotFoundError:
            return None


@asynccontextmanager
async def open_rocs(
    settings: RocsSettings,
    *,
    budget: Budget | None = None,
    bounds: RetryBounds | None = None,
    meter: Meter | None = None,
) -> AsyncIterator[RocsApi]:
    """Open the API; without a ``budget``, the settings' own within this process."""
    budget = budget or ProcessBudget.from_settings(settings)
    opened = partial(
        open_core, budget=budget, bounds=bounds or RetryBounds(), meter=meter or Meter()
    )
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(opened(_endpoint(settings)))
        token_core = await stack.enter_async_context(opened(_token_endpoint(settings)))
        yield RocsApi(settings, core, token_core)


def _endpoint(settings: RocsSettings) -> Endpoint:
    return Endpoint(
        api="ROCS",
        base_url=settings.base_url,
        variable="ROCS_BASE_URL",
        timeout_s=settings.timeout_s,
        max_in_flight=settings.max_in_flight,
        secrets=_secrets(settings),
    )


def _token_endpoint(settings: RocsSettings) -> Endpoint:
    # Often another host than the API's, and one that logs in once in an hour.
    parts = urlsplit(settings.token_url)
    return Endpoint(
        api="ROCS login",
        base_url=f"{parts.scheme}://{parts.netloc}",
        variable="ROCS_TOKEN_URL",
        timeout_s=settings.timeout_s,
        max_in_flight=1,
        secrets=_secrets(settings),
    )


def _secrets(settings: RocsSettings) -> tuple[str, ...]:
    return (settings.client_id, settings.client_secret.get_secret_value())
