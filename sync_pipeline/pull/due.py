"""Who is due, and who goes first; asked of the database in chunks, never all at once.

The order, for as long as a slice lasts:

1. Favoured and oldest take turns, one by one. *Favoured* are contacts of which something told
   that they changed after they were read (hints), and those with a priority. *Oldest* are those
   that were never read, and then those whose reading is older than three quarters of the staleness
   bound, the oldest first. So hints never take more than half, however many there are.
2. What is left of the slice goes to the others in the order of `wanted_at`: soon after the last
   reading where something changed lately, late where nothing has for long.

Hence nobody starves: what is overdue waits for no frequent changer, and grows no older than the
bound while the API's budget can hold it (`operate.pace` says when it cannot).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt

from sync_pipeline.pull.horizon import horizon
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.work import Context, in_turn
from sync_pipeline.warehouse.due import (
    DueContact,
    DueQuery,
    Queue,
    depth_of,
    due_contacts,
)
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Proof, is_scope_due, proof_of
from sync_pipeline.warehouse.registry import register_contacts

CHUNK = 2_000
# Of something that changed a day ago: wanted again after four hours.
_PATIENCE_UNIT_S = 40 * 60.0

Seconds = npt.NDArray[np.float64]


def patience_s(quiet_s: Seconds) -> Seconds:
    """Return how long after a reading a scope is wanted again that has not changed for so long.

    What has not changed for long is expected not to change for as long again. Of a given number of
    readings the sum of the waits is least when each scope's interval is in proportion to the
    square root of the time between its changes.
    """
    return np.sqrt(_PATIENCE_UNIT_S * np.maximum(quiet_s, 0.0))


def alternated(favoured: Iterable[str], oldest: Iterable[str]) -> Iterator[str]:
    """Yield one of each in turn; the rest of the longer one at the end."""
    pairs = chain.from_iterable(zip_longest(favoured, oldest))
    return (contact_id for contact_id in pairs if contact_id is not None)


async def due_chunks(context: Context) -> tuple[int, AsyncIterator[list[str]]]:
    """Return how many contacts are to be read, and an iterator over them in their order.

    A targeted request names its own.
    """
    named = list(dict.fromkeys(context.request.only))
    if named:
        return len(named), in_turn([named])
    total = await asyncio.to_thread(_count_due, context)
    return total, _due_in_chunks(context)


async def due_scopes(context: Context) -> tuple[int, AsyncIterator[str]]:
    """Return the same contact by contact."""
    total, chunks = await due_chunks(context)
    return total, _one_by_one(chunks)


async def _one_by_one(chunks: AsyncIterator[list[str]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        for contact_id in chunk:
            yield contact_id


def is_list_due(context: Context) -> bool:
    """Tell whether the stream's own list is due."""
    with transaction(context.engine) as connection:
        return is_scope_due(connection, context.stream, "", context.request.due)


def is_list_proven(context: Context) -> bool:
    """Tell whether the last reading of the stream's own list was proven complete."""
    with transaction(context.engine) as connection:
        return proof_of(connection, context.stream, "") not in (None, Proof.INCOMPLETE)


async def register_asked(context: Context, reading: Reading) -> Reading:
    """Add a contact that a targeted request named, and that could be had, to the registry."""
    if context.request.only and reading.access == "granted":
        await asyncio.to_thread(_register, context, reading)
    return reading


def _register(context: Context, reading: Reading) -> None:
    with transaction(context.engine) as connection:
        register_contacts(connection, [reading.scope], origin="asked", seen_at=reading.read_at)


def _asked(context: Context) -> DueQuery:
    bound = timedelta(hours=context.settings.staleness_bound_hours)
    due = context.request.due
    return DueQuery(context.stream, due, horizon(due.now, bound))


def _count_due(context: Context) -> int:
    with transaction(context.engine) as connection:
        return depth_of(connection, _asked(context)).due


@dataclass(slots=True)
class _Waiting:
    """A walk through one queue."""

    context: Context
    queue: Queue
    last: DueContact | None = None
    is_drained: bool = False

    def next(self, most: int) -> list[str]:
        if self.is_drained or most == 0:
            return []
        with transaction(self.context.engine) as connection:
            found = due_contacts(
                connection, _asked(self.context), self.queue, after=self.last, most=most
            )
        self.is_drained = len(found) < most
        self.last = found[-1] if found else self.last
        return [contact.contact_id for contact in found]


async def _due_in_chunks(context: Context) -> AsyncIterator[list[str]]:
    def waiting(*queues: Queue) -> list[_Waiting]:
        return [_Waiting(context, queue) for queue in queues]

    favoured = waiting(Queue.HINTED, Queue.PREFERRED)
    oldest = waiting(Queue.UNREAD, Queue.OVERDUE)
    others = waiting(Queue.WANTED)

    def next_chunk() -> list[str]:
        half = _first_of(favoured, CHUNK // 2)
        old = _first_of(oldest, CHUNK - len(half))
        more = _first_of([*favoured, *others], CHUNK - len(half) - len(old))
        return [*alternated(half, old), *more]

    while chunk := await asyncio.to_thread(next_chunk):
        yield chunk


def _first_of(queues: Sequence[_Waiting], most: int) -> list[str]:
    """Return the next of the first queue, then of the second, and so on: at most ``most``."""
    found: list[str] = []
    for queue in queues:
        found += queue.next(most - len(found))
    return found
