"""Whether the requests that a source is allowed can hold the staleness bound, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sync_pipeline.entities import ROCS_CONTACTS, STREAMS, Stream
from sync_pipeline.pull.horizon import horizon
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.due import Depth, DueQuery, Effort, depth_of, effort_of
from sync_pipeline.warehouse.progress import Due


@dataclass(frozen=True, slots=True)
class Pace:
    """What one source has to be asked within the bound, by stream, and what it may be asked."""

    source: str
    efforts: Mapping[str, Effort]
    bound: timedelta
    allowed: float
    """Requests per second."""

    @property
    def needed(self) -> float:
        """Requests per second that hold the bound; what was never measured takes one each."""
        once = sum(
            effort.contacts * (effort.requests_each or 1) for effort in self.efforts.values()
        )
        return once / self.bound.total_seconds()

    @property
    def is_enough(self) -> bool:
        """Whether the bound can be held."""
        return self.needed <= self.allowed

    @property
    def said(self) -> str:
        """Both rates in words, and what to do about them."""
        hours = self.bound.total_seconds() / 3600
        holds = f"{_rate(self.needed)} requests/s hold the bound of {hours:g} h at {self.source}"
        allows = f"{self.source.upper()}_REQUESTS_PER_SECOND allows {self.allowed:g}"
        if self.is_enough:
            return f"{holds}; {allows}"
        oldest = hours * self.needed / self.allowed
        parts = [
            f"{name}: {effort.contacts:,} contacts, {effort.requests_each or 1:.1f} requests each"
            for name, effort in self.efforts.items()
        ]
        return (
            f"{holds} ({'; '.join(parts)}), but {allows}: readings will be up to {oldest:.0f} h "
            f"old. Raise it or STALENESS_BOUND_HOURS, or register fewer contacts"
        )


def _rate(per_second: float) -> str:
    return f"{per_second:,.2f}" if per_second >= 0.005 else "less than 0.01"  # noqa: PLR2004 -- rounds to 0.01


def is_fan_out(stream: Stream, settings: Settings) -> bool:
    """Tell whether the stream is read contact by contact, as it is set up."""
    rocs = settings.rocs
    is_by_lookup = rocs is not None and rocs.contacts_mode == "lookup"
    return stream.is_fan_out and (stream != ROCS_CONTACTS or is_by_lookup)


def pace_of(
    connection: Connection, source: str, settings: Settings, *, now: datetime
) -> Pace | None:
    """Return the pace of a source; None where it is off or reads nothing contact by contact."""
    politeness = settings.of_source(source)
    streams = [s for s in STREAMS.values() if s.source == source and is_fan_out(s, settings)]
    if politeness is None or not streams:
        return None
    efforts = {str(stream): effort_of(connection, stream, now=now) for stream in streams}
    bound = timedelta(hours=settings.staleness_bound_hours)
    return Pace(source, efforts, bound, politeness.requests_per_second)


def waiting_of(
    connection: Connection, stream: Stream, settings: Settings, *, now: datetime
) -> Depth:
    """Return how many contacts of a fan-out are due by their own time."""
    bound = timedelta(hours=settings.staleness_bound_hours)
    return depth_of(connection, DueQuery(stream, Due(now), horizon(now, bound)))
