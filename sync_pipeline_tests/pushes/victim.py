"""The process that pushes: at the place of its strike it is killed, or loses its sessions."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from multiprocessing.connection import Connection as Line
from unittest.mock import patch

import httpx
from sqlalchemy import Connection, Engine, PoolProxiedConnection, event

from sync_pipeline.errors import SyncError
from sync_pipeline.push.cycle import push
from sync_pipeline.settings import read_settings
from sync_pipeline.sources.transport import AiohttpTransport
from sync_pipeline.warehouse.engine import engine_on

Send = Callable[[AiohttpTransport, httpx.Request], Awaitable[httpx.Response]]


class Blow(StrEnum):
    """What is done to the push."""

    KILL = "killed"
    PAUSE = "paused until another worker is done"


@dataclass(frozen=True, slots=True)
class Strike:
    """The blow falls at this place: they are counted from 0, before and after each act.

    Without a place it falls so many seconds after the beginning.
    """

    blow: Blow
    place: int | None = None
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the process is to do."""

    environ: Mapping[str, str]
    warehouse_url: str
    strike: Strike | None = None


def carry_out(order: Order, line: Line) -> None:
    """Make one cycle; say every place, and "paused" at that of a pause."""
    # What it says of a session that was cut is known here.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    watch = _Watch(order.strike, line)
    with (
        engine_on(order.warehouse_url) as engine,
        patch.object(engine.dialect, "do_commit", partial(watch.commit, engine)),
        patch.object(AiohttpTransport, "handle_async_request", watch.request()),
    ):
        event.listen(engine, "before_cursor_execute", watch.statement("before a commit"))
        event.listen(engine, "after_cursor_execute", watch.statement("after a commit"))
        watch.begin()
        try:
            push(engine, read_settings(order.environ))
        except SyncError as exc:
            line.send(str(exc))
        else:
            line.send("done")


class _Watch:
    def __init__(self, strike: Strike | None, line: Line) -> None:
        self._strike = strike
        self._line = line
        self._numbers = itertools.count()

    def begin(self) -> None:
        strike = self._strike
        if strike is not None and strike.place is None:
            signal.signal(signal.SIGALRM, lambda *_: _end())
            signal.setitimer(signal.ITIMER_REAL, max(strike.after_s, 0.001))

    def commit(self, engine: Engine, connection: PoolProxiedConnection) -> None:
        if _commits_by_itself(connection):
            return
        self._come_to("before a commit")
        type(engine.dialect).do_commit(engine.dialect, connection)
        self._come_to("after a commit")

    def statement(self, what: str) -> Callable[..., None]:
        """Return what is called about each statement; some are transactions of their own."""

        def come_to(connection: Connection, *_about: object) -> None:
            if _commits_by_itself(connection.connection):
                self._come_to(what)

        return come_to

    def request(self) -> Send:
        send = AiohttpTransport.handle_async_request

        async def watched(transport: AiohttpTransport, request: httpx.Request) -> httpx.Response:
            self._come_to(f"before a {request.method}")
            response = await send(transport, request)
            self._come_to(f"after a {request.method}")
            return response

        return watched

    def _come_to(self, what: str) -> None:
        number = next(self._numbers)
        strike = self._strike
        if strike is None or strike.place != number:
            self._line.send((number, what))
            return
        self._line.send((number, f"{strike.blow} {what}"))
        if strike.blow is Blow.KILL:
            _end()
        # The process that watches stops this one, takes its sessions, and lets it go on.
        self._line.send("paused")
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0)


def _commits_by_itself(connection: PoolProxiedConnection) -> bool:
    driver = connection.dbapi_connection
    return driver is not None and bool(driver.autocommit)


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
