"""CRM.COM's authentication call and the tokens that come out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access
from .crmcom_errors import bad_parameter, unauthorised
from .ids import guid
from .tokens import LIFETIME_S, is_valid_token, issue_token
from .wire import Reply, encode

if TYPE_CHECKING:
    from .rows import JsonObject
    from .wire import Request

_SIGNING_KEY = "sandbox-crmcom-signing-key"
_SUBJECT = guid("service-contact")
_PROVIDERS = ("EMAIL", "PHONE")


def is_valid_user_token(token: str | None) -> bool:
    """Whether this is a token that `authenticate` gave out and that has not expired."""
    return token is not None and is_valid_token(_SIGNING_KEY, token)


def authenticate(request: Request) -> Reply:
    """EMAIL with password gives a token; EMAIL without, or PHONE, asks for a one-time password."""
    if request.header(b"api_key") != access.CRMCOM_API_KEY:
        return unauthorised()
    body = request.json_object() or {}
    provider = body.get("provider")
    if provider not in _PROVIDERS:
        return bad_parameter(400, "provider", str(provider))
    if provider == "PHONE":
        return _one_time_password("+35799***834")
    if body.get("username") != access.CRMCOM_USERNAME:
        return unauthorised()
    if not body.get("password"):
        return _one_time_password("s***@sandbox.example")
    return _token() if body["password"] == access.CRMCOM_PASSWORD else unauthorised()


def _one_time_password(sent_to: str) -> Reply:
    return Reply(200, encode({"obfuscated_value": sent_to, "auth_otp": guid("one-time-password")}))


def _token() -> Reply:
    token, expires = issue_token(_SIGNING_KEY, _SUBJECT)
    body: JsonObject = {
        "access_token": token,
        "refresh_token": "",
        # Later than the token's own claim, and a string: both as the vendor answers.
        "exp": str(expires + LIFETIME_S),
        "contact": {
            "id": "",
            "title": "Mr",
            "first_name": "Service",
            "last_name": "Account",
            "company_name": "",
            "avatar": "avatar",
            "is_verified": "false",
        },
        "organisations": [
            {
                "external_id": "SANDBOX-ORGANISATION",
                "org_type": "SERVICE_OWNER",
                "org_relationship": "MERCHANT",
                "name": "Sandbox",
            }
        ],
    }
    return Reply(200, encode(body))
