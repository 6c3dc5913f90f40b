"""A folder in memory for what tests write: their servers make and remove files by the thousand.

Only where there is room, and programs may be executed; else, or where TMPDIR is set, the disk.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 -- the folder in it is made for us alone
ROOM_BYTES = 4 * 1024**3
PREFIX = "sync-pipeline-tests-"


def is_wanted() -> bool:
    """Tell whether tests may write to memory, and nobody asked for another place."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    may_execute = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return may_execute and shutil.disk_usage(MEMORY).free > ROOM_BYTES


@contextmanager
def memory_folder(memory: Path = MEMORY) -> Iterator[Path]:
    """Make a folder until the end of the block; remove those of tests that were killed.

    Whose tests live is locked.
    """
    with ExitStack() as stack:
        with _locked(memory):
            for left in memory.glob(f"{PREFIX}*"):
                _remove_unless_locked(left)
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(_locked(folder))
        # Other accounts pass through it, to their servers.
        folder.chmod(0o711)
        yield folder


def _remove_unless_locked(folder: Path) -> None:
    try:
        with _locked(folder, fcntl.LOCK_NB):
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return


@contextmanager
def _locked(folder: Path, how: int = 0) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(opened)
