"""Which processes belong to a cluster.

A pid file may outlive its server, and its number may by then belong to anybody. So every process of
a cluster carries a name in its command line that is made from the identity of the data folder (not
its path: a folder that was moved stays the same, a copy is another). Command lines are readable
where other facts about a process are not, such as its working folder in a container.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from sync_pipeline.errors import SetupError

GRACE_S: Final = 5.0
PID_FILE_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server's first process, as its pid file tells."""

    pid: int
    port: int
    is_ready: bool


def cluster_name(data: Path) -> str:
    """Return the name in the command lines of this cluster's processes."""
    identity = data.stat()
    return f"sync-{identity.st_dev:x}-{identity.st_ino:x}"


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the server that runs on this data, if any."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        pid, port = int(lines[0]), int(lines[3])
        name = cluster_name(data)
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if not is_member(pid, name):
        return None
    status = lines[PID_FILE_LINES - 1].strip() if len(lines) >= PID_FILE_LINES else ""
    return Postmaster(pid, port, is_ready=status == "ready")


def is_member(pid: int, name: str) -> bool:
    """Whether the process is a PostgreSQL of that cluster; a zombie is none any more."""
    try:
        command = psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return False
    if not command:
        return False
    program = Path(command[0].partition(":")[0]).name
    return program == "postgres" and name in " ".join(command)


def is_alive(pid: int) -> bool:
    """Whether the process still runs.

    Reaps it where it has become our child: in a container the first process inherits orphans, and
    PostgreSQL takes a zombie for a running server.
    """
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def stop_postmaster(pid: int, *, timeout_s: float) -> None:
    """Ask for a fast shutdown (roll back, checkpoint, exit) and wait for its end, with a bound."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + timeout_s
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def end_members(data: Path) -> bool:
    """End what is left of a cluster whose first process is gone; True when there was something.

    Left-over children hold the shared memory, and PostgreSQL refuses to start beside them. They
    have nothing to save: recovery starts from the files in any case.
    """
    name = cluster_name(data)
    left = members(name)
    had_any = bool(left)
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + GRACE_S
        while (left := members(name)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not left:
            return had_any
    raise SetupError(f"processes of an earlier PostgreSQL on {data} do not end: pids {left}")


def members(name: str) -> list[int]:
    """Return the pids of the cluster's processes."""
    return [pid for pid in psutil.pids() if is_member(pid, name)]
