"""Authorised calls: which header carries the token, and what a 401 means.

Not an `httpx.Auth`: a login inside a request would run within that request's budget and time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sync_pipeline.errors import CredentialRefusedError, RecordNotFoundError
from sync_pipeline.sources.calls import Call, Reply
from sync_pipeline.sources.http_core import HttpCore
from sync_pipeline.sources.tokens import SingleFlight, Token, Tokens

Scheme = Literal["bearer", "raw", "auth_token"]
LADDER: tuple[Scheme, ...] = ("bearer", "raw", "auth_token")
"""CRM.COM's reference spells the header in three ways; this is the order in which to try them."""
MOST_USELESS = 2
# Of one call: a record that is refused whoever asks must not cost logins without end.
MOST_TOKENS = 8


def token_header(scheme: Scheme, token: str) -> dict[str, str]:
    """Return the header that carries ``token``."""
    headers: dict[Scheme, dict[str, str]] = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "raw": {"Authorization": token},
        "auth_token": {"auth_token": token},
    }
    return headers[scheme]


class _EndedError(Exception):
    """The token ended while the request waited for its turn; it was not sent."""


@dataclass(slots=True)
class _Held:
    """The token of one attempt: at its sending, the newest that there is."""

    tokens: Tokens
    token: Token

    def header(self, scheme: Scheme) -> dict[str, str]:
        newest = self.tokens.newest()
        if newest is None:
            raise _EndedError
        self.token = newest
        return token_header(scheme, newest.text)


class Session:
    """One identity at one endpoint; remembers per method and path template which header works.

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
        self._worked: deque[Token] = deque(maxlen=MOST_TOKENS)
        self._answered = 0
        self._probes: defaultdict[str, SingleFlight] = defaultdict(
            lambda: SingleFlight(shares=CredentialRefusedError)
        )

    async def fetch(self, call: Call) -> Reply:
        """Return the answer to an authorised call; CredentialRefusedError when no token helps."""
        if len(self._schemes) == 1:
            return await self._fetch_as(call, self._schemes[0])
        if scheme := self._known.get(call.kind):
            return await self._fetch_as(call, scheme)
        # A 401 may be about this one record: others that wait find out for themselves.
        async with self._probes[call.kind].turn(about=call.ids):
            if call.kind not in self._known:
                return await self._probe(call)
        return await self._fetch_as(call, self._known[call.kind])

    async def _fetch_as(self, call: Call, scheme: Scheme) -> Reply:
        try:
            return await self._insist(lambda held: self._send(call, scheme, held))
        except CredentialRefusedError:
            self._known.pop(call.kind, None)
            raise

    async def _probe(self, call: Call) -> Reply:
        return await self._insist(lambda held: self._walk(call, held))

    async def _insist(self, attempt: Callable[[_Held], Awaitable[Reply]]) -> Reply:
        """Attempt with one token after the other until one is accepted.

        A token that worked for anyone has ended. Two in a row that never did tell that new ones
        are of no use, unless others have had their answers meanwhile.
        """
        token = await self._tokens.current()
        number, useless, answered = 0, 0, self._answered
        while True:
            held = _Held(self._tokens, token)
            try:
                return await attempt(held)
            except _EndedError:
                pass
            except CredentialRefusedError as exc:
                number += 1
                useless = 0 if self._answered != answered else useless
                answered = self._answered
                useless += held.token not in self._worked
                if useless == MOST_USELESS or number == MOST_TOKENS:
                    raise replace(exc, detail=self._explained(exc)) from exc
            token = await self._tokens.renewed(held.token)

    async def _walk(self, call: Call, held: _Held) -> Reply:
        *first, last = self._schemes
        for scheme in first:
            try:
                return await self._send(call, scheme, held)
            except CredentialRefusedError:
                continue
        return await self._send(call, last, held)

    async def _send(self, call: Call, scheme: Scheme, held: _Held) -> Reply:
        try:
            reply = await self._core.fetch(call, headers=lambda: held.header(scheme))
        except RecordNotFoundError:
            self._learn(call, scheme, held.token)
            raise
        self._learn(call, scheme, held.token)
        return reply

    def _learn(self, call: Call, scheme: Scheme, token: Token) -> None:
        self._known[call.kind] = scheme
        self._answered += 1
        if token not in self._worked:
            self._worked.append(token)

    def _explained(self, exc: CredentialRefusedError) -> str:
        return f"{self._remedy} ({exc.detail})" if exc.detail else self._remedy
