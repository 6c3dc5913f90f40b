"""Access tokens: when they end, and one login at a time for all who need one."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt

from sync_pipeline.errors import CredentialRefusedError, SourceError

RENEW_BEFORE = timedelta(seconds=60)
MILLISECONDS_FROM = 1e11
"""An epoch above this is in milliseconds (the year 5138 otherwise)."""


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """An access token; two logins give two tokens even when their text is equal."""

    text: str = field(repr=False)
    renew_at: datetime | None
    """When to log in again without being told to; None: keep it until a 401."""


def issued_token(text: str, *, stated: Iterable[object], now: datetime) -> Token:
    """Return the token as issued at ``now``.

    Its end is the earliest that the answer states (epochs in ``stated``) or that the JWT itself
    says. An end that has passed at issue (other clock, sample data) says nothing: obeying it
    would log in again for every request.
    """
    ends = [end for end in map(instant, [*stated, _own_end(text)]) if end and end > now]
    if not ends:
        return Token(text, None)
    life = min(ends) - now
    return Token(text, now + (life - RENEW_BEFORE if life >= 2 * RENEW_BEFORE else life / 2))


def instant(epoch: object) -> datetime | None:
    """Return an epoch (seconds or milliseconds, a number or its text) as an instant, or None."""
    if isinstance(epoch, bool) or not isinstance(epoch, int | float | str):
        return None
    try:
        seconds = float(epoch)
        return datetime.fromtimestamp(seconds / (1000 if seconds > MILLISECONDS_FROM else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _own_end(text: str) -> object:
    try:
        # Unverified on purpose: the key is the API's, and nothing is trusted because of it.
        claims: dict[str, object] = jwt.decode(text, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return claims.get("exp")


class SingleFlight:
    """Lets one try at a time; those who waited while a try failed share that failure.

    Without this a fan-out would repeat a refused login once per request, until the account is
    locked.
    """

    def __init__(self, *, shares: type[SourceError]) -> None:
        self._lock = asyncio.Lock()
        self._shares = shares
        self._failures = 0
        self._last: SourceError | None = None
        self._last_about: tuple[str, ...] = ()

    @asynccontextmanager
    async def turn(self, *, about: tuple[str, ...] = ()) -> AsyncIterator[None]:
        """Wait for a turn, or raise the failure about the same that came while waiting."""
        seen = self._failures
        async with self._lock:
            is_shared = self._failures != seen and self._last_about == about
            if self._last is not None and is_shared:
                raise dataclasses.replace(self._last)
            try:
                yield
            except self._shares as exc:
                self._failures += 1
                self._last, self._last_about = exc, about
                raise


class Tokens:
    """Holds the current token of one identity."""

    def __init__(
        self,
        log_in: Callable[[], Awaitable[Token]],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log_in = log_in
        self._clock = clock
        self._token: Token | None = None
        self._ended: Token | None = None
        self._refusal: CredentialRefusedError | None = None
        self._flight = SingleFlight(shares=SourceError)

    async def current(self) -> Token:
        """Return a token that is not about to end, logging in when there is none."""
        return self._usable() or await self._replace(None)

    def newest(self) -> Token | None:
        """Return the token to send now; None where another one has to be had first."""
        return self._usable()

    async def renewed(self, refused: Token) -> Token:
        """Return another token than ``refused``: the one that replaced it already, or a new one."""
        if self._token is refused:
            self._ended = refused
        return await self._replace(refused)

    async def _replace(self, refused: Token | None) -> Token:
        if self._token is not refused and (newer := self._usable()):
            return newer
        async with self._flight.turn():
            newer = self._usable()
            if newer and newer is not refused:
                return newer
            self._token = await self._logged_in()
            return self._token

    async def _logged_in(self) -> Token:
        if self._refusal is not None:
            # The same credential will be refused again, and tries may lock the account.
            raise dataclasses.replace(self._refusal)
        try:
            return await self._log_in()
        except CredentialRefusedError as exc:
            self._refusal = exc
            raise

    def _usable(self) -> Token | None:
        token = self._token
        if token is self._ended:
            return None
        is_due = token and token.renew_at and self._clock() >= token.renew_at
        return None if is_due else token
