"""One sweeper per stream: advisory locks that end with their session, however it ends."""

from __future__ import annotations

from sqlalchemy import Connection, text

from sync_pipeline.entities import Stream

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_HOLD = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_TRY_BRIEFLY = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


def try_lock(connection: Connection, stream: Stream, scope: str = "") -> bool:
    """Take the lock of a stream's sweep (or of one scope) for this session, if it is free.

    The session that holds the lock is the one that loads, so that a lost connection ends both.
    """
    return bool(connection.execute(_TRY, {"name": _name(stream, scope)}).scalar_one())


def hold_run(connection: Connection, run_id: str, stream: Stream) -> None:
    """Hold the lock that shows that this run lives; `abandon_runs` looks for it."""
    connection.execute(_HOLD, {"name": f"sync-pipeline run {run_id} {stream}"})


def hold_launch(connection: Connection, run_id: str) -> None:
    """Hold the lock that shows that the command that launched this run lives."""
    connection.execute(_HOLD, {"name": f"sync-pipeline launch {run_id}"})


def is_launch_over(connection: Connection, run_id: str) -> bool:
    """Tell whether the command that launched this run has ended (asked in a transaction)."""
    return bool(
        connection.execute(_TRY_BRIEFLY, {"name": f"sync-pipeline launch {run_id}"}).scalar_one()
    )


def is_locked(connection: Connection, stream: Stream) -> bool:
    """Tell whether some session sweeps the stream at this moment (asked in a transaction)."""
    # The lock that a yes to the question takes goes with the transaction.
    return not connection.execute(_TRY_BRIEFLY, {"name": _name(stream, "")}).scalar_one()


def _name(stream: Stream, scope: str) -> str:
    return f"sync-pipeline {stream} {scope}"
