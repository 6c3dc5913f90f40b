"""What all processes that talk to one API share (`ops.budgets`), over one connection each.

The decision is one statement, `ask_budget`, under a lock that is held for as long as the server
takes for it, however slow or dead the one who asked is. No clock but the server's counts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal, TypeVar
from uuid import uuid4

from psycopg import AsyncConnection, AsyncCursor, IsolationLevel
from psycopg.rows import DictRow, dict_row
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import conninfo, in_words
from sync_pipeline.warehouse.statements import statement

Lane = Literal["pull", "push"]
T = TypeVar("T")
_DIALECT = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call] # in SQLAlchemy
LEASE_S = 5.0
"""Places that are not renewed for so long are free again."""
AHEAD_S: Mapping[Lane, float] = {"pull": 0.25, "push": 0.5}
"""No reservation begins further ahead; what pulls may reserve always leaves room for a push."""
LONGEST_QUIET_S = 3600.0
PATIENCE_S = 10.0
# What was granted is worth nothing after a crash of the server: nobody waits for its disk.
_OPTIONS = "-c synchronous_commit=off -c statement_timeout=8s"


@dataclass(frozen=True, slots=True)
class Limits:
    """The politeness that one process was set up with."""

    requests_per_second: float
    max_in_flight: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What a holder has and would have."""

    places_wanted: int
    in_use: int
    requests_wanted: int
    is_answered: bool = False
    """The API has answered requests since it last asked for fewer."""
    held_back_s: float | None = None
    """The API has asked for fewer: so many seconds, 0 if it did not say."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder may do: so many requests from a moment on, evenly at the rate."""

    places: int
    """May be in flight for the next LEASE_S."""
    share: int
    """Would be its own if everybody had theirs; what it has beyond, others wait for."""
    requests: int
    rate: float
    from_s: float
    """Seconds from now to the first one; without one, to the first moment that is free."""
    is_quiet: bool


class BudgetTable:
    """One holder of one API's budget; made by `open_budget_table`."""

    def __init__(
        self, connection: AsyncConnection[DictRow], api: str, *, limits: Limits, lane: Lane
    ) -> None:
        self._connection = connection
        self._named = {"api": api, "holder": uuid4().hex}
        self._settled = asdict(limits) | {
            "lane": lane,
            "ahead_s": AHEAD_S[lane],
            "lease_s": LEASE_S,
        }

    async def ask(self, ask: Ask) -> Grant:
        """Renew the places and reserve what comes next; raises WarehouseError."""
        return await _in_time(self._ask(ask))

    async def _ask(self, ask: Ask) -> Grant:
        told = {"asked_s": ask.held_back_s, "longest_s": LONGEST_QUIET_S}
        asked = {
            "places_wanted": ask.places_wanted,
            "in_use": ask.in_use,
            "requests_wanted": ask.requests_wanted,
            "is_answered": ask.is_answered,
        }
        # One journey for all of it: nobody holds the lock while the network is slow.
        async with self._connection.pipeline(), self._connection.transaction():
            await self._execute("lock_budget", {})
            if ask.held_back_s is not None:
                await self._execute("hold_back", told)
            cursor = await self._execute("ask_budget", self._settled | asked)
        row = await cursor.fetchone()
        if row is None:
            raise WarehouseError("the API's row was removed from ops.budgets: run again")
        return Grant(**row)

    async def join(self) -> None:
        """Make sure that the API has its row; raises WarehouseError."""
        await _in_time(self._execute("add_budget", {}))

    async def leave(self) -> None:
        """Give everything back; raises WarehouseError."""
        await _in_time(self._execute("leave_budget", {}))

    async def _execute(self, name: str, parameters: Mapping[str, object]) -> AsyncCursor[DictRow]:
        return await self._connection.execute(_query(name), self._named | dict(parameters))


@asynccontextmanager
async def open_budget_table(
    engine: Engine, api: str, *, limits: Limits, lane: Lane
) -> AsyncIterator[BudgetTable]:
    """Open a connection of its own and take part in the budget; leave it at the end.

    Raises WarehouseError.
    """
    connection = await _in_time(_connected(engine))
    try:
        table = BudgetTable(connection, api, limits=limits, lane=lane)
        await table.join()
        yield table
    finally:
        # Where that fails, the places end by themselves.
        with contextlib.suppress(WarehouseError):
            await table.leave()
        await connection.close()


async def _connected(engine: Engine) -> AsyncConnection[DictRow]:
    connection = await AsyncConnection.connect(
        conninfo(engine, options=_OPTIONS), autocommit=True, row_factory=dict_row
    )
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
    return connection


async def _in_time(act: Coroutine[None, None, T]) -> T:
    """Return what ``act`` does, or raise WarehouseError; never later than PATIENCE_S."""
    task = asyncio.ensure_future(act)
    # Of one that nobody waits for any more, the failure is no news.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        # Not `timeout`: a query that is cancelled waits for a server that may not answer.
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
    except asyncio.CancelledError:
        # Whoever gives up still wants the connection whole, to say so.
        await asyncio.wait({task}, timeout=PATIENCE_S)
        raise
    if not done:
        task.cancel()
        raise WarehouseError(
            f"the warehouse did not say within {PATIENCE_S:g} s whether a request may be sent"
        )
    with in_words():
        return task.result()


@cache
def _query(name: str) -> bytes:
    # As the driver writes parameters.
    return str(statement(name).compile(dialect=_DIALECT)).encode()
