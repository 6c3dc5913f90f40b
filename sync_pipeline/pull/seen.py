"""Which records a sweep has read already: a digest each, so that a long list stays small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import xxhash

# How many are held loosely before they are sorted in.
_LOOSE = 4_096
# A run of so many is joined with no other: that would take several times its memory meanwhile.
_LONG = 1 << 18
# What tells at a glance that most digests are in no run: a flag for each beginning that they have.
_BEGINNING_BITS = 22
_REST_BITS = np.uint64(64 - _BEGINNING_BITS)


@dataclass(frozen=True, slots=True)
class Run:
    """Digests in the order of their first halves; ``alike`` is how many share one at most.

    In halves, because numbers are compared many times as fast as bytes.
    """

    first: np.ndarray
    second: np.ndarray
    alike: int

    @classmethod
    def of(cls, digests: np.ndarray) -> Self:
        """Return the digests (two halves each) as a run."""
        first = digests[:, 0]
        order = np.argsort(first, kind="stable")
        first = first[order]
        alike = 1
        if (first[1:] == first[:-1]).any():
            alike = int(np.unique(first, return_counts=True)[1].max())
        return cls(first, digests[order, 1], alike)

    def __len__(self) -> int:
        return len(self.first)

    def joined(self, digests: np.ndarray) -> np.ndarray:
        """Return its digests with ``digests`` beside them."""
        return np.concatenate([np.column_stack([self.first, self.second]), digests])

    def holds(self, digests: np.ndarray) -> np.ndarray:
        """Return for each of the digests whether it is one of the run's."""
        places = np.searchsorted(self.first, digests[:, 0])
        known = np.zeros(len(digests), dtype=bool)
        for step in range(self.alike):
            at = np.minimum(places + step, len(self) - 1)
            known |= (self.first[at] == digests[:, 0]) & (self.second[at] == digests[:, 1])
        return known


class Seen:
    """A set of texts and bytes that only grows, 16 bytes each.

    The digests lie in a few sorted runs, each long or at least twice as long as the next. Beside
    these there are 4 MB once there is a run.
    """

    def __init__(self) -> None:
        self._loose: set[bytes] = set()
        self._runs: list[Run] = []
        self._is_begun = np.zeros(0, dtype=bool)
        self._many = 0

    def __len__(self) -> int:
        return self._many

    def add(self, marks: Sequence[str | bytes]) -> list[bool]:
        """Add ``marks``; return for each whether it was new."""
        digests = _digests(marks)
        known = self._among_runs(digests)
        if True not in known and self._loose.isdisjoint(digests):
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
        digests = _digests(marks)
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
        wanted = halves(digests)
        likely = np.flatnonzero(self._is_begun[wanted[:, 0] >> _REST_BITS])
        # In order, each is found near the one before: in memory that is at hand.
        likely = likely[np.argsort(wanted[likely, 0])]
        for run in self._runs:
            known[likely] |= run.holds(wanted[likely])
        listed: list[bool] = known.tolist()
        return listed

    def _sort_in(self) -> None:
        digests = halves(list(self._loose))
        self._loose.clear()
        if not self._runs:
            self._is_begun = np.zeros(1 << _BEGINNING_BITS, dtype=bool)
        self._is_begun[digests[:, 0] >> _REST_BITS] = True
        while self._runs and len(self._runs[-1]) < min(2 * len(digests), _LONG):
            digests = self._runs.pop().joined(digests)
        self._runs.append(Run.of(digests))


def halves(digests: Sequence[bytes]) -> np.ndarray:
    """Return digests of 16 bytes as two numbers each."""
    return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)


def _digests(marks: Sequence[str | bytes]) -> list[bytes]:
    # Bytes of a record without a key are no key, though they may read like one.
    return [
        xxhash.xxh3_128_digest(mark.encode())
        if isinstance(mark, str)
        else xxhash.xxh3_128_digest(mark, seed=1)
        for mark in marks
    ]
