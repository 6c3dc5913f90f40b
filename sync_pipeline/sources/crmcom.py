"""CRM.COM: the Self Service API (v1 and v2) of contacts, and the Back-Office API's list of them.

Contract 3.1-3.5, 3.7 and 3.9. The Self Service API has no list of contacts: every list of it is
about one contact.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus

from sync_pipeline.errors import CredentialRefusedError, RequestRefusedError, SettingsError
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.answers import Answer, Meter, Page
from sync_pipeline.sources.budget import Budget, ProcessBudget
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.credentials import header_secret, refused
from sync_pipeline.sources.crmcom_access import backoffice_identity, open_access, session_of, shown
from sync_pipeline.sources.crmcom_answers import one_record, page_of
from sync_pipeline.sources.crmcom_writes import with_other_verb
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.written import Written, accepted

CONTACTS = "/contacts"
CONTACT = "/contacts/{id}"
COMMUNICATIONS = "/contacts/{id}/communications"
COMMUNICATION = "/communications/{id}"
APPROVAL_REQUESTS = "/contacts/{id}/approval_requests"
OLDEST_FIRST: dict[str, str | int] = {"sort": "CREATED_DATE", "order": "ASC"}
CREATED_FROM = "created_on[gte]"
CREATED_UNTIL = "created_on[lt]"
KEY_ALONE_REMEDY = "the API refuses the key: correct CRMCOM_SECRET_KEY"

logger = logging.getLogger(__name__)


class CrmcomApi:
    """The calls of what may read the contacts; made by `open_crmcom`."""

    def __init__(
        self, settings: CrmcomSettings, self_service: HttpCore, backoffice: HttpCore | None
    ) -> None:
        self.meter: Meter = self_service.meter
        self._settings = settings
        self._core = self_service
        self._access = open_access(self_service, settings)
        self._contacts = _ContactList(backoffice, settings) if backoffice else None

    @property
    def has_creation_filter(self) -> bool:
        """Whether `communications_page` filters by creation (the API may still ignore it)."""
        return self._settings.version == "v2"

    @property
    def has_details(self) -> bool:
        """Whether `communication` says more than the list does: so it is in v1."""
        return self._settings.version == "v1"

    async def contact_list_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the Back-Office list of contacts."""
        if self._contacts is None:
            raise SettingsError("CRMCOM_BACKOFFICE_URL is missing: contacts are listed there")
        return await self._contacts.page(page)

    async def contact(self, contact_id: str) -> Answer:
        """Return one contact; RecordNotFoundError or AccessDeniedError where there is none."""
        return await self._record(contact_id, Call("GET", CONTACT, ids=(contact_id,)))

    async def communications_page(
        self,
        contact_id: str,
        page: int,
        *,
        created_from: datetime | None = None,
        created_until: datetime | None = None,
    ) -> Page:
        """Return page ``page`` (from 1) of a contact's communications, oldest first.

        ``created_from`` and ``created_until`` (aware, the latter excluded) spare reading others
        where the API knows how, to the second; v1 does not, and others may ignore it in silence:
        rows may be older or younger.
        """
        filters = {}
        if created_from is not None and self.has_creation_filter:
            filters[CREATED_FROM] = max(0, math.floor(created_from.timestamp()))
        if created_until is not None and self.has_creation_filter:
            filters[CREATED_UNTIL] = max(0, math.ceil(created_until.timestamp()))
        return await self._page(contact_id, COMMUNICATIONS, page, filters)

    async def communication(self, contact_id: str, communication_id: str) -> Answer:
        """Return one communication; ``contact_id`` says whose it is."""
        return await self._record(contact_id, Call("GET", COMMUNICATION, ids=(communication_id,)))

    async def approval_requests_page(self, contact_id: str, page: int) -> Page:
        """Return page ``page`` (from 1) of a contact's approval requests, oldest first."""
        return await self._page(contact_id, APPROVAL_REQUESTS, page, {})

    async def write(self, contact_id: str, call: Call) -> Written:
        """Send a call of `crmcom_writes` about this contact, once.

        Raises a SourceError that says what came of it (see `written`).
        """
        try:
            reply = await self._access.fetch(contact_id, call)
        except RequestRefusedError as exc:
            is_other_verb = exc.status == HTTPStatus.METHOD_NOT_ALLOWED
            other = with_other_verb(call) if is_other_verb else None
            if other is None:
                raise
            logger.info("%s; trying %s", exc, other.method)
            call, reply = other, await self._access.fetch(contact_id, other)
        return accepted(call, reply, self._core.endpoint)

    async def _record(self, contact_id: str, call: Call) -> Answer:
        return await self._core.understood(
            lambda: self._access.fetch(contact_id, call),
            lambda reply: one_record(call, reply, self._core.endpoint),
        )

    async def _page(
        self, contact_id: str, template: str, page: int, filters: dict[str, int]
    ) -> Page:
        query = OLDEST_FIRST | {"page": page, "size": self._settings.page_size} | filters
        call = Call("GET", template, ids=(contact_id,), query=query)
        return await self._core.understood(
            lambda: self._access.fetch(contact_id, call),
            lambda reply: page_of(call, reply, self._core.endpoint),
        )


class _ContactList:
    """The Back-Office list: a secret key, and a user as well where one is set."""

    def __init__(self, core: HttpCore, settings: CrmcomSettings) -> None:
        self._core = core
        self._page_size = settings.page_size
        self._headers = {"api_key": header_secret("CRMCOM_SECRET_KEY", shown(settings.secret_key))}
        identity = backoffice_identity(settings)
        self._session = session_of(core, identity, settings) if identity else None

    async def page(self, page: int) -> Page:
        query = {"size": self._page_size, "page": page}
        call = Call("GET", CONTACTS, query=query, headers=self._headers)
        return await self._core.understood(
            lambda: self._fetch(call), lambda reply: page_of(call, reply, self._core.endpoint)
        )

    async def _fetch(self, call: Call) -> Reply:
        if self._session is not None:
            return await self._session.fetch(call)
        try:
            return await self._core.fetch(call)
        except CredentialRefusedError as exc:
            raise refused(exc, KEY_ALONE_REMEDY) from exc


@asynccontextmanager
async def open_crmcom(
    settings: CrmcomSettings,
    *,
    budget: Budget | None = None,
    bounds: RetryBounds | None = None,
    meter: Meter | None = None,
) -> AsyncIterator[CrmcomApi]:
    """Open the API; without a ``budget``, the settings' own within this process.

    Both APIs share the budget and the meter: they are one vendor's.
    """
    budget = budget or ProcessBudget.from_settings(settings)
    opened = partial(
        open_core, budget=budget, bounds=bounds or RetryBounds(), meter=meter or Meter()
    )
    async with AsyncExitStack() as stack:
        self_service = await stack.enter_async_context(
            opened(_endpoint(settings, "CRM.COM", settings.base_url, "CRMCOM_BASE_URL"))
        )
        backoffice = None
        if url := settings.backoffice_url:
            backoffice = await stack.enter_async_context(
                opened(_endpoint(settings, "CRM.COM Back-Office", url, "CRMCOM_BACKOFFICE_URL"))
            )
        yield CrmcomApi(settings, self_service, backoffice)


def _endpoint(settings: CrmcomSettings, api: str, base_url: str, variable: str) -> Endpoint:
    secrets = (settings.api_key, settings.password, settings.secret_key)
    users = (settings.username or "", settings.backoffice_username or "")
    return Endpoint(
        api=api,
        base_url=base_url,
        variable=variable,
        timeout_s=settings.timeout_s,
        max_in_flight=settings.max_in_flight,
        secrets=(*map(shown, (*secrets, settings.backoffice_password)), *users),
    )
