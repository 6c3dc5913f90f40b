"""One time for all workers, that of the server that keeps the outbox, and what is waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from sync_pipeline.settings import Settings
from sync_pipeline.sources.deadline import ticks
from sync_pipeline.warehouse.engine import transaction


def grace_of(settings: Settings) -> timedelta:
    """Return how long a write may be on its way that no answer came to."""
    return timedelta(seconds=settings.push_grace_seconds)


def window_of(settings: Settings) -> timedelta:
    """Return how long after its last look at the lock a worker may begin to send."""
    return grace_of(settings) / 2


class Clock:
    """The time of the server, as it goes on here: that this machine's clock jumps is no matter."""

    def __init__(self, now: datetime) -> None:
        self._base = now
        self._read_at = ticks()

    def __call__(self) -> datetime:
        """Return what time it is (aware, UTC)."""
        return self._base + timedelta(seconds=ticks() - self._read_at)


def server_clock(engine: Engine) -> Clock:
    """Return the clock of the server that keeps the outbox."""
    with transaction(engine) as connection:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return Clock(now.astimezone(UTC))
