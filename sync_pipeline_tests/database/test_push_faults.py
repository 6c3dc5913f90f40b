"""Whatever an API does with a write: one state for each update, in order, nothing sent for nothing.

The oracle is the sandbox's own log of what arrived and what was applied. That it notices what it
is there for is shown with deliveries that break the promises.
"""

from __future__ import annotations

import asyncio
import math
import random
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import UnknownOutcomeError
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.work import Context
from sync_pipeline.push.api import Creator, PushApi, Write
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.clock import server_clock, window_of
from sync_pipeline.push.courier import Courier
from sync_pipeline.push.crew import Crew, Left, SourceReport
from sync_pipeline.push.read_back import read_backs_opened
from sync_pipeline.push.records import Current, Target, found_together
from sync_pipeline.push.together import Together, in_thread
from sync_pipeline.push.values import Values
from sync_pipeline.sources.answers import Meter
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.written import Written
from sync_pipeline.warehouse.outbox import desk_opened
from sync_pipeline_tests.push_oracle import findings, freshest
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import Json, change, sandbox

FIELDS = ("first_name", "last_name", "company_name")
LATE = "late_s=0.5"
# Longer than a late write takes.
GRACE_S = 1.2
IMPATIENT = {"CRMCOM_TIMEOUT_S": "0.3", "PUSH_GRACE_SECONDS": str(GRACE_S)}
FAULTS = {
    "late": f"{LATE},late=0.3",
    "unanswered": "applied_timeout=0.3,applied_500=0.2,timeout=0.1",
    "nonsense": "applied_empty=0.2,applied_id=0.2,html=0.1,html200=0.1,cut=0.1",
    "refusals": "429=0.1,503=0.1,500=0.1,token=0.1",
    "all": f"{LATE},late=0.08,applied_timeout=0.08,applied_500=0.05,applied_empty=0.05,"
    "applied_id=0.05,429=0.03,503=0.03,500=0.05,html=0.03,html200=0.03,cut=0.03,token=0.03",
}
SETTLED_S = 240.0
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
WIDTH = 8


def asked_at_random(rounds: Rounds, rng: random.Random, owners: dict[object, int]) -> None:
    """Ask for some updates, several of them of one record and field."""
    records = sorted(rounds.world(CRMCOM_CONTACTS))[:6]
    for _ in range(8):
        names = rng.sample(FIELDS, k=rng.choice((1, 1, 2)))
        changes: Json = {
            name: f"{name} {len(owners)}-{number}" for number, name in enumerate(names)
        }
        made = rounds.request(CRMCOM_CONTACTS, rng.choice(records), changes)
        owners |= dict.fromkeys(changes.values(), made)


def fail(rounds: Rounds, faults: str) -> None:
    rounds.client.post("/_sandbox/faults", content=faults).raise_for_status()


@pytest.mark.parametrize("kind", FAULTS)
def test_every_update_ends_in_one_state_and_nothing_is_sent_out_of_order_or_for_nothing(
    engine: Engine, kind: str
) -> None:
    rng, owners = random.Random(kind), dict[object, int]()  # noqa: S311 -- no secret
    with sandbox("--contacts", "8", "--crmcom-version", "v2") as client:
        rounds = Rounds(engine, client, settings_of(client, **IMPATIENT))
        rounds.pull(CRMCOM_CONTACTS)
        fail(rounds, FAULTS[kind])
        for _ in range(3):
            asked_at_random(rounds, rng, owners)
            cycle(rounds)
        assert rounds.settle(partial(cycle, rounds), within_s=SETTLED_S), rounds.states()
        fail(rounds, "0")
        assert findings(rounds, owners) == []
        rounds.pull(CRMCOM_CONTACTS)

    last = freshest(rounds)
    stored = {row["contact_id"]: row for row in rounds.rows("SELECT * FROM warehouse.contacts")}
    assert {key: stored[key[0]][key[1]] for key in last} == last


def cycle(rounds: Rounds, seen_as: Callable[[PushApi], PushApi] = lambda api: api) -> None:
    """Deliver what is due over an API as ``seen_as`` shows it, without a pause between readings."""
    asyncio.run(_cycle(rounds, seen_as))


async def _cycle(rounds: Rounds, seen_as: Callable[[PushApi], PushApi]) -> None:
    settings, engine, meter = rounds.settings, rounds.engine, Meter()
    clock, left = server_clock(engine), Left(math.inf, math.inf)
    assert settings.crmcom is not None
    async with AsyncExitStack() as stack:
        desk = stack.enter_context(desk_opened(engine, window=window_of(settings)))
        read_backs = stack.enter_context(read_backs_opened(engine, str(uuid.uuid4())))
        api = await stack.enter_async_context(
            open_api(settings.crmcom, budget=None, meter=meter, bounds=FAST)
        )
        courier = Courier(
            seen_as(api),
            settings,
            engine,
            clock,
            find=Together(found_together),
            still_holds=Together(in_thread(desk.still_holds)),
        )
        crew = Crew(courier, desk, read_backs, SourceReport("crmcom"), "crmcom", left)
        await crew.work(desk.claim(now=clock(), most=WIDTH), width=WIDTH)
        read_backs.finish(meter)


@dataclass
class Seen:
    """An API as it is; others differ from it in one thing."""

    api: PushApi

    @property
    def perhaps_done(self) -> Collection[str]:
        return self.api.perhaps_done

    @property
    def creator(self) -> Creator | None:
        return self.api.creator

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        return self.api.unreadable(fields)

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        return await self.api.read(context, target, fields)

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        return self.api.writes(target, wanted, current)

    async def write(self, target: Target, call: Call) -> Written:
        return await self.api.write(target, call)


class SentAgain(Seen):
    """What no answer came to is sent once more, without a look."""

    async def write(self, target: Target, call: Call) -> Written:
        try:
            return await self.api.write(target, call)
        except UnknownOutcomeError:
            return await self.api.write(target, call)


class GoneOnceWritten(Seen):
    """What was written to is not found any more."""

    is_written = False

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        reading = await self.api.read(context, target, fields)
        return replace(reading, records=[]) if self.is_written else reading

    async def write(self, target: Target, call: Call) -> Written:
        self.is_written = True
        return await self.api.write(target, call)


class Gone(Seen):
    """Nothing is found."""

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        return replace(await self.api.read(context, target, fields), records=[])


@pytest.fixture
def world(engine: Engine) -> Iterator[Rounds]:
    with sandbox("--contacts", "8", "--crmcom-version", "v2") as client:
        settings = settings_of(client, **IMPATIENT, PUSH_CONFLICT_POLICY="ours")
        rounds = Rounds(engine, client, settings)
        rounds.pull(CRMCOM_CONTACTS)
        yield rounds


@dataclass
class Ordeal:
    """Asks for two values of a field, one after the other, and the first write fails."""

    rounds: Rounds
    faults: str
    owners: dict[object, int] = field(default_factory=dict)

    def findings(self, push: Callable[[], None]) -> list[str]:
        """Return what the oracle finds of another record each time."""
        rounds, owners = self.rounds, self.owners
        contact_id = sorted(rounds.world(CRMCOM_CONTACTS))[len(owners)]
        self._ask(contact_id)
        fail(rounds, self.faults)
        push()
        fail(rounds, "0")
        self._ask(contact_id)
        assert rounds.settle(push, within_s=SETTLED_S), rounds.states()
        return findings(rounds, owners)

    def _ask(self, contact_id: str) -> None:
        value = f"value {len(self.owners)}"
        self.owners[value] = self.rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": value})


def test_the_oracle_notices_a_write_that_is_sent_again_unread(world: Rounds) -> None:
    ordeal = Ordeal(world, "applied_timeout=1")
    assert ordeal.findings(partial(cycle, world)) == []
    found = ordeal.findings(partial(cycle, world, SentAgain))
    assert any("was sent although it was there" in one for one in found)


def test_the_oracle_notices_updates_that_are_sent_out_of_order(world: Rounds) -> None:
    # In the time of a test they are never applied.
    ordeal = Ordeal(world, "late=1,late_s=3600")
    assert ordeal.findings(partial(cycle, world)) == []
    # From now on no update knows of another one of its record.
    world.execute("ALTER TABLE push.updates DROP COLUMN record")
    world.execute(
        "ALTER TABLE push.updates "
        "ADD COLUMN record text NOT NULL GENERATED ALWAYS AS (entity_id || '#' || id) STORED"
    )
    found = ordeal.findings(partial(cycle, world))
    assert any("which is fresher" in one for one in found)


@pytest.mark.parametrize(("later", "state"), [(Seen, "confirmed"), (Gone, "uncertain")])
def test_a_record_that_is_not_found_after_its_write_is_looked_at_again_after_the_grace(
    world: Rounds, later: type[Seen], state: str
) -> None:
    contact_id = min(world.world(CRMCOM_CONTACTS))
    made = world.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    cycle(world, GoneOnceWritten)
    assert world.update(made, "status") == ("sending",)
    assert world.settle(partial(cycle, world, later), within_s=SETTLED_S)
    assert world.update(made, "status") == (state,)
    assert len(world.writes()) == 1


def test_what_may_have_been_sent_to_a_record_that_is_gone_waits_for_a_person(world: Rounds) -> None:
    contact_id = min(world.world(CRMCOM_CONTACTS))
    made = world.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    cycle(world, GoneOnceWritten)
    where = {"entity": "contacts", "source": "crmcom", "id": contact_id}
    change(world.client, where | {"action": "delete"})
    assert world.settle(partial(cycle, world), within_s=SETTLED_S)
    assert world.update(made, "status") == ("uncertain",)
