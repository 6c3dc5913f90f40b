"""CRM.COM's two logins: a contact's at the Self Service API, a user's at the Back-Office."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RecordNotFoundError,
    RequestRefusedError,
)
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.credentials import no_token, refused, token_in
from sync_pipeline.sources.http_core import HttpCore
from sync_pipeline.sources.json_bodies import NotThatShapeError, members, scalar, utf8_text
from sync_pipeline.sources.refusals import wrong_shape
from sync_pipeline.sources.tokens import Token

OTP_KEYS = frozenset({"obfuscated_value", "auth_otp"})
OTP_EXPLAINED = (
    "this identity asks for a one-time password, which a pipeline cannot answer: "
    "use an EMAIL identity that has a password"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logs in, where, and which variables a person corrects when that is refused."""

    path: str
    api_key: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)
    variables: str

    @property
    def remedy(self) -> str:
        """What to do when the identity is refused."""
        return f"the API refuses the identity: correct {self.variables}"


async def log_in(core: HttpCore, identity: Identity) -> Token:
    """Return a new token; CredentialRefusedError when the API will not give this identity one."""
    body = {"provider": "EMAIL", "username": identity.username, "password": identity.password}
    call = Call(
        "POST",
        identity.path,
        body=body,
        headers={"api_key": identity.api_key},
        secrets=(identity.username, identity.password),
    )
    try:
        return await core.understood(
            lambda: core.fetch(call), lambda reply: _token(call, reply, core.endpoint)
        )
    except (
        AccessDeniedError,
        CredentialRefusedError,
        RecordNotFoundError,
        RequestRefusedError,
    ) as exc:
        raise refused(exc, identity.remedy) from exc


def _token(call: Call, reply: Reply, endpoint: Endpoint) -> Token:
    try:
        body = members(utf8_text(reply))
    except NotThatShapeError as exc:
        due = "a login answer"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    token = token_in(body, "access_token", reply=reply)
    if token is None and any(scalar(body.get(key)) for key in OTP_KEYS):
        raise CredentialRefusedError(endpoint.api, call.template, reply.status, None, OTP_EXPLAINED)
    if token is None:
        raise no_token(call, endpoint)
    return token
