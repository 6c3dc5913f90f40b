"""A signal whose handler raises, as Dagster's and the command line's do."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class ToldToEndError(BaseException):
    """What the handler raises."""


@contextmanager
def handled(number: signal.Signals) -> Iterator[None]:
    """Have the handler of a signal raise."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise ToldToEndError

    before = signal.signal(number, end)
    try:
        yield
    finally:
        signal.signal(number, before)


def tell(number: signal.Signals, *, after_s: float) -> None:
    """Send this process a signal a little later."""
    threading.Timer(after_s, os.kill, (os.getpid(), number)).start()
