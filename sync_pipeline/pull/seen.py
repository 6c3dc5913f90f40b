"""Which records a sweep has read already: a digest each, so that a long list stays small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash

# How many are held loosely before they are sorted in.
_LOOSE = 4_096


class Seen:
    """A set of texts and bytes that only grows, 16 bytes each.

    The digests lie in a few sorted runs, each at least twice as long as the next.
    """

    def __init__(self) -> None:
        self._loose: set[bytes] = set()
        self._runs: list[np.ndarray] = []
        self._many = 0

    def __len__(self) -> int:
        return self._many

    def add(self, marks: Sequence[str | bytes]) -> list[bool]:
        """Add ``marks``; return for each whether it was new."""
        digests = [_digest(mark) for mark in marks]
        known = self._among_runs(digests)
        if not any(known) and self._loose.isdisjoint(digests):
            before = len(self._loose)
            self._loose.update(digests)
            if len(self._loose) == before + len(digests):
                return self._counted([True] * len(digests))
            self._loose.difference_update(digests)
        is_new = []
        for digest, is_known in zip(digests, known, strict=True):
            is_new.append(not is_known and digest not in self._loose)
            if is_new[-1]:
                self._loose.add(digest)
        return self._counted(is_new)

    def holds(self, marks: Sequence[str | bytes]) -> list[bool]:
        """Return for each of ``marks`` whether it was added."""
        digests = [_digest(mark) for mark in marks]
        known = self._among_runs(digests)
        return [
            is_known or digest in self._loose
            for digest, is_known in zip(digests, known, strict=True)
        ]

    def _counted(self, is_new: list[bool]) -> list[bool]:
        self._many += sum(is_new)
        if len(self._loose) >= _LOOSE:
            self._sort_in()
        return is_new

    def _among_runs(self, digests: list[bytes]) -> list[bool]:
        if not self._runs:
            return [False] * len(digests)
        known = np.zeros(len(digests), dtype=bool)
        wanted = _sortable(digests)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, wanted), len(run) - 1)
            known |= run[places] == wanted
        listed: list[bool] = known.tolist()
        return listed

    def _sort_in(self) -> None:
        run = np.sort(_sortable(list(self._loose)))
        self._loose.clear()
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)


def _digest(mark: str | bytes) -> bytes:
    if isinstance(mark, str):
        return xxhash.xxh3_128_digest(mark.encode())
    # Bytes of a record without a key are no key, though they may read like one.
    return xxhash.xxh3_128_digest(mark, seed=1)


def _sortable(digests: list[bytes]) -> np.ndarray:
    # Compared without zeros at the end: no two digests differ in nothing else but by a miracle.
    return np.frombuffer(b"".join(digests), dtype="S16")
