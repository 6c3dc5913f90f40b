"""A dry run: what a cycle would do to each record, field by field; nothing is sent or noted.

What the push models would ask for is planned as in a cycle, and rolled back before any reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import cast

from sqlalchemy import Engine

from sync_pipeline.errors import SourceError, TooManyUpdatesError
from sync_pipeline.mapping.pushable import is_creation
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.pull.interrupts import run_interruptibly
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.change import Changing
from sync_pipeline.push.clock import server_clock
from sync_pipeline.push.courier import Courier, UnknownRecordError
from sync_pipeline.push.create import Creating
from sync_pipeline.push.decide import Decision
from sync_pipeline.push.models import ModelReport, foresee_models
from sync_pipeline.push.records import Current, Target, found_together
from sync_pipeline.push.share import allotment, require_small_share
from sync_pipeline.push.together import Together
from sync_pipeline.push.values import Json, UnwritableError, Values
from sync_pipeline.settings import Settings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.engine import undone
from sync_pipeline.warehouse.outbox import Claim, Peeked, Update, peek

WRITE, CREATE = "write", "create"
MOST = 100
"""Updates of a source that are looked at where no limit is given."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done about one field: ``there`` is what its API holds by then.

    ``planned_by`` is the push model that would ask for it: such an update has no number yet.
    """

    update: Update
    field: str
    wanted: Json
    there: Json
    plan: str
    planned_by: str | None = None

    def row(self) -> Mapping[str, object]:
        """Return the line that a person reads."""
        update = self.update
        return {
            "update": None if self.planned_by else update.id,
            "record": f"{update.source}/{update.entity}/{update.entity_id}",
            "field": self.field,
            "there": self.there,
            "wanted": self.wanted,
            "plan": f"push model {self.planned_by}: {self.plan}" if self.planned_by else self.plan,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What a cycle would do; ``stopped`` is by source why it would send nothing after all."""

    planned: Sequence[Planned]
    models: ModelReport
    stopped: Mapping[str, str]


@dataclass
class _Foreseen(Changing):
    """Looks at a record as it is once the updates before this one have left ``left`` there."""

    left: Values = field(default_factory=dict)

    async def look(self, target: Target) -> Current:
        found = await super().look(target)
        return replace(found, values={**found.values, **self.left})

    def _own_writes(self, present: Values) -> frozenset[str]:
        return super()._own_writes(present) | (present.keys() & self.left.keys())


def preview(
    engine: Engine, settings: Settings, sources: Sequence[str], *, limit: int | None = None
) -> Preview:
    """Return what a cycle over ``sources`` would do; raises SourceError where one is away."""
    now = server_clock(engine)()
    due: dict[str, list[Peeked]] = {}
    stopped: dict[str, str] = {}
    with undone(engine) as connection:
        models = foresee_models(connection, settings)
        counts = allotment(connection, sources, limit=limit, now=now)
        for source, most in counts.items():
            seen = MOST if limit is None else int(most)
            due[source] = peek(connection, source=source, now=now, most=seen)
            share = settings.push_max_share
            try:
                require_small_share(connection, source, most_share=share, limit=most, now=now)
            except TooManyUpdatesError as exc:
                stopped[source] = str(exc)
    return Preview(run_interruptibly(_preview(engine, settings, due)), models, stopped)


async def _preview(
    engine: Engine, settings: Settings, due: Mapping[str, Sequence[Peeked]]
) -> list[Planned]:
    planned: list[Planned] = []
    for source, updates in due.items():
        planned += await _preview_source(engine, settings, source, updates)
    return planned


async def _preview_source(
    engine: Engine, settings: Settings, source: str, updates: Sequence[Peeked]
) -> list[Planned]:
    source_settings = settings.of_source(source)
    if source_settings is None or not updates:
        return []
    clock = await asyncio.to_thread(server_clock, engine)
    by_record: dict[str, list[Peeked]] = {}
    for one in updates:
        by_record.setdefault(one.record, []).append(one)
    async with AsyncExitStack() as stack:
        budget = await stack.enter_async_context(
            open_budget(engine, source, source_settings, lane="push")
        )
        api = await stack.enter_async_context(
            open_api(source_settings, budget=budget, meter=Meter())
        )
        find = Together(found_together)
        courier = Courier(api, settings, engine, clock, find=find, still_holds=_is_nobodys)
        looked = await asyncio.gather(*(_in_order(courier, one) for one in by_record.values()))
    # As they were asked for; sorting keeps the fields of each in their order.
    return sorted((one for plans in looked for one in plans), key=lambda one: one.update.id)


async def _is_nobodys(claim: Claim) -> bool:
    del claim
    return False


async def _in_order(courier: Courier, updates: Sequence[Peeked]) -> list[Planned]:
    """Return what becomes of the updates of one record, each on what those before it leave."""
    planned: list[Planned] = []
    left: dict[str, Json] = {}
    behind = ""
    for one in updates:
        for plan in await _looked(courier, one.update, left):
            if plan.plan in {WRITE, CREATE}:
                left[plan.field] = plan.wanted
            said = f"{behind}{plan.plan}"
            planned.append(replace(plan, plan=said, planned_by=one.planned_by))
        name = f"that of push model {one.planned_by}" if one.planned_by else f"{one.update.id}"
        behind = f"after update {name}: "
    return planned


async def _looked(courier: Courier, update: Update, left: Values) -> list[Planned]:
    claim = Claim(update, "", is_orphan=False, maybe_sent_at=None)
    try:
        if is_creation(update.stream, update.entity_id):
            return await _created(Creating(courier, claim), left)
        return await _changed(_Foreseen(courier, claim, left=dict(left)))
    except (UnwritableError, UnknownRecordError, SourceError) as exc:
        asked = cast("Values", update.changes)
        return [Planned(update, name, value, None, str(exc)) for name, value in asked.items()]


async def _created(attempt: Creating, made: Values) -> list[Planned]:
    """Return what becomes of a creation; ``made`` are the values of one before it, if there is."""
    update = attempt.claim.update
    wanted, there = await attempt.plan()
    if there is None and not made:
        # As the real one: what an API does not take is refused here.
        attempt.api.creation(wanted)
        return [Planned(update, name, value, None, CREATE) for name, value in wanted.items()]
    found = made if there is None else await _values_of(attempt, there)
    taken = f"conflict: the API has a record with this {attempt.api.key}"
    return [
        Planned(update, name, value, now, "there" if now == value else taken)
        for name, value in wanted.items()
        for now in [found.get(name)]
    ]


async def _values_of(attempt: Creating, record_id: str) -> Values:
    return (await attempt.look(Target(attempt.stream, record_id, record_id))).values


async def _changed(attempt: Changing) -> list[Planned]:
    target, before, decided = await attempt.plan()
    wanted = attempt.wanted(target, before)
    # As the real one: what an API does not take is refused here.
    attempt.courier.api.writes(target, decided.write, before) if decided.write else None
    return [
        Planned(attempt.claim.update, name, value, before.values.get(name), plan)
        for name, value, plan in _plans(wanted, decided)
    ]


def _plans(wanted: Values, decided: Decision) -> Iterator[tuple[str, Json, str]]:
    for name, value in wanted.items():
        if name in decided.held:
            yield name, value, "conflict: it waits for a person"
        elif name in decided.kept:
            yield name, value, "conflict: what is there stays"
        elif name in decided.write:
            yield name, value, WRITE
        else:
            yield name, value, "not sent, a conflict holds the update" if decided.held else "there"
