"""CRM.COM's authentication calls, and who may read what with the tokens that come out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import access
from .crmcom_errors import bad_parameter, unauthorised
from .ids import guid
from .tokens import LIFETIME_S, issue_token, token_subject
from .versions import V1
from .wire import Reply, encode

if TYPE_CHECKING:
    from .denial import Denial
    from .live import LiveWorld
    from .rows import Contact, JsonObject
    from .versions import Version
    from .wire import Request

_SIGNING_KEY = "sandbox-crmcom-signing-key"
_REFRESH_KEY = "sandbox-crmcom-refresh-key"
# Whoever this token is for reads every contact.
SERVICE = guid("service-contact")
_PROVIDERS = ("EMAIL", "PHONE")
_CONTACT_USERNAME = re.compile(
    re.escape(access.CRMCOM_CONTACT_USERNAME).replace(r"\{contact_id\}", "(.*)")
)
# (header, what stands before the token in lower case)
_HEADERS = {
    "bearer": (b"authorization", "bearer "),
    "raw": (b"authorization", ""),
    "auth_token": (b"auth_token", ""),
}


def reader(request: Request, header_form: str) -> str | None:
    """Whose valid token the request carries in this form: `SERVICE` or a contact's id."""
    name, prefix = _HEADERS[header_form]
    value = request.header(name)
    if value is None or value[: len(prefix)].lower() != prefix:
        return None
    return token_subject(_SIGNING_KEY, value[len(prefix) :])


def is_forbidden(denied: Denial, subject: str, contact_id: str) -> bool:
    """Whether whose token it is may not have to do with this contact."""
    return denied.covers(contact_id) if subject == SERVICE else subject != contact_id


@dataclass(frozen=True, slots=True)
class _Identity:
    subject: str
    password: str
    contact: Contact | None


class CrmcomLogin:
    """Two kinds of identity: one service account, and each contact itself."""

    def __init__(self, live: LiveWorld) -> None:
        self._contacts = live.contacts

    def authenticate(self, request: Request, version: Version) -> Reply:
        """EMAIL with password gives a token; EMAIL without, or PHONE, asks for a one-time one."""
        if request.header(b"api_key") != access.CRMCOM_API_KEY:
            return unauthorised()
        body = request.json_object() or {}
        provider = body.get("provider")
        if provider not in _PROVIDERS:
            return bad_parameter(400, "provider", str(provider))
        if provider == "PHONE":
            return _one_time_password("+35799***834")
        identity = self._identity_named(str(body.get("username")))
        if identity is None:
            return unauthorised()
        given = body.get("password")
        if not given:
            return _one_time_password("s***@sandbox.example")
        return _token(identity, version) if given == identity.password else unauthorised()

    def refresh(self, request: Request, version: Version) -> Reply:
        """Answer a refresh token as a login: in the body or a header, later as the bearer."""
        if version is V1:
            if request.header(b"api_key") != access.CRMCOM_API_KEY:
                return unauthorised()
            given = (request.json_object() or {}).get("refresh_token")
            token = str(given) if given else request.header(b"refresh_token") or ""
        else:
            token = (request.header(b"authorization") or "").removeprefix("Bearer ")
        subject = token_subject(_REFRESH_KEY, token)
        identity = None if subject is None else self._identity(subject)
        return unauthorised() if identity is None else _token(identity, version)

    def _identity_named(self, username: str) -> _Identity | None:
        if username == access.CRMCOM_USERNAME:
            return self._identity(SERVICE)
        named = _CONTACT_USERNAME.fullmatch(username)
        return self._identity(named[1]) if named and named[1] != SERVICE else None

    def _identity(self, subject: str) -> _Identity | None:
        if subject == SERVICE:
            return _Identity(SERVICE, access.CRMCOM_PASSWORD, None)
        contact = self._contacts.find(subject)
        if contact is None:
            return None
        return _Identity(subject, access.CRMCOM_CONTACT_PASSWORD, contact)


def _one_time_password(sent_to: str) -> Reply:
    return Reply(200, encode({"obfuscated_value": sent_to, "auth_otp": guid("one-time-password")}))


def _token(identity: _Identity, version: Version) -> Reply:
    token, expires = issue_token(_SIGNING_KEY, identity.subject)
    # Later than the token's own claim, as the vendor answers.
    stated = expires + LIFETIME_S
    # The service account has none in the first version: an empty string, as in the vendor's sample.
    has_refresh = version is not V1 or identity.contact is not None
    body: JsonObject = {
        "access_token": token,
        "refresh_token": issue_token(_REFRESH_KEY, identity.subject)[0] if has_refresh else "",
        "contact": _holder(identity, version),
    }
    if version is V1:
        body["exp"] = str(stated)
        body["organisations"] = [
            {
                "external_id": "SANDBOX-ORGANISATION",
                "org_type": "SERVICE_OWNER",
                "org_relationship": "MERCHANT",
                "name": "Sandbox",
            }
        ]
    else:
        body["expiration_date"] = stated
        organisation = guid("sandbox-organisation")
        body["organisations"] = [
            {"id": organisation, "type": "SERVICE_OWNER", "name": "Sandbox"},
        ]
        body["communities"] = []
    return Reply(200, encode(body))


def _holder(identity: _Identity, version: Version) -> JsonObject:
    contact = identity.contact
    names = ("first_name", "last_name", "company_name")
    holder: JsonObject = {"id": "", "first_name": "Service", "last_name": "Account"}
    holder["company_name"] = ""
    if contact is not None:
        holder = {"id": contact.contact_id, **{name: getattr(contact, name) for name in names}}
    if version is V1:
        title = contact.title if contact else "Mr"
        return {**holder, "title": title, "avatar": "avatar", "is_verified": "false"}
    return {**holder, "type": contact.type if contact else "PERSON", "is_verified": False}
