"""The layout of SYNC_HOME, and the small files in it that say what is running."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sync_pipeline.operate.disk import writing


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below SYNC_HOME."""

    root: Path

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def logs(self) -> Path:
        """What the background processes print."""
        return self.root / "logs"

    @property
    def running(self) -> Path:
        """One file per process that this home started."""
        return self.root / "run"

    def make(self) -> None:
        """Create the folders; raise SetupError where that is impossible."""
        with writing(self.root):
            for folder in (self.root, self.dagster, self.logs, self.running):
                folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Let one process at a time do ``name``."""
        with writing(self.root):
            lock = (self.running / f"{name}.lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, slots=True)
class Running:
    """A process that this home started, told apart from a later one with the same number."""

    pid: int
    born_at: float
    facts: dict[str, str | int]

    def process(self) -> psutil.Process | None:
        """Return the process if it is still that one and alive."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.born_at) < 1
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def note_running(home: Home, name: str, pid: int, **facts: str | int) -> None:
    """Write down that process ``pid`` runs as ``name``."""
    noted = {"pid": pid, "born_at": psutil.Process(pid).create_time(), "facts": facts}
    path = home.running / f"{name}.json"
    write_whole(path, json.dumps(noted))


def write_whole(path: Path, text: str) -> None:
    """Write a small file of the home, whole or not at all; raise SetupError when refused."""
    # Renamed into place: a reader never meets half a file.
    draft = path.with_suffix(f".{os.getpid()}")
    with writing(path):
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def find_noted(home: Home, name: str) -> Running | None:
    """Return what was written down of ``name``, whether or not it still runs."""
    try:
        noted = json.loads((home.running / f"{name}.json").read_text(encoding="utf-8"))
        return Running(noted["pid"], noted["born_at"], noted["facts"])
    except (OSError, ValueError, KeyError):
        return None


def stop_running(home: Home, name: str, *, patience_s: float = 20.0) -> bool:
    """End ``name`` and what it started: asked first, killed after ``patience_s``."""
    noted = find_noted(home, name)
    process = noted.process() if noted else None
    if process is None:
        return False
    family = [process, *_children(process)]
    process.terminate()
    _await_end([process], patience_s)
    rest = [member for member in family if not _has_ended(member)]
    for member in rest:
        _kill(member)
    _await_end(rest, patience_s)
    return True


def _await_end(processes: list[psutil.Process], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and not all(map(_has_ended, processes)):
        time.sleep(0.05)


def _has_ended(process: psutil.Process) -> bool:
    # One that nobody reaps (in a container the first process may not) is over all the same.
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
