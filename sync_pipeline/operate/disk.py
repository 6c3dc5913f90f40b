"""What a disk refuses, in words: full, over quota, read-only, not ours; where, and what to do.

The decisions are functions of an error number, of a program's own words, or of how much space is
left. Only `space_of` and `scarcity` look at a disk.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync_pipeline.errors import SetupError

MIB: Final = 1024 * 1024
# PostgreSQL writes ahead in pieces of 16 MB and gives up when it cannot make the next one; it
# removes the unfinished piece, so that a full disk looks like this afterwards.
FULL_BELOW_BYTES: Final = 20 * MIB

_FREE_IT: Final = "free some space there (or set SYNC_HOME to a larger disk) and run again"
_CAUSES: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: ("the disk is full", _FREE_IT),
    errno.EDQUOT: ("the disk quota is used up", _FREE_IT),
    errno.EFBIG: (
        "a file may not grow further (limit on file size)",
        "raise the limit (ulimit -f) and run again",
    ),
    errno.EROFS: (
        "the disk is read-only",
        "mount it for writing, or set SYNC_HOME to a folder on another one",
    ),
    errno.EIO: ("the disk fails (input/output error)", "have it checked before running again"),
    errno.ENOENT: ("no folder can be made there", "set SYNC_HOME to a folder on a disk"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        ("no right to write", "give the present user that right, or set SYNC_HOME elsewhere"),
    ),
    **dict.fromkeys(
        (errno.EEXIST, errno.ENOTDIR),
        ("a file stands where a folder should be", "set SYNC_HOME to a folder, or move the file"),
    ),
}
# What may also be about something else than the disk is not read out of a program's words.
_READ_FROM_WORDS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@dataclass(frozen=True, slots=True)
class Space:
    """How much of a disk is left, in bytes."""

    total: int
    free: int

    def __str__(self) -> str:
        return f"{self.free // MIB:,} of {self.total // MIB:,} MB free"


def cause_in(said: str) -> int | None:
    """Return the number of the disk's error that a program speaks of (in the C locale)."""
    return next((number for number in _READ_FROM_WORDS if os.strerror(number) in said), None)


def in_words(number: int | None, where: Path) -> str | None:
    """Return one line: what the disk refuses, where, what to do; None for anything else."""
    if number is None or number not in _CAUSES:
        return None
    cause, remedy = _CAUSES[number]
    return f"SYNC_HOME cannot be written, {cause}: {where}; {remedy}"


def refusal(exc: OSError, where: Path) -> str | None:
    """Return one line when the error is about writing ``where`` or below; None otherwise."""
    named = exc.filename if isinstance(exc.filename, str | os.PathLike) else None
    place = where if named is None else Path(named)
    is_there = where in (place, *place.parents) or place in where.parents
    if exc.errno not in _READ_FROM_WORDS and not is_there:
        return None
    return in_words(exc.errno, place)


def full_in_words(space: Space, where: Path) -> str | None:
    """Return one line when so little is left that PostgreSQL gives up; None otherwise."""
    if space.free >= FULL_BELOW_BYTES:
        return None
    return f"the disk is full ({space}): {where}; {_FREE_IT}; what was committed is kept"


def space_of(path: Path) -> Space:
    """Return the space on the disk that holds ``path``, which may not exist yet."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    usage = shutil.disk_usage(existing)
    # A quota or a reserve may leave others less than there is; this is what we may use.
    return Space(usage.total, usage.free)


def scarcity(paths: Sequence[Path]) -> str | None:
    """Return one line about the first of the places whose disk is full; None when none is."""
    try:
        lines = (full_in_words(space_of(path), path) for path in paths)
        return next((line for line in lines if line), None)
    except OSError:
        return None  # whoever asks has a message of their own


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn what the disk refuses below ``where`` into a SetupError; other errors pass."""
    try:
        yield
    except OSError as exc:
        said = refusal(exc, where)
        if said is None:
            raise
        raise SetupError(said) from exc
