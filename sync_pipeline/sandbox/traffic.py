"""How much the vendors' servers are asked, per API: counts, the most at once, the most a second."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rows import JsonObject
    from .wire import Request

_APIS = {"self-service": "crmcom", "backoffice": "crmcom", "rocs": "rocs", "rocs-login": "rocs"}


def api_of(request: Request) -> str:
    """Name the source whose budget the request is of."""
    return _APIS.get(request.segments[0], "rosaas")


class Traffic:
    """Counts of all sources since the start, or since it was told to forget."""

    def __init__(self) -> None:
        """Start with none."""
        self._of = {api: _Counts() for api in ("crmcom", "rocs", "rosaas")}

    def of(self, request: Request) -> _Counts:
        """Find the counts that a request belongs to."""
        return self._of[api_of(request)]

    def as_json(self) -> JsonObject:
        """Tell everything, by source."""
        return {api: counts.as_json() for api, counts in self._of.items()}

    def forget(self) -> None:
        """Count anew; what is in flight stays in flight."""
        for counts in self._of.values():
            counts.forget()


class _Counts:
    def __init__(self) -> None:
        self._in_flight = 0
        self.forget()

    def forget(self) -> None:
        self._requests = 0
        self._most_in_flight = self._in_flight
        self._statuses = Counter[int]()
        self._second, self._in_second, self._most_a_second = 0, 0, 0

    def begin(self) -> None:
        """Count a request that came."""
        self._requests += 1
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        self._most_a_second = max(self._most_a_second, self._in_second)

    def end(self, status: int) -> None:
        """Count its answer; status 0 for none."""
        self._in_flight -= 1
        self._statuses[status] += 1

    def as_json(self) -> JsonObject:
        """Tell the counts."""
        return {
            "requests": self._requests,
            "in_flight": self._in_flight,
            "most_in_flight": self._most_in_flight,
            "most_a_second": self._most_a_second,
            "answers": {str(status): count for status, count in sorted(self._statuses.items())},
        }
