"""One run over one stream: hold its lock, plan, carry the work out, keep the run's record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from sync_pipeline.entities import Stream
from sync_pipeline.errors import StreamBusyError, SyncError, WarehouseError
from sync_pipeline.pull.backfill import key_of_backfill
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.carry_out import Outcome, carry_out, traffic_of
from sync_pipeline.pull.close import close_run
from sync_pipeline.pull.drift import FieldWatch, policy_of
from sync_pipeline.pull.interrupts import run_interruptibly
from sync_pipeline.pull.kept_bytes import load_kept
from sync_pipeline.pull.plan import open_plan
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.work import Context
from sync_pipeline.records import Reject
from sync_pipeline.settings import Settings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse import locks, runs
from sync_pipeline.warehouse.backfills import end_backfill
from sync_pipeline.warehouse.engine import in_words, transaction
from sync_pipeline.warehouse.load import Loaded
from sync_pipeline.warehouse.progress import Due, Reason, count_deferred, count_proofs
from sync_pipeline.warehouse.runs import RunKey, Traffic

_ASK_AGAIN_S = 1.0
# A run ends by itself after its slice and what is then in flight.
_BEYOND_A_SLICE_S = 120.0


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a run came to: its row of `ops.sync_runs`, and what is still to be read."""

    row: Mapping[str, object]
    proofs: Mapping[str, int]
    """Scopes of the stream by how their last reading was proven."""
    remaining: int
    """Scopes that were due and that the slice of time left unread."""
    gaps: Mapping[str, Reason]
    """Why those that were named (of a list: the list itself) are not proven."""


def pull_stream(
    stream: Stream, request: PullRequest, *, settings: Settings, engine: Engine, run_id: str
) -> PullReport:
    """Read what ``request`` asks for into the warehouse.

    Whatever was committed stays, also when it raises: SourceError, WarehouseError,
    IdentityCannotReadError, SettingsError, StreamBusyError (another run kept the stream).
    """
    key = RunKey(run_id, stream)
    with _held(engine, key, request) as connection:
        _begin(engine, key, request)
        context = Context(stream, request, settings, engine)
        meter = Meter()
        with _recorded(engine, key, meter):
            fields = FieldWatch(policy_of(settings, stream))
            loader = Loader(connection, key, request.is_full, fields)
            outcome = run_interruptibly(_pull(context, loader, meter))
            _finish(engine, key, request, outcome)
    return _report(engine, key, outcome)


def load_kept_bytes(
    stream: Stream, kept: Sequence[Reject], *, settings: Settings, engine: Engine, run_id: str
) -> list[Loaded | str]:
    """Load rejected records from the bytes that were kept of them; see `load_kept`."""
    key = RunKey(run_id, stream)
    scopes = tuple(reject.scope for reject in kept)
    due = Due(datetime.now(UTC))
    request = PullRequest(due, settings.run_slice_seconds, only=scopes, cause="replay")
    with _held(engine, key, request) as connection:
        _begin(engine, key, request)
        with _recorded(engine, key, Meter()):
            loaded = [load_kept(connection, key, reject) for reject in kept]
            with transaction(engine) as closing:
                runs.finish_run(closing, key, Traffic(), is_complete=True)
    return loaded


async def _pull(context: Context, loader: Loader, meter: Meter) -> Outcome:
    async with open_plan(context, meter=meter) as work:
        await asyncio.to_thread(_plan, context, loader.run, work.scopes_total)
        outcome = await carry_out(context, work, loader, meter=meter)
        if context.request.backfill is None:
            await close_run(context, work, loader, meter=meter)
        return replace(outcome, traffic=traffic_of(meter))


@contextmanager
def _held(engine: Engine, key: RunKey, request: PullRequest) -> Iterator[Connection]:
    """Hold the stream (or just the scopes that a targeted request names), or wait for it.

    Yields the session that holds it, which is also the one that loads.
    """
    scopes = sorted(set(request.only)) or [""]
    patience_s = request.patience_s
    if patience_s is None:
        patience_s = request.slice_s + _BEYOND_A_SLICE_S
    gives_up_at = time.monotonic() + patience_s
    with in_words(), engine.connect() as connection:
        # Not back to the pool in the end: the locks are to end with this session, come what may.
        connection.detach()
        locks.hold_run(connection, key.run_id, key.stream)
        connection.commit()
        for scope in scopes:
            while not locks.try_lock(connection, key.stream, scope):
                connection.rollback()
                if time.monotonic() >= gives_up_at:
                    raise StreamBusyError(f"{key.stream} is being read by another run: try later")
                time.sleep(_ASK_AGAIN_S)
            connection.commit()
        yield connection


def _begin(engine: Engine, key: RunKey, request: PullRequest) -> None:
    with transaction(engine) as connection:
        runs.abandon_runs(connection, key.stream)
        runs.begin_run(connection, key, cause=request.cause)


def _plan(context: Context, key: RunKey, scopes_total: int) -> None:
    with transaction(context.engine) as connection:
        runs.plan_run(connection, key, scopes_total=scopes_total)


@contextmanager
def _recorded(engine: Engine, key: RunKey, meter: Meter) -> Iterator[None]:
    """Close the run's row as failed when the body does not end well."""
    error: str | None = "interrupted"
    try:
        yield
        error = None
    except SyncError as exc:
        error = str(exc)
        raise
    except Exception as exc:
        # A defect of ours: its text may quote a row, its name does not.
        error = f"unexpected {type(exc).__name__}"
        raise
    finally:
        if error is not None:
            _fail(engine, key, traffic_of(meter), error)


def _fail(engine: Engine, key: RunKey, traffic: Traffic, error: str) -> None:
    try:
        with transaction(engine) as connection:
            runs.finish_run(connection, key, traffic, is_complete=False, error=error)
    except SyncError:
        # The database is away: the next run of the stream marks this one as abandoned.
        return


def _finish(engine: Engine, key: RunKey, request: PullRequest, outcome: Outcome) -> None:
    with transaction(engine) as connection:
        # A request that names what it wants has nothing to do with what others wait for.
        deferred = {} if request.only else count_deferred(connection, key.stream)
        runs.note_deferred(connection, key, deferred)
        backfill = key_of_backfill(key.stream, request)
        if backfill is not None and not outcome.remaining:
            end_backfill(connection, backfill)
        runs.finish_run(
            connection,
            key,
            outcome.traffic,
            is_complete=outcome.is_proven and not deferred,
        )


def _report(engine: Engine, key: RunKey, outcome: Outcome) -> PullReport:
    with transaction(engine) as connection:
        row = runs.find_run(connection, key)
        if row is None:
            raise WarehouseError("the run's record was removed from ops.sync_runs")
        return PullReport(
            row=row,
            proofs=count_proofs(connection, key.stream),
            remaining=outcome.remaining,
            gaps=outcome.gaps,
        )
