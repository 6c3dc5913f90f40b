"""RoSaaS: the external-system API of one product (contract 2.1-2.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sync_pipeline.errors import RequestRefusedError, SourceError
from sync_pipeline.settings import RosaasSettings
from sync_pipeline.sources.answers import Answer, Meter, Page
from sync_pipeline.sources.budget import Budget, ProcessBudget
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.credentials import no_token, refused, token_in
from sync_pipeline.sources.http_core import HttpCore, open_core
from sync_pipeline.sources.json_bodies import (
    NotThatShapeError,
    is_absent,
    members,
    records,
    scalar,
    utf8_text,
)
from sync_pipeline.sources.refusals import said, wrong_shape
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rosaas_writes import ENGLISH
from sync_pipeline.sources.sessions import Session
from sync_pipeline.sources.tokens import Token, Tokens
from sync_pipeline.sources.written import Written, accepted, unknown_outcomes

TENANTS = "/api/management/apps/v1/tenants"
PLANS = "/api/management/apps/v1/plans"
SPECIFICATIONS = "/api/management/apps/v1/specifications"
AUTH = "/api/identity/apps/v1/auth"
REFUSED_CREDENTIAL_CODES = frozenset({"2002", "2004"})
REMEDY = "the API refuses the client: correct ROSAAS_CLIENT_ID and ROSAAS_CLIENT_SECRET"


class RosaasApi:
    """The calls of one product's client; made by `open_rosaas`."""

    def __init__(self, core: HttpCore, settings: RosaasSettings) -> None:
        self.meter: Meter = core.meter
        self._core = core
        self._settings = settings
        self._session = Session(core, Tokens(self._log_in), schemes=("bearer",), remedy=REMEDY)

    async def tenants(self) -> Page:
        """Return every tenant of the product: one answer, the API has no paging."""
        return await self._whole_list(TENANTS)

    async def plans(self) -> Page:
        """Return every plan of the product: one answer."""
        return await self._whole_list(PLANS)

    async def specifications(self) -> Page:
        """Return every specification of the product: one answer."""
        return await self._whole_list(SPECIFICATIONS)

    async def tenant(self, name: str) -> Answer | None:
        """Return one tenant's detail, or None when the API knows no tenant of that name."""
        call = Call("GET", f"{TENANTS}/{{name}}", ids=(name,), headers=ENGLISH)
        return await self._core.understood(
            lambda: self._session.fetch(call), lambda reply: self._tenant_in(call, reply)
        )

    async def write(self, call: Call) -> Written:
        """Send a call of `rosaas_writes`, once.

        Raises a SourceError that says what came of it (see `written`).
        """
        reply = await self._session.fetch(call)
        written = accepted(call, reply, self._core.endpoint)
        if written.answer:
            # It may be a refusal in an envelope with a status of success.
            with unknown_outcomes():
                self._envelope(call, reply)
        return written

    def _tenant_in(self, call: Call, reply: Reply) -> Answer | None:
        data = self._envelope(call, reply).get("data")
        if data is None or is_absent(data):
            return None
        try:
            members(data)
        except NotThatShapeError as exc:
            raise self._wrong(call, reply, "a tenant in `data`", exc) from None
        return Answer(data, reply.sent_at)

    async def _whole_list(self, path: str) -> Page:
        call = Call("GET", path, headers=ENGLISH)
        return await self._core.understood(
            lambda: self._session.fetch(call), lambda reply: self._list_in(call, reply)
        )

    def _list_in(self, call: Call, reply: Reply) -> Page:
        data = self._envelope(call, reply).get("data")
        try:
            # A list that is missing or null is no empty one: it would delete every record.
            rows = records(_present(data))
        except NotThatShapeError as exc:
            raise self._wrong(call, reply, "a list in `data`", exc) from None
        return Page(rows, len(rows), reply.sent_at)

    def _envelope(self, call: Call, reply: Reply) -> dict[str, bytes]:
        try:
            envelope = members(utf8_text(reply))
            metadata = members(envelope.get("metadata", b""))
        except NotThatShapeError as exc:
            raise self._wrong(call, reply, "an object with `data` and `metadata`", exc) from None
        if scalar(metadata.get("success")) is False:
            endpoint = self._core.endpoint
            code, message = said(reply, hidden=(*call.ids, *call.secrets, *endpoint.secrets))
            raise RequestRefusedError(endpoint.api, call.template, reply.status, code, message)
        return envelope

    async def _log_in(self) -> Token:
        secret = self._settings.client_secret.get_secret_value()
        body = {"clientId": self._settings.client_id, "clientSecret": secret}
        call = Call("POST", AUTH, body=body, headers=ENGLISH)
        try:
            return await self._core.understood(
                lambda: self._core.fetch(call), lambda reply: self._token_in(call, reply)
            )
        except SourceError as exc:
            if exc.status in {401, 403} or exc.code in REFUSED_CREDENTIAL_CODES:
                raise refused(exc, REMEDY) from exc
            raise

    def _token_in(self, call: Call, reply: Reply) -> Token:
        envelope = self._envelope(call, reply)
        token = token_in(_nested_token(envelope.get("data")), "accesstoken", reply=reply)
        if token is None:
            raise no_token(call, self._core.endpoint)
        return token

    def _wrong(self, call: Call, reply: Reply, due: str, came: NotThatShapeError) -> SourceError:
        return wrong_shape(call, reply, endpoint=self._core.endpoint, due=due, came=str(came))


@asynccontextmanager
async def open_rosaas(
    settings: RosaasSettings,
    *,
    budget: Budget | None = None,
    bounds: RetryBounds | None = None,
    meter: Meter | None = None,
) -> AsyncIterator[RosaasApi]:
    """Open the API; without a ``budget``, the settings' own within this process."""
    endpoint = Endpoint(
        api="RoSaaS",
        base_url=settings.base_url,
        variable="ROSAAS_BASE_URL",
        timeout_s=settings.timeout_s,
        max_in_flight=settings.max_in_flight,
        secrets=(settings.client_id, settings.client_secret.get_secret_value()),
    )
    budget = budget or ProcessBudget.from_settings(settings)
    async with open_core(
        endpoint, budget=budget, bounds=bounds or RetryBounds(), meter=meter or Meter()
    ) as core:
        yield RosaasApi(core, settings)


def _present(data: bytes | None) -> bytes:
    if data is None:
        raise NotThatShapeError("an envelope without it")
    return data


def _nested_token(data: bytes | None) -> dict[str, bytes]:
    try:
        return members(members(data or b"").get("token", b""))
    except NotThatShapeError:
        return {}
