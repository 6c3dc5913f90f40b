"""Start one of the stack's processes in the background; what it prints goes to SYNC_HOME/logs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from sync_pipeline.operate.disk import writing
from sync_pipeline.operate.home import note_running
from sync_pipeline.operate.ready import Ready


def spawn(ready: Ready, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Run a module as the process that this home knows as ``name``.

    A module, not a script: where an installation puts its scripts is its own affair.
    """
    path = ready.home.logs / f"{name}.log"
    with writing(path):
        log = path.open("ab")
    with log:
        process = subprocess.Popen(  # noqa: S603 -- our own program and Dagster's
            [sys.executable, "-m", *arguments],
            env=ready.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for the stack, which stops its parts in order.
            start_new_session=True,
        )
    note_running(ready.home, name, process.pid)
    return process
