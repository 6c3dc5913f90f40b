"""What the processes that share an API's budget are granted."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from sync_pipeline.entities import ROSAAS_TENANTS
from sync_pipeline.errors import TransientSourceError, WarehouseError
from sync_pipeline.pull.budget import open_budget, origin
from sync_pipeline.settings import RosaasSettings
from sync_pipeline.warehouse import budget
from sync_pipeline.warehouse.budget import (
    AHEAD_S,
    Ask,
    BudgetTable,
    Grant,
    Lane,
    Limits,
    open_budget_table,
)
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.pull_vendors import TENANTS, Vendors
from sync_pipeline_tests.pulls import Pulls
from sync_pipeline_tests.scripted_server import Scripted

API = "crmcom https://api.example.com:443"
FIVE_A_SECOND = Limits(5, 4)
MANY_A_SECOND = Limits(1000, 4)
NOTHING = Ask(places_wanted=0, in_use=0, requests_wanted=0)
T = TypeVar("T")


def all_of(limits: Limits = FIVE_A_SECOND) -> Ask:
    """Return what somebody asks who could use everything."""
    return Ask(places_wanted=limits.max_in_flight, in_use=0, requests_wanted=10_000)


def among(
    engine: Engine,
    act: Callable[..., Awaitable[T]],
    *settled: tuple[Limits, Lane],
) -> T:
    """Run ``act`` with one holder of the budget for each of ``settled``."""

    async def main() -> T:
        async with AsyncExitStack() as stack:
            holders = [
                await stack.enter_async_context(
                    open_budget_table(engine, API, limits=limits, lane=lane)
                )
                for limits, lane in settled
            ]
            return await act(*holders)

    return asyncio.run(main())


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def seconds(engine: Engine, instant: str) -> float:
    """Return the instant that a query gives."""
    with engine.connect() as connection:
        found = connection.execute(text(instant)).scalar_one()
        assert isinstance(found, datetime)
        return found.timestamp()


def test_reservations_of_all_follow_one_another_at_the_rate(engine: Engine) -> None:
    async def act(*holders: BudgetTable) -> int:
        execute(engine, "UPDATE ops.budgets SET next_at = clock_timestamp()")
        ask = Ask(places_wanted=1, in_use=0, requests_wanted=10_000)
        asks = [holder.ask(ask) for holder in holders]
        return sum(grant.requests for grant in await asyncio.gather(*asks))

    pull: tuple[Limits, Lane] = (MANY_A_SECOND, "pull")
    began_at = seconds(engine, "SELECT clock_timestamp()")
    granted = among(engine, act, pull, pull, pull, pull)

    assert granted > 100
    # Each request has its thousandth of a second to itself.
    assert granted / 1000 <= seconds(engine, "SELECT next_at FROM ops.budgets") - began_at


@pytest.mark.parametrize("idle_hours", [0, 1])
def test_neither_the_first_use_nor_idle_time_gives_a_burst(engine: Engine, idle_hours: int) -> None:
    async def act(holder: BudgetTable) -> Grant:
        idle = f"UPDATE ops.budgets SET next_at = next_at - interval '{idle_hours} h'"
        execute(engine, idle)
        return await holder.ask(all_of(MANY_A_SECOND))

    grant = among(engine, act, (MANY_A_SECOND, "pull"))

    assert (grant.requests, grant.rate, grant.places) == (AHEAD_S["pull"] * 1000, 1000, 4)
    assert grant.from_s == pytest.approx(0, abs=0.001)


def test_places_are_shared_fairly_and_never_more_than_there_are(engine: Engine) -> None:
    async def act(first: BudgetTable, second: BudgetTable) -> list[int]:
        wants = Ask(places_wanted=9, in_use=0, requests_wanted=0)
        busy = Ask(places_wanted=9, in_use=3, requests_wanted=0)
        grants = [
            await first.ask(wants),
            await second.ask(wants),
            # What is under way is given back when it ends.
            await first.ask(busy),
            await second.ask(wants),
            await first.ask(wants),
            await second.ask(wants),
            await first.ask(NOTHING),
            await second.ask(wants),
        ]
        return [grant.places for grant in grants]

    pull: tuple[Limits, Lane] = (FIVE_A_SECOND, "pull")
    assert among(engine, act, pull, pull) == [4, 0, 3, 1, 2, 2, 0, 4]


def test_with_fewer_places_than_holders_each_has_its_turn(engine: Engine) -> None:
    limits = Limits(1000, 1)

    async def act(*holders: BudgetTable) -> list[int]:
        served = []
        for _ in range(9):
            for number, holder in enumerate(holders):
                if (await holder.ask(all_of(limits))).requests:
                    served.append(number)
        return served

    pull: tuple[Limits, Lane] = (limits, "pull")
    served = among(engine, act, pull, pull, pull)
    assert set(served) == {0, 1, 2}


def test_the_strictest_settings_hold_for_all(engine: Engine) -> None:
    async def act(generous: BudgetTable, strict: BudgetTable) -> list[tuple[int, float]]:
        wants = Ask(places_wanted=9, in_use=0, requests_wanted=1)
        grants = [await generous.ask(wants), await strict.ask(wants), await generous.ask(wants)]
        return [(grant.places, grant.rate) for grant in grants]

    granted = among(engine, act, (Limits(100, 9), "pull"), (Limits(2, 2), "pull"))
    assert granted == [(9, 100), (0, 2), (1, 2)]


def test_places_of_a_dead_holder_are_free_when_its_lease_ends(engine: Engine) -> None:
    async def act(dead: BudgetTable, living: BudgetTable) -> list[int]:
        await dead.ask(all_of())
        before = await living.ask(all_of())
        execute(engine, "UPDATE ops.budget_holders SET expires_at = asked_at")
        return [before.places, (await living.ask(all_of())).places]

    pull: tuple[Limits, Lane] = (FIVE_A_SECOND, "pull")
    assert among(engine, act, pull, pull) == [0, 4]


def test_a_push_that_waits_is_served_before_any_pull(engine: Engine) -> None:
    async def act(pull: BudgetTable, push: BudgetTable) -> list[tuple[int, int]]:
        await pull.ask(Ask(places_wanted=2, in_use=0, requests_wanted=9))
        # Two pushes are granted at once, the third waits.
        wants = Ask(places_wanted=3, in_use=0, requests_wanted=9)
        while (await push.ask(wants)).requests:
            pass
        execute(engine, "UPDATE ops.budgets SET next_at = clock_timestamp()")
        grants = [await pull.ask(all_of()), await push.ask(wants), await pull.ask(all_of())]
        return [(grant.requests > 0, grant.share) for grant in grants]

    granted = among(engine, act, (FIVE_A_SECOND, "pull"), (FIVE_A_SECOND, "push"))
    assert granted == [(False, 1), (True, 3), (False, 1)]


def test_one_who_died_while_it_waited_keeps_nobody_waiting(engine: Engine) -> None:
    async def act(pull: BudgetTable, push: BudgetTable) -> int:
        while (await push.ask(Ask(places_wanted=1, in_use=0, requests_wanted=9))).requests:
            pass
        execute(engine, "UPDATE ops.budgets SET next_at = clock_timestamp()")
        execute(engine, "UPDATE ops.budget_holders SET asked_at = asked_at - interval '2 s'")
        return (await pull.ask(all_of())).requests

    assert among(engine, act, (FIVE_A_SECOND, "pull"), (FIVE_A_SECOND, "push")) == 1


def test_a_silence_is_for_all_doubles_and_starts_again_gently(engine: Engine) -> None:
    def left_s() -> float:
        now = seconds(engine, "SELECT clock_timestamp()")
        return seconds(engine, "SELECT quiet_until FROM ops.budgets") - now

    async def act(told: BudgetTable, other: BudgetTable) -> None:
        silence = Ask(1, 0, 1, held_back_s=0)
        for number, longest_s in enumerate((0.25, 0.5, 1, 2), start=1):
            assert (await told.ask(silence)).is_quiet
            # What was under way when it began is no further strike.
            await told.ask(silence)
            assert rows(engine, "SELECT strikes FROM ops.budgets") == [(number,)]
            assert longest_s / 2 < left_s() <= longest_s
            assert (await other.ask(NOTHING)).is_quiet
            execute(engine, "UPDATE ops.budgets SET quiet_until = clock_timestamp()")
        gentle = await other.ask(Ask(1, 0, 1, is_answered=True))
        assert not gentle.is_quiet
        assert gentle.rate == pytest.approx(1.25)
        assert rows(engine, "SELECT strikes FROM ops.budgets") == [(0,)]
        execute(engine, "UPDATE ops.budgets SET quiet_until = quiet_until - interval '3 s'")
        assert (await other.ask(NOTHING)).rate == 5

    among(engine, act, (FIVE_A_SECOND, "pull"), (FIVE_A_SECOND, "pull"))


@pytest.mark.parametrize(("asked_s", "left_s"), [(30, 30), (10**9, 3600)])
def test_a_silence_lasts_as_long_as_the_api_asks_but_an_hour_at_most(
    engine: Engine, asked_s: float, left_s: float
) -> None:
    async def act(holder: BudgetTable) -> Grant:
        return await holder.ask(Ask(1, 0, 1, held_back_s=asked_s))

    grant = among(engine, act, (FIVE_A_SECOND, "pull"))
    assert (grant.is_quiet, grant.requests) == (True, 0)
    assert grant.from_s == pytest.approx(left_s, abs=1)


def test_whoever_ends_gives_all_back(engine: Engine) -> None:
    async def act(holder: BudgetTable) -> None:
        await holder.ask(all_of())
        assert len(rows(engine, "SELECT * FROM ops.budget_holders")) == 1

    among(engine, act, (FIVE_A_SECOND, "pull"))
    assert rows(engine, "SELECT * FROM ops.budget_holders") == []


SETTINGS = RosaasSettings(
    base_url="http://127.0.0.1:1",
    client_id="client",
    client_secret=SecretStr("the-secret"),
    requests_per_second=1000,
)


def test_a_warehouse_that_goes_away_fails_the_requests_in_words(engine: Engine) -> None:
    async def main() -> None:
        async with open_budget(engine, "rosaas", SETTINGS) as shared:
            async with shared.request():
                pass
            execute(
                engine,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            for _ in range(1000):
                async with shared.request():
                    pass

    with pytest.raises(WarehouseError, match="cannot be reached, or the connection broke"):
        asyncio.run(main())


def test_a_warehouse_that_does_not_answer_fails_the_requests_in_words(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with open_budget(engine, "rosaas", SETTINGS) as shared:
            monkeypatch.setattr(budget, "PATIENCE_S", 0.2)
            with engine.begin() as connection:
                connection.execute(text("SELECT * FROM ops.budgets FOR UPDATE"))
                async with shared.request():
                    pass

    with pytest.raises(WarehouseError, match="did not say within"):
        asyncio.run(main())


def test_nobody_asks_an_api_that_wants_a_long_silence(pull: Pulls, vendors: Vendors) -> None:
    vendors.server.script("GET", TENANTS, Scripted(429, headers={"Retry-After": "900"}))
    with pytest.raises(TransientSourceError, match="status 429"):
        pull(ROSAAS_TENANTS)
    asked = len(vendors.server.received)

    with pytest.raises(TransientSourceError, match="the API asked for a silence"):
        pull(ROSAAS_TENANTS)

    assert len(vendors.server.received) == asked


def test_an_api_is_its_source_and_the_server_that_answers() -> None:
    assert origin("https://Api.example.com/self-service/v1") == "https://api.example.com:443"
    assert origin("http://[::1]:8765/rocs") == "http://::1:8765"


def test_the_failure_of_an_ask_that_nobody_waits_for_any_more_is_not_printed() -> None:
    heard: list[object] = []

    async def break_off() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: heard.append(told))
        is_asked = asyncio.Event()

        async def fail() -> None:
            is_asked.set()
            await asyncio.sleep(0)
            raise OSError("the connection broke")

        asking = asyncio.create_task(budget._in_time(fail()))  # noqa: SLF001 -- what every ask goes through
        await is_asked.wait()
        asking.cancel()
        await asyncio.wait({asking})
        del asking
        gc.collect()

    asyncio.run(break_off())

    assert heard == []
