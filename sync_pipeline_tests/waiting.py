"""Waiting for what another thread or process is bound to do."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen; fail after a minute."""
    ends_at = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > ends_at:
            raise AssertionError("it never happened")
        time.sleep(0.02)
