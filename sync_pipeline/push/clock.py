"""One time for all workers: that of the server that keeps the outbox."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from sync_pipeline.warehouse.engine import transaction


class Clock:
    """The time of the server, as it goes on here: that this machine's clock jumps is no matter."""

    def __init__(self, now: datetime) -> None:
        self._base = now
        self._read_at = time.monotonic()

    def __call__(self) -> datetime:
        """Return what time it is (aware, UTC)."""
        return self._base + timedelta(seconds=time.monotonic() - self._read_at)


def server_clock(engine: Engine) -> Clock:
    """Return the clock of the server that keeps the outbox."""
    with transaction(engine) as connection:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return Clock(now.astimezone(UTC))
