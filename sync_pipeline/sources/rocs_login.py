"""ROCS's login: OAuth 2 client credentials at Azure, v1 (`resource`) or v2 (`scope`)."""

from __future__ import annotations

from urllib.parse import urlsplit

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RequestRefusedError,
)
from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.credentials import no_token, refused, token_in
from sync_pipeline.sources.http_core import HttpCore
from sync_pipeline.sources.json_bodies import NotThatShapeError, members, utf8_text
from sync_pipeline.sources.refusals import wrong_shape
from sync_pipeline.sources.tokens import Token


def remedy(settings: RocsSettings) -> str:
    """Return what to do when the client is refused."""
    audience = "ROCS_RESOURCE" if settings.resource else "ROCS_SCOPE"
    variables = f"ROCS_CLIENT_ID, ROCS_CLIENT_SECRET, {audience} or ROCS_TOKEN_URL"
    return f"the API refuses the client: correct {variables}"


async def log_in(core: HttpCore, settings: RocsSettings) -> Token:
    """Return a new token; ``core`` is that of the token's host.

    Raises CredentialRefusedError when Azure gives this client none.
    """
    call = Call("POST", urlsplit(settings.token_url).path, form=_form(settings))
    try:
        return await core.understood(
            lambda: core.fetch(call), lambda reply: _token(call, reply, core.endpoint)
        )
    except (AccessDeniedError, CredentialRefusedError, RequestRefusedError) as exc:
        raise refused(exc, remedy(settings)) from exc


def _token(call: Call, reply: Reply, endpoint: Endpoint) -> Token:
    try:
        body = members(utf8_text(reply))
    except NotThatShapeError as exc:
        due = "a login answer"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    token = token_in(body, "access_token", reply=reply)
    if token is None:
        raise no_token(call, endpoint)
    return token


def _form(settings: RocsSettings) -> dict[str, str]:
    audience = {"resource": settings.resource, "scope": settings.scope}
    return {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
    } | {name: value for name, value in audience.items() if value}
