"""Events that wait together are stored together: one transaction, and only then their answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine

from sync_pipeline.errors import WarehouseError
from sync_pipeline.records import Event
from sync_pipeline.warehouse.engine import UnstorableError, transaction
from sync_pipeline.warehouse.inbox import store_events
from sync_pipeline.webhooks.nameless import quarantine_nameless

Store = Callable[[Sequence[Event]], None]
_MOST_WAITING = 10_000
_MOST_BYTES_WAITING = 64 * 1024 * 1024
_MOST_AT_ONCE = 1_000
_MOST_BYTES_AT_ONCE = 8 * 1024 * 1024
_PATIENCE_S = 15.0


class AwayError(Exception):
    """The event is not stored: the sender is to come back later."""


class GroupCommit:
    """Takes events from many requests and stores them in batches, one batch at a time."""

    def __init__(self, store: Store, *, patience_s: float = _PATIENCE_S) -> None:
        self._store = store
        self._patience_s = patience_s
        self._waiting: deque[tuple[Event, asyncio.Future[None]]] = deque()
        self._bytes_waiting = 0
        self._arrived = asyncio.Event()

    async def put(self, event: Event) -> None:
        """Return when the event is committed; raise AwayError when it is not, or not in time."""
        if len(self._waiting) >= _MOST_WAITING or self._bytes_waiting >= _MOST_BYTES_WAITING:
            raise AwayError
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, stored))
        self._bytes_waiting += len(event.payload_raw)
        self._arrived.set()
        try:
            async with asyncio.timeout(self._patience_s):
                await stored
        except TimeoutError:
            raise AwayError from None

    async def work(self) -> None:
        """Store what comes, until cancelled; what is being stored then is stored to its end."""
        while True:
            await self._arrived.wait()
            batch = self._take()
            await self._commit(batch)

    def _take(self) -> list[tuple[Event, asyncio.Future[None]]]:
        batch: list[tuple[Event, asyncio.Future[None]]] = []
        size = 0
        while self._waiting and len(batch) < _MOST_AT_ONCE and size < _MOST_BYTES_AT_ONCE:
            event, stored = self._waiting.popleft()
            self._bytes_waiting -= len(event.payload_raw)
            # Whoever gave up has been told to come again.
            if not stored.done():
                batch.append((event, stored))
                size += len(event.payload_raw)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _commit(self, batch: list[tuple[Event, asyncio.Future[None]]]) -> None:
        events = [event for event, _ in batch]
        error: WarehouseError | None = None
        try:
            await asyncio.to_thread(self._store, events)
        except WarehouseError as exc:
            error = exc
        for _, stored in batch:
            if stored.done():
                continue
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(AwayError())


def store_in(engine: Engine) -> Store:
    """Return what stores events in the warehouse, all of them in one transaction."""

    def store(events: Sequence[Event]) -> None:
        try:
            with transaction(engine) as connection:
                _store(connection, events)
        except UnstorableError:
            # jsonb has limits that only PostgreSQL knows; the bytes are kept all the same.
            for event in events:
                _store_alone(engine, event)

    return store


def _store_alone(engine: Engine, event: Event) -> None:
    try:
        with transaction(engine) as connection:
            _store(connection, [event])
    except UnstorableError:
        with transaction(engine) as connection:
            _store(connection, [event.without_payload()])


def _store(connection: Connection, events: Sequence[Event]) -> None:
    store_events(connection, events)
    quarantine_nameless(connection, events)
