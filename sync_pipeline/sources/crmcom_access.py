"""Who reads CRM.COM: one identity for all contacts, or each contact for itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from pydantic import SecretStr

from sync_pipeline.errors import AccessDeniedError, CredentialRefusedError, SourceError
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources.calls import Call, Reply
from sync_pipeline.sources.contacts_file import Credentials, read_credentials
from sync_pipeline.sources.credentials import header_secret
from sync_pipeline.sources.crmcom_login import Identity, log_in
from sync_pipeline.sources.http_core import HttpCore
from sync_pipeline.sources.sessions import LADDER, Scheme, Session
from sync_pipeline.sources.tokens import Tokens

CONTACT_LOGIN = "/contacts/authenticate"
USER_LOGIN = "/users/authenticate"
MOST_SESSIONS = 1000
"""How many contacts stay logged in; one that was put aside logs in again when it is read."""
NO_CREDENTIALS = "CRMCOM_CONTACTS_FILE has no username and password for this contact"


class Access(Protocol):
    """Sends calls about one contact with whatever may read it."""

    async def fetch(self, contact_id: str, call: Call) -> Reply:
        """Return the answer to a call about this contact."""


class ServiceAccess:
    """One identity that may read every contact."""

    def __init__(self, core: HttpCore, settings: CrmcomSettings) -> None:
        self._session = session_of(core, self_service_identity(settings), settings)

    async def fetch(self, contact_id: str, call: Call) -> Reply:
        """Return the answer; CredentialRefusedError concerns every contact."""
        del contact_id
        return await self._session.fetch(call)


class ContactAccess:
    """Each contact with its own credentials: what is refused to one says nothing of another."""

    def __init__(
        self, core: HttpCore, settings: CrmcomSettings, credentials: Mapping[str, Credentials]
    ) -> None:
        self._core = core
        self._settings = settings
        self._api_key = header_secret("CRMCOM_API_KEY", shown(settings.api_key))
        self._credentials = credentials
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._known_headers: dict[str, Scheme] = {}

    async def fetch(self, contact_id: str, call: Call) -> Reply:
        """Return the answer; every error is about this contact's record alone.

        AccessDeniedError where the login is refused, or there is nothing to log in with.
        """
        own = self._credentials.get(contact_id)
        if own is None:
            api = self._core.endpoint.api
            raise AccessDeniedError(api, call.template, detail=NO_CREDENTIALS)
        call = replace(call, secrets=(own.username, own.password))
        try:
            return await self._session(contact_id, own).fetch(call)
        except CredentialRefusedError as exc:
            raise AccessDeniedError(
                exc.api, call.template, exc.status, exc.code, exc.detail
            ) from exc
        except SourceError as exc:
            if exc.path == CONTACT_LOGIN:
                detail = f"its login failed ({exc.detail})"
                raise replace(exc, path=call.template, detail=detail) from exc
            raise

    def _session(self, contact_id: str, own: Credentials) -> Session:
        session = self._sessions.get(contact_id)
        if session is None:
            identity = self._identity(own)
            known = self._known_headers
            session = session_of(self._core, identity, self._settings, known=known)
            self._sessions[contact_id] = session
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(contact_id)
        return session

    def _identity(self, own: Credentials) -> Identity:
        return Identity(
            path=CONTACT_LOGIN,
            api_key=self._api_key,
            username=own.username,
            password=own.password,
            variables="the line of this contact in CRMCOM_CONTACTS_FILE, or CRMCOM_API_KEY",
        )


def open_access(core: HttpCore, settings: CrmcomSettings) -> Access:
    """Return the access that the settings ask for; SettingsError where it cannot be had."""
    if settings.auth == "service" or settings.contacts_file is None:
        return ServiceAccess(core, settings)
    return ContactAccess(core, settings, read_credentials(settings.contacts_file))


def self_service_identity(settings: CrmcomSettings) -> Identity:
    """Return the contact that reads; SettingsError when its key cannot be sent."""
    return Identity(
        path=CONTACT_LOGIN,
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
        path=USER_LOGIN,
        api_key=header_secret("CRMCOM_API_KEY", shown(settings.api_key)),
        username=settings.backoffice_username,
        password=shown(settings.backoffice_password),
        variables="CRMCOM_BACKOFFICE_USERNAME, CRMCOM_BACKOFFICE_PASSWORD or CRMCOM_SECRET_KEY",
    )


def session_of(
    core: HttpCore,
    identity: Identity,
    settings: CrmcomSettings,
    *,
    known: dict[str, Scheme] | None = None,
) -> Session:
    """Return the session of an identity; ``known`` is what is known of the headers already."""
    schemes = LADDER if settings.header_scheme == "auto" else (settings.header_scheme,)
    scheme = f"CRMCOM_HEADER_SCHEME (now {settings.header_scheme}) may be wrong"
    remedy = f"{identity.remedy}; where the login works, {scheme}"
    tokens = Tokens(partial(log_in, core, identity))
    return Session(core, tokens, schemes=schemes, remedy=remedy, known=known)


def shown(secret: SecretStr | None) -> str:
    """Return a secret's text, empty when it is not set."""
    return secret.get_secret_value() if secret else ""
