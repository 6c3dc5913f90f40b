"""The process that pulls: one run over one stream, watched at its commits and requests.

It says each place that it comes to, and at the place of its strike ends itself, or has the blow
dealt by the process that started it.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection as Line
from types import FrameType
from unittest.mock import patch

import httpx
import psycopg
from sqlalchemy import Connection, Engine, PoolProxiedConnection

from sync_pipeline.entities import STREAMS
from sync_pipeline.errors import SyncError
from sync_pipeline.pull import reading_queue
from sync_pipeline.pull.backfill_windows import Backfill, Window
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.normalising import Batch
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import read_settings
from sync_pipeline.sources.transport import AiohttpTransport
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.progress import Due, record_progress
from sync_pipeline.warehouse.runs import BatchCounts, Traffic
from sync_pipeline_tests.crashes.points import Act, Blow, Place, Side, Strike

Send = Callable[[AiohttpTransport, httpx.Request], Awaitable[httpx.Response]]
# So that each stream takes several.
BATCH_ROWS = 12
_SLICE_S = 300.0
_ALL_DAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_LONG_ID = re.compile(r"[0-9A-Za-z-]{20,}")
_LOAD = Loader._load  # noqa: SLF001 -- what `_load_apart` is instead of
_OURS = re.compile(r"sync_pipeline/(?!warehouse/engine)(.*)\.py$")


@dataclass(frozen=True, slots=True)
class Order:
    """What the process is to do; ``is_split``: with a loader that splits its transaction.

    ``backfill`` is the name of a backfill over all days, which goes on under it.
    """

    stream: str
    run_id: str
    environ: Mapping[str, str]
    warehouse_url: str
    as_of: datetime
    strike: Strike | None = None
    is_split: bool = False
    backfill: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """The strike's place is reached: deal the blow, and say so. ``port`` is the connection's."""

    place: Place
    port: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The run ended by itself."""

    is_complete: bool
    error: str | None


def pull(order: Order, line: Line) -> None:
    """Carry out ``order``, saying every place, a wish if there is one, and the end."""
    # What it says of a connection that was cut is known here.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    watch = _Watch(order.strike, line)
    request = PullRequest(
        Due(datetime.now(UTC), as_of=order.as_of),
        slice_s=_SLICE_S,
        backfill=Backfill((_ALL_DAYS,), order.backfill) if order.backfill else None,
    )
    with (
        engine_on(order.warehouse_url) as engine,
        patch.object(engine.dialect, "do_commit", partial(watch.commit, engine)),
        patch.object(AiohttpTransport, "handle_async_request", watch.request()),
        patch.object(reading_queue, "BATCH_ROWS", BATCH_ROWS),
        patch.object(Loader, "_load", _load_apart if order.is_split else _LOAD),
    ):
        watch.begin()
        try:
            report = pull_stream(
                STREAMS[order.stream],
                request,
                settings=read_settings(order.environ),
                engine=engine,
                run_id=order.run_id,
            )
        except SyncError as exc:
            line.send(Ended(is_complete=False, error=str(exc)))
        else:
            is_complete = report.row["is_complete"] is True and not report.remaining
            line.send(Ended(is_complete, None))


class _Watch:
    def __init__(self, strike: Strike | None, line: Line) -> None:
        self._strike = strike
        self._line = line
        self._turn = threading.Lock()
        self._numbers = dict.fromkeys(Act, 0)

    def begin(self) -> None:
        if self._strike is not None and self._strike.act is None:
            clock = threading.Timer(self._strike.after_s, _end)
            clock.daemon = True
            clock.start()

    def commit(self, engine: Engine, connection: PoolProxiedConnection) -> None:
        port = _port_of(connection)
        place = self._come_to(Act.COMMIT, _who_commits(), port)
        type(engine.dialect).do_commit(engine.dialect, connection)
        self._say(Side.AFTER, place, port)

    def request(self) -> Send:
        send = AiohttpTransport.handle_async_request

        async def watched(transport: AiohttpTransport, request: httpx.Request) -> httpx.Response:
            place = self._come_to(Act.REQUEST, _kind_of(request), 0)
            response = await send(transport, request)
            self._say(Side.AFTER, place, 0)
            return response

        return watched

    def _come_to(self, act: Act, what: str, port: int) -> Place:
        with self._turn:
            self._numbers[act] += 1
            place = Place(Side.BEFORE, act, self._numbers[act], what)
        self._say(Side.BEFORE, place, port)
        self._say(Side.DURING, place, port)
        return place

    def _say(self, side: Side, of: Place, port: int) -> None:
        place = Place(side, of.act, of.number, of.what)
        with self._turn:
            if self._strike is None or not self._strike.is_due(place):
                if side is not Side.DURING:
                    self._line.send(place)
                return
            self._line.send(Wish(place, port))
            if self._strike.blow is Blow.PULL:
                _end()
            self._line.recv()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _port_of(connection: PoolProxiedConnection) -> int:
    driver = connection.dbapi_connection
    if not isinstance(driver, psycopg.Connection) or driver.closed:
        return 0
    with socket.socket(fileno=os.dup(driver.fileno())) as own:
        return int(own.getsockname()[1])


def _who_commits() -> str:
    frames = (_name_of(frame) for frame, _ in traceback.walk_stack(None))
    return next((name for name in frames if name), "elsewhere")


def _name_of(frame: FrameType) -> str | None:
    found = _OURS.search(frame.f_code.co_filename)
    return f"{found[1]}: {frame.f_code.co_name.lstrip('_')}" if found else None


def _kind_of(request: httpx.Request) -> str:
    path = _LONG_ID.sub("{id}", request.url.path)
    head, found, _ = path.partition("/tenants/")
    return f"{request.method} {head}/tenants/{{name}}" if found else f"{request.method} {path}"


def _load_apart(loader: Loader, batch: Batch, traffic: Traffic) -> tuple[BatchCounts, int | None]:
    progress = [reading.progress for reading in batch.readings if reading.is_progress]
    record_progress(loader.connection, loader.run.stream, progress)
    _commit_now(loader.connection)
    return _LOAD(loader, batch, traffic)


def _commit_now(connection: Connection) -> None:
    connection.dialect.do_commit(connection.connection)
