"""The token endpoints in front of ROCS, in both versions of Azure AD: client credentials only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from . import access
from .tokens import LIFETIME_S, is_valid_token, issue_token
from .wire import Reply, encode

if TYPE_CHECKING:
    from .rows import JsonObject
    from .wire import Request

_SIGNING_KEY = "sandbox-rocs-signing-key"
_VERSIONS = {("oauth2", "token"): 1, ("oauth2", "v2.0", "token"): 2}


def is_authorised(request: Request) -> bool:
    """Whether the request carries a token that came from here and has not expired."""
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    return scheme.lower() == "bearer" and is_valid_token(_SIGNING_KEY, token)


def token_reply(request: Request) -> Reply:
    """Answer a form that asks for a token; `request.segments` starts with `rocs-login`."""
    version = _VERSIONS.get(request.segments[1:])
    if version is None:
        return Reply(404)
    if request.method != "POST":
        return Reply(405)
    form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    return _refusal_of_client(form) or _refusal_of_audience(form, version) or _token(version)


def _refusal_of_client(form: dict[str, str]) -> Reply | None:
    for name in ("grant_type", "client_id", "client_secret"):
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            return _refusal(400, "invalid_request", 900_144, text)
    if form["grant_type"] != "client_credentials":
        return _refusal(400, "unsupported_grant_type", 70_003, "The grant type is not supported.")
    if form["client_id"] != access.ROCS_CLIENT_ID:
        text = "Application with this identifier was not found in the directory."
        return _refusal(401, "unauthorized_client", 700_016, text)
    if form["client_secret"] != access.ROCS_CLIENT_SECRET:
        return _refusal(401, "invalid_client", 7_000_215, "Invalid client secret provided.")
    return None


def _refusal_of_audience(form: dict[str, str], version: int) -> Reply | None:
    if version == 1 and form.get("resource") != access.ROCS_RESOURCE:
        return _refusal(400, "invalid_resource", 500_011, "The resource principal was not found.")
    if version != 1 and form.get("scope") != access.ROCS_SCOPE:
        return _refusal(400, "invalid_scope", 70_011, "The provided value for scope is not valid.")
    return None


def _token(version: int) -> Reply:
    token, expires = issue_token(_SIGNING_KEY, access.ROCS_CLIENT_ID)
    body: JsonObject = {
        "token_type": "Bearer",
        "expires_in": LIFETIME_S,
        "ext_expires_in": LIFETIME_S,
    }
    if version == 1:  # which writes its numbers as text
        body |= {
            "expires_in": str(LIFETIME_S),
            "ext_expires_in": str(LIFETIME_S),
            "expires_on": str(expires),
            "not_before": str(expires - LIFETIME_S),
            "resource": access.ROCS_RESOURCE,
        }
    return Reply(200, encode(body | {"access_token": token}))


def _refusal(status: int, error: str, code: int, text: str) -> Reply:
    body: JsonObject = {
        "error": error,
        "error_description": f"AADSTS{code}: {text}",
        "error_codes": [code],
        "timestamp": "2026-01-05 00:00:00Z",
        "trace_id": "00000000-0000-0000-0000-000000000001",
        "correlation_id": "00000000-0000-0000-0000-000000000002",
        "error_uri": f"https://login.example/error?code={code}",
    }
    return Reply(status, encode(body))
