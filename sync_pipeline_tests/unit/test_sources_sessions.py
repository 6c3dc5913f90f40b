"""Logins that end while many requests are under way, and answers that are odd only once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from sync_pipeline.errors import CredentialRefusedError, SourceError, WrongAnswerError
from sync_pipeline.settings import RosaasSettings
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rosaas import RosaasApi, open_rosaas
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

LOGIN = "/api/identity/apps/v1/auth"
PLANS = "/api/management/apps/v1/plans"
TENANT = "/api/management/apps/v1/tenants/odd"
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
NO_PLANS = Scripted.json({"data": [], "metadata": {"success": True}})
HTML = Scripted(200, b"<html>Maintenance</html>", {"Content-Type": "text/html"})


def hand_out_tokens(server: ScriptedServer) -> None:
    """Answer each login with another token."""
    numbers = itertools.count(1)

    def log_in(_: Received) -> Scripted:
        token = {"token": {"accessToken": f"token-{next(numbers)}"}}
        return Scripted.json({"data": token, "metadata": {"success": True}})

    server.respond("POST", LOGIN, log_in)


def ending_logins(every: int) -> Callable[[Received], Scripted]:
    """Accept tokens, but end the login with every so many answers."""
    numbers = itertools.count(1)
    ended: set[str] = set()

    def answer(request: Received) -> Scripted:
        token = request.headers["authorization"]
        if next(numbers) % every == 0:
            ended.add(token)
        return Scripted(401) if token in ended else NO_PLANS

    return answer


def ask(server: ScriptedServer, times: int, *, in_flight: int) -> list[SourceError]:
    """Ask for the plans so many times at once; return what failed."""
    settings = RosaasSettings(
        base_url=server.url,
        client_id="client",
        client_secret=SecretStr("secret"),
        requests_per_second=2000,
        max_in_flight=in_flight,
    )

    async def use() -> list[SourceError]:
        async with open_rosaas(settings, bounds=FAST) as api:
            await api.plans()
            calls = (_failure(api) for _ in range(times))
            return [failed for failed in await asyncio.gather(*calls) if failed]

    return asyncio.run(use())


async def _failure(api: RosaasApi) -> SourceError | None:
    try:
        await api.plans()
    except SourceError as exc:
        return exc
    return None


def test_logins_that_end_again_and_again_cost_no_answer() -> None:
    with ScriptedServer() as server:
        hand_out_tokens(server)
        server.respond("GET", PLANS, ending_logins(every=20))
        assert ask(server, 300, in_flight=8) == []


def test_what_waits_to_be_sent_does_not_go_out_with_a_login_that_ended() -> None:
    with ScriptedServer() as server:
        hand_out_tokens(server)
        answers = itertools.chain([NO_PLANS, Scripted(401)], itertools.repeat(NO_PLANS))
        server.respond("GET", PLANS, lambda _: next(answers))
        assert ask(server, 30, in_flight=1) == []
        sent = [request.headers["authorization"] for request in server.of("GET", PLANS)]
        assert sent == ["Bearer token-1"] * 2 + ["Bearer token-2"] * 30


def test_a_record_that_is_refused_whoever_asks_costs_a_bounded_number_of_logins() -> None:
    with ScriptedServer() as server:
        hand_out_tokens(server)
        server.script("GET", PLANS, NO_PLANS)
        server.script("GET", TENANT, Scripted(401))
        settings = RosaasSettings(
            base_url=server.url, client_id="client", client_secret=SecretStr("secret")
        )

        async def use() -> None:
            async with open_rosaas(settings, bounds=FAST) as api:
                await api.plans()
                await api.tenant("odd")

        with pytest.raises(CredentialRefusedError, match="ROSAAS_CLIENT_SECRET"):
            asyncio.run(use())
        # The one that had worked, and two new ones that nobody has had an answer with.
        assert server.count("POST", LOGIN) == 3


@pytest.mark.parametrize(
    "odd",
    [HTML, Scripted(200), Scripted(200, b'{"data": ['), Scripted(200, b"{}", breaks="in the body")],
    ids=["html", "empty", "broken off", "cut"],
)
def test_an_answer_that_is_odd_only_once_is_asked_for_again(odd: Scripted) -> None:
    with ScriptedServer() as server:
        hand_out_tokens(server)
        server.script("GET", PLANS, NO_PLANS, odd, NO_PLANS)
        assert ask(server, 1, in_flight=1) == []
        assert server.count("GET", PLANS) == 3


def test_an_answer_that_stays_odd_is_a_wrong_answer_after_the_second() -> None:
    with ScriptedServer() as server:
        hand_out_tokens(server)
        server.script("GET", PLANS, NO_PLANS, HTML)
        (failed,) = ask(server, 1, in_flight=1)
        assert isinstance(failed, WrongAnswerError)
        assert str(failed).endswith("was due, an HTML page came")
        assert server.count("GET", PLANS) == 3
        assert server.count("POST", LOGIN) == 1


def test_a_login_whose_answer_is_odd_only_once_is_asked_for_again() -> None:
    with ScriptedServer() as server:
        token = {"token": {"accessToken": "token-1"}}
        answer = Scripted.json({"data": token, "metadata": {"success": True}})
        server.script("POST", LOGIN, HTML, answer)
        server.script("GET", PLANS, NO_PLANS)
        assert ask(server, 1, in_flight=1) == []
