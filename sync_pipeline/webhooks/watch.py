"""What the receiver knows of the warehouse beside the events: seen anew every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.inbox import InboxDepth, inbox_depths
from sync_pipeline.webhooks.tenants_known import KnownTenants

_LOOK_EVERY_S = 2.0
_FRESH_FOR_S = 15.0


@dataclass(slots=True)
class WarehouseWatch:
    """The tenants, the depth of the inbox, and whether the database answered lately."""

    engine: Engine
    tenants: KnownTenants = field(default_factory=KnownTenants)
    depths: Sequence[InboxDepth] = ()
    _seen_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the database answered lately."""
        return self._seen_at is not None and time.monotonic() - self._seen_at < _FRESH_FOR_S

    async def work(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """Look once; what was known stays where the database is away."""
        try:
            with transaction(self.engine) as connection:
                self.tenants.refresh(connection)
                self.depths = inbox_depths(connection)
            self._seen_at = time.monotonic()
        except WarehouseError:
            self._seen_at = None
