"""Ctrl-C, or being told to end, while an event loop works: all of the work is cancelled, as one.

Dagster's own handlers raise wherever the signal finds the main thread. Inside an event loop that is
in one of many tasks, and the others would wait for it for ever.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_interruptibly(work: Coroutine[None, None, T]) -> T:
    """Run ``work`` in an event loop; a signal is handled by its handler once the work is cancelled.

    What is not handled in Python, or not for this thread, is left as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number, handler in handlers.items() if callable(handler)]
    received: list[signal.Signals] = []

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()

        def end(number: signal.Signals) -> None:
            received.append(number)
            if task is not None:
                task.cancel()

        for number in handled:
            loop.add_signal_handler(number, end, number)
        return await work

    try:
        return asyncio.run(watched())
    finally:
        for number in handled:
            signal.signal(number, handlers[number])
        if received:
            # Its own handler says what follows; mostly it raises.
            signal.raise_signal(received[0])
