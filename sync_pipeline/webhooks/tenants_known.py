"""What is known of each tenant, kept in memory: health checks are answered without the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from sqlalchemy import Connection

from sync_pipeline.warehouse.statements import statement

# A transaction that began earlier may be committed after one that was seen.
_OVERLAP = timedelta(minutes=10)


class Health(TypedDict):
    """The answer of the health route."""

    tenantName: str
    status: str | None
    isRunning: bool
    observedAt: str


@dataclass(slots=True)
class KnownTenants:
    """The tenants of the warehouse that are not deleted, by name."""

    _by_name: dict[str, Health] = field(default_factory=dict)
    _loaded_at: datetime = datetime.min.replace(tzinfo=UTC) + 2 * _OVERLAP

    def find(self, name: str) -> Health | None:
        """Return what is known of a tenant; None for one that is not known, or gone."""
        return self._by_name.get(name.strip().lower())

    def refresh(self, connection: Connection) -> None:
        """Take over what was loaded since the last time."""
        since = self._loaded_at - _OVERLAP
        rows = connection.execute(statement("tenants_known"), {"since": since}).mappings()
        for row in rows:
            self._loaded_at = max(self._loaded_at, row["loaded_at"])
            self._note(dict(row))

    def _note(self, row: Mapping[str, object]) -> None:
        name = str(row["tenant_name"])
        if row["deleted_at"] is not None:
            self._by_name.pop(name, None)
            return
        observed_at = row["observed_at"]
        assert isinstance(observed_at, datetime)  # noqa: S101 -- the column's type
        self._by_name[name] = Health(
            tenantName=name,
            status=None if row["status"] is None else str(row["status"]),
            isRunning=bool(row["is_running"]),
            observedAt=observed_at.isoformat(),
        )
