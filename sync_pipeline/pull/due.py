"""Which scopes of a fan-out are due: asked of the database in chunks, never all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.work import Context, in_turn
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import (
    DueContact,
    Proof,
    count_due_contacts,
    due_contacts,
    is_scope_due,
    proof_of,
)
from sync_pipeline.warehouse.registry import register_contacts

CHUNK = 2_000


async def due_chunks(context: Context) -> tuple[int, AsyncIterator[list[str]]]:
    """Return how many contacts are to be read, and an iterator over them, longest due first.

    A targeted request names its own.
    """
    named = list(dict.fromkeys(context.request.only))
    if named:
        return len(named), in_turn([named])
    total = await asyncio.to_thread(count_due, context)
    return total, _due_in_chunks(context)


async def due_scopes(context: Context) -> tuple[int, AsyncIterator[str]]:
    """Return the same contact by contact."""
    total, chunks = await due_chunks(context)
    return total, _one_by_one(chunks)


async def _one_by_one(chunks: AsyncIterator[list[str]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        for contact_id in chunk:
            yield contact_id


def count_due(context: Context) -> int:
    """Return how many contacts are due at this moment."""
    with transaction(context.engine) as connection:
        return count_due_contacts(connection, context.stream, context.request.due)


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


async def _due_in_chunks(context: Context) -> AsyncIterator[list[str]]:
    last: DueContact | None = None
    while chunk := await asyncio.to_thread(_next_chunk, context, last):
        yield [contact.contact_id for contact in chunk]
        last = chunk[-1]


def _next_chunk(context: Context, last: DueContact | None) -> list[DueContact]:
    with transaction(context.engine) as connection:
        return due_contacts(connection, context.stream, context.request.due, after=last, most=CHUNK)
