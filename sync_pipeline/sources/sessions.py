"""Authorised calls: which header carries the token, and what a 401 means.

Not an `httpx.Auth`: a login inside a request would run within that request's budget and time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sync_pipeline.errors import CredentialRefusedError, RecordNotFoundError
from sync_pipeline.sources.calls import Call, Reply
from sync_pipeline.sources.http_core import HttpCore
from sync_pipeline.sources.tokens import SingleFlight, Token, Tokens

Scheme = Literal["bearer", "raw", "auth_token"]
LADDER: tuple[Scheme, ...] = ("bearer", "raw", "auth_token")
"""CRM.COM's reference spells the header in three ways; this is the order in which to try them."""


def token_header(scheme: Scheme, token: str) -> dict[str, str]:
    """Return the header that carries ``token``."""
    headers: dict[Scheme, dict[str, str]] = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "raw": {"Authorization": token},
        "auth_token": {"auth_token": token},
    }
    return headers[scheme]


class Session:
    """One identity at one endpoint; remembers per path template which header works.

    Identities at the same endpoint may share what is ``known`` of it.
    """

    def __init__(
        self,
        core: HttpCore,
        tokens: Tokens,
        *,
        schemes: Sequence[Scheme],
        remedy: str,
        known: dict[str, Scheme] | None = None,
    ) -> None:
        self._core = core
        self._tokens = tokens
        self._schemes = schemes
        self._remedy = remedy
        self._known: dict[str, Scheme] = {} if known is None else known
        self._proven: Token | None = None
        self._probes: defaultdict[str, SingleFlight] = defaultdict(
            lambda: SingleFlight(shares=CredentialRefusedError)
        )

    async def fetch(self, call: Call) -> Reply:
        """Return the answer to an authorised call; CredentialRefusedError when no token helps."""
        if len(self._schemes) == 1:
            return await self._fetch_as(call, self._schemes[0])
        if scheme := self._known.get(call.template):
            return await self._fetch_as(call, scheme)
        # A 401 may be about this one record: others that wait find out for themselves.
        async with self._probes[call.template].turn(about=call.ids):
            if call.template not in self._known:
                return await self._probe(call)
        return await self._fetch_as(call, self._known[call.template])

    async def _fetch_as(self, call: Call, scheme: Scheme) -> Reply:
        # The header is known to work, so a 401 means that the token ended.
        token = await self._tokens.current()
        try:
            return await self._send(call, scheme, token)
        except CredentialRefusedError:
            token = await self._tokens.renewed(token)
        try:
            return await self._send(call, scheme, token)
        except CredentialRefusedError as exc:
            self._known.pop(call.template, None)
            raise replace(exc, detail=self._explained(exc)) from exc

    async def _probe(self, call: Call) -> Reply:
        # The header is not known, so a 401 means "another header": a new login would not help.
        token = await self._tokens.current()
        try:
            return await self._walk(call, token)
        except CredentialRefusedError as exc:
            if token is not self._proven:
                raise replace(exc, detail=self._explained(exc)) from exc
        # This token worked elsewhere before; it may have ended since.
        token = await self._tokens.renewed(token)
        try:
            return await self._walk(call, token)
        except CredentialRefusedError as exc:
            raise replace(exc, detail=self._explained(exc)) from exc

    async def _walk(self, call: Call, token: Token) -> Reply:
        *first, last = self._schemes
        for scheme in first:
            try:
                return await self._send(call, scheme, token)
            except CredentialRefusedError:
                continue
        return await self._send(call, last, token)

    async def _send(self, call: Call, scheme: Scheme, token: Token) -> Reply:
        try:
            reply = await self._core.fetch(call, headers=token_header(scheme, token.text))
        except RecordNotFoundError:
            self._learn(call, scheme, token)
            raise
        self._learn(call, scheme, token)
        return reply

    def _learn(self, call: Call, scheme: Scheme, token: Token) -> None:
        self._known[call.template] = scheme
        self._proven = token

    def _explained(self, exc: CredentialRefusedError) -> str:
        return f"{self._remedy} ({exc.detail})" if exc.detail else self._remedy
