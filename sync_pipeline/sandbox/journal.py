"""What was written and changed, in order: kept in memory, and in a file where a folder is given.

One line of JSON per entry, named by the world that it belongs to, so that a sandbox of another
seed or size has a journal of its own. A last line that was torn by a kill is cut off: whoever
asked for that change got no answer.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .wire import encode

if TYPE_CHECKING:
    from pathlib import Path

    from .rows import JsonObject


class Journal:
    """Entries with ascending sequence numbers from 1."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what the file holds; without one, begin empty and forget at the end."""
        self._path = path
        self.entries: list[JsonObject] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.entries = _kept(path)
            self._file = path.open("ab", buffering=0)

    @classmethod
    def of_world(cls, folder: Path, seed: int, contacts: int) -> Journal:
        """Open the journal of one world in a folder, which is made if need be."""
        return cls(folder / f"changes-{seed}-{contacts}.jsonl")

    def append(self, entry: JsonObject) -> JsonObject:
        """Add an entry and give it with its number and its time."""
        at = datetime.fromtimestamp(time.time(), UTC).isoformat()
        numbered: JsonObject = {"seq": len(self.entries) + 1, "at": at, **entry}
        if self._path is not None:
            self._file.write(encode(numbered) + b"\n")
        self.entries.append(numbered)
        return numbered

    def after(self, seq: int) -> list[JsonObject]:
        """Entries with higher numbers."""
        return self.entries[max(seq, 0) :]


def _kept(path: Path) -> list[JsonObject]:
    """Read the whole lines, and cut the file behind them."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]
