"""One line of JSON per request: which route and what came of it; no address, body, key or name."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

_FLUSH_EVERY_S = 0.5


class AccessLog:
    """Collects lines and writes them a few times a second: a write per request costs too much."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[str] = []

    def note(self, facts: Mapping[str, str | int | float | None]) -> None:
        """Add a line with the time to it."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        said = {name: value for name, value in facts.items() if value is not None}
        self._lines.append(json.dumps({"at": at} | said))

    async def work(self) -> None:
        """Write what was noted, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_EVERY_S)
            self.flush()

    def flush(self) -> None:
        """Write what was noted so far; what cannot be written is left out."""
        lines, self._lines = self._lines, []
        if lines:
            # On a full disk events are received all the same.
            with contextlib.suppress(OSError):
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
