"""The logs of the background processes, kept from growing without bound."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sync_pipeline.operate.disk import MIB, writing
from sync_pipeline.operate.home import Home

MOST_BYTES = 20 * MIB
"""Of one log; as much again is kept of what it held before."""


def cut_logs(home: Home, *, most_bytes: int = MOST_BYTES) -> None:
    """Begin each log anew that has become too long; the end of what it held goes to `NAME.log.1`.

    Copied and cut, not renamed: its process keeps the file open, and appends to it. A line that it
    writes in between is lost.
    """
    for path in home.logs.glob("*.log"):
        if path.stat().st_size > most_bytes:
            with writing(path):
                _keep_end(path, most_bytes)
                os.truncate(path, 0)


def _keep_end(path: Path, most_bytes: int) -> None:
    with path.open("rb") as log, path.with_suffix(".log.1").open("wb") as kept:
        log.seek(-most_bytes, os.SEEK_END)
        shutil.copyfileobj(log, kept)
