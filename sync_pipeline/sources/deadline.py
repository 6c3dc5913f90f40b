"""Until when a write may go out; looked at again when it has a connection, before its first byte.

A process may be stopped anywhere, and go on when others have long been free to write: what it was
about to send is not sent then. The clock goes on while the machine sleeps, and nobody can set it.
"""

from __future__ import annotations

import time

import httpx

SEND_BEFORE = "send_before"
"""The extension of a request that says until when it may go out, by `ticks`; None: at any time."""
_TICKING: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class LateError(httpx.TransportError):
    """The request is ready later than it may go out: it was not sent."""


def ticks() -> float:
    """Return the seconds since some moment, those that the machine slept among them."""
    return time.clock_gettime(_TICKING)


def is_pressing(request: httpx.Request) -> bool:
    """Tell whether the request may go out until some time only."""
    return request.extensions.get(SEND_BEFORE) is not None


def refuse_late(request: httpx.Request) -> None:
    """Raise LateError for a request whose time has passed."""
    if is_pressing(request) and ticks() > request.extensions[SEND_BEFORE]:
        raise LateError("not sent: it would have gone out too late", request=request)
