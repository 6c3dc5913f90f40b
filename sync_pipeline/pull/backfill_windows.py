"""Which spans of creation time are asked for: pure values, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

# Before it, nothing that is synced here was created.
FIRST_DAY = date(2000, 1, 1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Instants from ``since`` on (included) to ``until`` (excluded), aware; None: no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant lies in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def in_whole_seconds(self) -> Window:
        """Return the smallest window of whole seconds that holds it: filters know no less."""
        since = self.since and self.since.replace(microsecond=0)
        until = self.until and -(-(self.until - _EPOCH) // _SECOND) * _SECOND + _EPOCH
        return Window(since, until)

    def __str__(self) -> str:
        """Return it as an ISO 8601 interval; two dots where it has no bound."""
        bounds = (self.since, self.until)
        return "/".join(at.astimezone(UTC).isoformat() if at else ".." for at in bounds)


@dataclass(frozen=True, slots=True)
class Backfill:
    """What was created in ``windows``, which neither meet nor overlap, and are in order.

    ``origin`` names the first attempt at it: progress is kept under that name, and gone on with.
    Without one there is nothing to go on with.
    """

    windows: tuple[Window, ...]
    origin: str | None = None

    @property
    def words(self) -> str:
        """The windows as text: the same for the same days."""
        return " ".join(map(str, self.windows))

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant lies in one of the windows."""
        return any(window.holds(at) for window in self.windows)


def windows_of(days: Iterable[date]) -> tuple[Window, ...]:
    """Return the windows of some days (UTC), one for each run of days that follow one another."""
    windows: list[Window] = []
    for day in sorted(set(days)):
        begins = datetime.combine(day, time(), tzinfo=UTC)
        if windows and windows[-1].until == begins:
            windows[-1] = Window(windows[-1].since, begins + _DAY)
        else:
            windows.append(Window(begins, begins + _DAY))
    return tuple(windows)
