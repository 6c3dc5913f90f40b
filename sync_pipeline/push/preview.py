"""A dry run: what a cycle would do to each record, field by field; nothing is sent or noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine

from sync_pipeline.errors import SourceError
from sync_pipeline.mapping.pushable import NEW_RECORD
from sync_pipeline.pull.budget import open_budget
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.attempt import Courier, UnknownRecordError
from sync_pipeline.push.change import Changing
from sync_pipeline.push.clock import server_clock
from sync_pipeline.push.decide import Decision
from sync_pipeline.push.records import found_together
from sync_pipeline.push.together import Together
from sync_pipeline.push.values import Json, UnwritableError, Values
from sync_pipeline.settings import Settings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.outbox import Claim, Update, peek

MOST = 100
"""Updates of a source that are looked at where no limit is given."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done about one field: ``there`` is what its API holds now."""

    update: Update
    field: str
    wanted: Json
    there: Json
    plan: str

    def row(self) -> Mapping[str, object]:
        """Return the line that a person reads."""
        update = self.update
        return {
            "update": update.id,
            "record": f"{update.source}/{update.entity}/{update.entity_id}",
            "field": self.field,
            "there": self.there,
            "wanted": self.wanted,
            "plan": self.plan,
        }


def preview(
    engine: Engine, settings: Settings, sources: Sequence[str], *, limit: int | None = None
) -> list[Planned]:
    """Return what a cycle over ``sources`` would do; raises SourceError where one is away."""
    return asyncio.run(_preview(engine, settings, sources, MOST if limit is None else limit))


async def _preview(
    engine: Engine, settings: Settings, sources: Sequence[str], limit: int
) -> list[Planned]:
    planned: list[Planned] = []
    for source in sources:
        planned += await _preview_source(engine, settings, source, limit)
    return planned


async def _preview_source(
    engine: Engine, settings: Settings, source: str, limit: int
) -> list[Planned]:
    clock = await asyncio.to_thread(server_clock, engine)
    with transaction(engine) as connection:
        updates = peek(connection, source=source, now=clock(), most=limit)
    source_settings = settings.of_source(source)
    if source_settings is None or not updates:
        return []
    async with AsyncExitStack() as stack:
        budget = await stack.enter_async_context(
            open_budget(engine, source, source_settings, lane="push")
        )
        api = await stack.enter_async_context(
            open_api(source_settings, budget=budget, meter=Meter())
        )
        find = Together(found_together)
        courier = Courier(api, settings, engine, clock, find=find, still_holds=_is_nobodys)
        looked = await asyncio.gather(*(_looked(courier, update) for update in updates))
    return [one for plans in looked for one in plans]


async def _is_nobodys(claim: Claim) -> bool:
    del claim
    return False


async def _looked(courier: Courier, update: Update) -> list[Planned]:
    asked = cast("Values", update.changes)
    if update.entity_id == NEW_RECORD:
        return [Planned(update, name, value, None, "create") for name, value in asked.items()]
    attempt = Changing(courier, Claim(update, "", is_orphan=False, maybe_sent_at=None))
    try:
        target, before, decided = await attempt.plan()
        wanted = attempt.wanted(target, before)
        # As the real one: what an API does not take is refused here.
        courier.api.writes(target, decided.write, before) if decided.write else None
    except (UnwritableError, UnknownRecordError, SourceError) as exc:
        return [Planned(update, name, value, None, str(exc)) for name, value in asked.items()]
    return [
        Planned(update, name, value, before.values.get(name), plan)
        for name, value, plan in _plans(wanted, decided)
    ]


def _plans(wanted: Values, decided: Decision) -> Iterator[tuple[str, Json, str]]:
    for name, value in wanted.items():
        if name in decided.held:
            yield name, value, "conflict: it waits for a person"
        elif name in decided.kept:
            yield name, value, "conflict: what is there stays"
        elif name in decided.write:
            yield name, value, "write"
        else:
            yield name, value, "not sent, a conflict holds the update" if decided.held else "there"
