"""CRM.COM: the Self Service API v1 of contacts, and the Back-Office API's list of them.

Contract 3.1-3.4, 3.7 and 3.9. The Self Service API has no list of contacts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from pydantic import SecretStr

from sync_pipeline.errors import CredentialRefusedError, SettingsError
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.answers import Answer, Meter, Page
from sync_pipeline.sources.budget import Budget, ProcessBudget
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.credentials import header_secret, refused
from sync_pipeline.sources.crmcom_answers import one_record, page_of
from sync_pipeline.sources.crmcom_login import Identity, log_in
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.sessions import LADDER, Session
from sync_pipeline.sources.tokens import Tokens

CONTACTS = "/contacts"
CONTACT = "/contacts/{id}"
COMMUNICATIONS = "/contacts/{id}/communications"
OLDEST_FIRST: dict[str, str | int] = {"sort": "CREATED_DATE", "order": "ASC"}
KEY_ALONE_REMEDY = "the API refuses the key: correct CRMCOM_SECRET_KEY"


class CrmcomApi:
    """The calls of one identity; made by `open_crmcom`."""

    def __init__(
        self, settings: CrmcomSettings, self_service: HttpCore, backoffice: HttpCore | None
    ) -> None:
        self.meter: Meter = self_service.meter
        self._page_size = settings.page_size
        self._endpoint = self_service.endpoint
        self._session = _session(self_service, self_service_identity(settings), settings)
        self._contacts = _ContactList(backoffice, settings) if backoffice else None

    async def contact_list_page(self, page: int) -> Page:
        """Return page ``page`` (from 1) of the Back-Office list of contacts."""
        if self._contacts is None:
            raise SettingsError("CRMCOM_BACKOFFICE_URL is missing: contacts are listed there")
        return await self._contacts.page(page)

    async def contact(self, contact_id: str) -> Answer:
        """Return one contact; RecordNotFoundError or AccessDeniedError where there is none."""
        call = Call("GET", CONTACT, ids=(contact_id,))
        return one_record(call, await self._session.fetch(call), self._endpoint)

    async def communications_page(self, contact_id: str, page: int) -> Page:
        """Return page ``page`` (from 1) of a contact's communications, oldest first."""
        query = OLDEST_FIRST | {"page": page, "size": self._page_size}
        call = Call("GET", COMMUNICATIONS, ids=(contact_id,), query=query)
        return page_of(call, await self._session.fetch(call), self._endpoint)


class _ContactList:
    """The Back-Office list: a secret key, and a user as well where one is set."""

    def __init__(self, core: HttpCore, settings: CrmcomSettings) -> None:
        self._core = core
        self._page_size = settings.page_size
        self._headers = {"api_key": header_secret("CRMCOM_SECRET_KEY", shown(settings.secret_key))}
        identity = backoffice_identity(settings)
        self._session = _session(core, identity, settings) if identity else None

    async def page(self, page: int) -> Page:
        query = {"size": self._page_size, "page": page}
        call = Call("GET", CONTACTS, query=query, headers=self._headers)
        return page_of(call, await self._fetch(call), self._core.endpoint)

    async def _fetch(self, call: Call) -> Reply:
        if self._session is not None:
            return await self._session.fetch(call)
        try:
            return await self._core.fetch(call)
        except CredentialRefusedError as exc:
            raise refused(exc, KEY_ALONE_REMEDY) from exc


@asynccontextmanager
async def open_crmcom(
    settings: CrmcomSettings, *, budget: Budget | None = None, bounds: RetryBounds | None = None
) -> AsyncIterator[CrmcomApi]:
    """Open the API; without a ``budget``, the settings' own within this process.

    Both APIs share the budget and the meter: they are one vendor's.
    """
    budget = budget or ProcessBudget.from_settings(settings)
    opened = partial(open_core, budget=budget, bounds=bounds or RetryBounds(), meter=Meter())
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


def self_service_identity(settings: CrmcomSettings) -> Identity:
    """Return the contact that reads; SettingsError when its key cannot be sent."""
    return Identity(
        path="/contacts/authenticate",
        api_key=header_secret("CRMCOM_API_KEY", shown(settings.api_key)),
        username=settings.username or "",
        password=shown(settings.password),
        variables="CRMCOM_USERNAME, CRMCOM_PASSWORD or CRMCOM_API_KEY",
    )


def backoffice_identity(settings: CrmcomSettings) -> Identity | None:
    """Return the Back-Office user, or None when the secret key is to do alone."""
    if not settings.backoffice_username:
        return None
    return Identity(
        path="/users/authenticate",
        api_key=header_secret("CRMCOM_API_KEY", shown(settings.api_key)),
        username=settings.backoffice_username,
        password=shown(settings.backoffice_password),
        variables="CRMCOM_BACKOFFICE_USERNAME, CRMCOM_BACKOFFICE_PASSWORD or CRMCOM_SECRET_KEY",
    )


def shown(secret: SecretStr | None) -> str:
    """Return a secret's text, empty when it is not set."""
    return secret.get_secret_value() if secret else ""


def _session(core: HttpCore, identity: Identity, settings: CrmcomSettings) -> Session:
    schemes = LADDER if settings.header_scheme == "auto" else (settings.header_scheme,)
    tokens = Tokens(partial(log_in, core, identity))
    scheme = f"CRMCOM_HEADER_SCHEME (now {settings.header_scheme}) may be wrong"
    remedy = f"{identity.remedy}; where the login works, {scheme}"
    return Session(core, tokens, schemes=schemes, remedy=remedy)


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
