"""Tokens: when they end, and one login at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from sync_pipeline.errors import CredentialRefusedError, TransientSourceError
from sync_pipeline.sources.calls import Reply
from sync_pipeline.sources.credentials import token_in
from sync_pipeline.sources.tokens import Token, Tokens, instant, issued_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Vendor sample, CRM.COM `POST /contacts/authenticate`, all providers: its body says
# "exp": "1572530655", its own `exp` claim 1568554122.
SAMPLE_JWT = (
    "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhMjc4ZDNlNS05YjhlLTQzNmUtOTIzMC03MGYzZTJkZjFjYTUiLCJleHAiOjE1"
    "Njg1NTQxMjJ9.LemqPPThkqfakkKS6CdkNvV1Lnc88CWirEpHOPnWjJPQz02zgkKSwfbvrEsl3OmR2LUhDILsOXf4x-GPF"
    "mNJCg"
)
KEY = "a key of thirty-two bytes and more"


def signed(end: datetime) -> str:
    return jwt.encode({"exp": end}, KEY, algorithm="HS256")


def test_token_is_renewed_a_minute_before_the_earliest_of_its_two_ends() -> None:
    earlier, later = NOW + timedelta(minutes=30), NOW + timedelta(hours=1)
    due = earlier - timedelta(seconds=60)
    assert issued_token(signed(later), stated=[earlier.timestamp()], now=NOW).renew_at == due
    assert issued_token(signed(earlier), stated=[later.timestamp()], now=NOW).renew_at == due


def test_short_token_is_renewed_at_half_of_its_life() -> None:
    end = NOW + timedelta(seconds=90)
    assert issued_token(signed(end), stated=[], now=NOW).renew_at == NOW + timedelta(seconds=45)


@pytest.mark.parametrize("text", ["opaque", "a.b.c", "eyJhbGciOiJIUzUxMiJ9.e30.x"])
def test_token_without_an_end_is_kept_until_it_is_refused(text: str) -> None:
    assert issued_token(text, stated=[None, "", "soon", True, {}], now=NOW).renew_at is None


def test_end_that_has_passed_at_issue_is_no_end() -> None:
    assert issued_token(SAMPLE_JWT, stated=["1572530655"], now=NOW).renew_at is None


def test_sample_tokens_two_ends_are_both_read() -> None:
    before_both = datetime(2019, 9, 1, tzinfo=UTC)
    token = issued_token(SAMPLE_JWT, stated=["1572530655"], now=before_both)
    assert token.renew_at == datetime.fromtimestamp(1568554122 - 60, UTC)


@pytest.mark.parametrize("lifetime", [b"600", b'"600"'])
def test_lifetime_of_a_login_answer_is_an_end(lifetime: bytes) -> None:
    body = {"access_token": b'"opaque"', "expires_in": lifetime}
    token = token_in(body, "access_token", reply=Reply(200, b"", None, None, NOW))
    assert token is not None
    assert token.renew_at == NOW + timedelta(seconds=540)


@pytest.mark.parametrize(
    ("lifetime", "end_after_s", "renewed_after_s"),
    [(600, 3600, 540), (3600, 600, 540), (3600, -60, 3540), (0, 600, 540)],
)
@pytest.mark.parametrize("write", [int, str])
def test_of_a_lifetime_and_an_end_that_disagree_the_earlier_counts(
    lifetime: int, end_after_s: int, renewed_after_s: int, write: Callable[[int], object]
) -> None:
    end = int(NOW.timestamp()) + end_after_s
    stated = {"expires_in": write(lifetime), "expires_on": write(end)}
    body = {name: json.dumps(value).encode() for name, value in stated.items()}
    reply = Reply(200, b"", None, None, NOW)
    token = token_in(body | {"access_token": b'"opaque"'}, "access_token", reply=reply)
    assert token is not None
    assert token.renew_at == NOW + timedelta(seconds=renewed_after_s)


@pytest.mark.parametrize("key", ["exp", "expiration", "expiration_date", "expires_on"])
def test_end_of_a_login_answer_is_known_by_any_of_its_names(key: str) -> None:
    end = str(int((NOW + timedelta(minutes=10)).timestamp())).encode()
    body = {"access_token": b'"opaque"', key: end}
    token = token_in(body, "access_token", reply=Reply(200, b"", None, None, NOW))
    assert token is not None
    assert token.renew_at == NOW + timedelta(minutes=9)


@pytest.mark.parametrize("epoch", [1583846865, "1583846865", 1583846865000, "1583846865000"])
def test_epochs_are_read_in_seconds_and_milliseconds(epoch: object) -> None:
    assert instant(epoch) == datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC)


@pytest.mark.parametrize("epoch", [None, True, "", "nan", "inf", "9" * 400, [1], -1e300])
def test_what_is_no_epoch_is_no_instant(epoch: object) -> None:
    assert instant(epoch) is None


class Login:
    """Gives a token per login, or the failures it was given first."""

    def __init__(self, *failures: Exception, renew_at: datetime | None = None) -> None:
        self.failures = list(failures)
        self.renew_at = renew_at
        self.count = 0

    async def __call__(self) -> Token:
        self.count += 1
        number = self.count
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return Token(f"token-{number}", self.renew_at)


def test_twenty_at_once_share_one_login() -> None:
    login = Login()

    async def main() -> set[str]:
        tokens = Tokens(login)
        return {token.text for token in await asyncio.gather(*(tokens.current() for _ in [0] * 20))}

    assert asyncio.run(main()) == {"token-1"}
    assert login.count == 1


def test_twenty_refused_at_once_renew_once() -> None:
    login = Login()

    async def main() -> set[str]:
        tokens = Tokens(login)
        old = await tokens.current()
        return {t.text for t in await asyncio.gather(*(tokens.renewed(old) for _ in [0] * 20))}

    assert asyncio.run(main()) == {"token-2"}
    assert login.count == 2


def test_token_that_was_replaced_already_is_not_renewed_again() -> None:
    login = Login()

    async def main() -> str:
        tokens = Tokens(login)
        old = await tokens.current()
        await tokens.renewed(old)
        return (await tokens.renewed(old)).text

    assert asyncio.run(main()) == "token-2"


def test_token_is_renewed_when_its_time_comes() -> None:
    login = Login(renew_at=NOW)
    clock = [NOW - timedelta(seconds=1)]

    async def main() -> list[str]:
        tokens = Tokens(login, clock=lambda: clock[0])
        before = [(await tokens.current()).text, (await tokens.current()).text]
        clock[0] = NOW
        return [*before, (await tokens.current()).text]

    assert asyncio.run(main()) == ["token-1", "token-1", "token-2"]


def test_refused_credential_is_never_sent_again() -> None:
    login = Login(CredentialRefusedError("Test API", "/login", 401, None, "correct TEST_PASSWORD"))

    async def main() -> list[BaseException | Token]:
        tokens = Tokens(login)
        first = await asyncio.gather(*(tokens.current() for _ in [0] * 20), return_exceptions=True)
        second = await asyncio.gather(tokens.current(), return_exceptions=True)
        return [*first, *second]

    refusals = asyncio.run(main())
    assert {str(refusal) for refusal in refusals} == {
        "Test API /login (status 401): correct TEST_PASSWORD"
    }
    assert login.count == 1


def test_failed_login_is_shared_by_those_who_waited_and_tried_again_later() -> None:
    login = Login(TransientSourceError("Test API", "/login", 503))

    async def main() -> tuple[int, str]:
        tokens = Tokens(login)
        failed = await asyncio.gather(*(tokens.current() for _ in [0] * 20), return_exceptions=True)
        assert {type(failure) for failure in failed} == {TransientSourceError}
        return login.count, (await tokens.current()).text

    assert asyncio.run(main()) == (1, "token-2")


def test_token_never_shows_itself() -> None:
    assert "secret" not in repr(issued_token("secret", stated=[], now=NOW))
