"""What delivers updates to one source, and what a delivery comes back with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from sync_pipeline.errors import SourceError, SyncError
from sync_pipeline.push.api import PushApi
from sync_pipeline.push.clock import grace_of
from sync_pipeline.push.records import Found, Read
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.outbox import Claim, Ending


class ClaimLostError(SyncError):
    """Another worker has the update now: nothing was sent."""


class UnknownRecordError(SyncError):
    """The record is not at its API (any more), or cannot be read there."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a claim, the last reading of its record, and a failure that concerns all."""

    ending: Ending
    read: Read | None = None
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers updates to one source."""

    api: PushApi
    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    """The time of the server that keeps the outbox: every worker's is the same."""
    find: Callable[[Read], Awaitable[Found]]
    still_holds: Callable[[Claim], Awaitable[bool]]

    @property
    def grace(self) -> timedelta:
        """How long a write may be on its way that no answer came to."""
        return grace_of(self.settings)
