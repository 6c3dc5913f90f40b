"""What is left of plain records while their fields are being taken out: columns of places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from sync_pipeline.normalise.leftovers import Taken
from sync_pipeline.normalise.plain import PlainRecords

_NULL = msgspec.Raw(b"null")
_BEGINS_NULL = ord("n")
_BEGINS_TRUTH = np.isin(np.arange(256), list(b"tf"))


class PlainLeftovers:
    """The same as `MemberLeftovers`, for records that were opened plainly."""

    def __init__(self, plain: PlainRecords) -> None:
        self._plain = plain
        self._place = {name: place for place, name in enumerate(plain.names)}
        self._is_left = plain.at >= 0
        self._rows = plain.at.shape[1]

    def take(self, paths: Sequence[str]) -> Taken:
        """Take the first of ``paths`` that there is out of all records."""
        name = next((path for path in paths if path in self._place), None)
        if name is None:
            nothing = pa.nulls(self._rows, pa.string())
            return Taken(lambda: [_NULL] * self._rows, paths[0], nothing)
        self._is_left[self._place[name]] = False
        return Taken(lambda: [raw or _NULL for raw in self.look_at(name)], name, self._words(name))

    def look_at(self, name: str) -> list[msgspec.Raw | None]:
        """Return the raw values of a member that stays; null where it is missing."""
        if name not in self._place:
            return [None] * self._rows
        at = self._plain.at[self._place[name]]
        raw = self._plain.values.take(pa.array(2 * at, mask=at < 0)).to_pylist()
        return [None if value is None else msgspec.Raw(value) for value in raw]

    def beyond(self, names: frozenset[str]) -> list[tuple[str, int, int]]:
        """Return the members that are left of other names."""
        at, begins = self._plain.at, self._plain.begins
        strange = [(name, place) for name, place in self._place.items() if name not in names]
        return [
            (name, int((at[place] >= 0).sum()), int(begins[at[place].max()]))
            for name, place in strange
            if self._is_left[place].any()
        ]

    def _words(self, name: str) -> pa.StringArray | None:
        at = self._plain.at[self._place[name]]
        begins = self._plain.begins[at]
        is_missing = at < 0
        if (_BEGINS_TRUTH[begins] & ~is_missing).any():
            return None
        is_missing |= begins == _BEGINS_NULL
        return self._plain.words.take(pa.array(2 * at, mask=is_missing)).view(pa.string())

    def give_back(self, taken: Taken, rows: Iterable[int]) -> None:
        """Put the raw values of ``rows`` back: their column could not keep them."""
        for row in rows:
            found = taken.found(row)
            if found is not None:
                self._is_left[self._place[found[0]], row] = True

    def attributes(self) -> pa.StringArray:
        """Return what is left of each record, its members in the order of their names."""
        members = np.where(self._is_left, 2 * self._plain.at + 2, -1)
        # Brackets around them: any one byte for each, to be written over. Where something is
        # left, the separator before its first member is the opening one.
        count = self._is_left.sum(axis=0)
        opening = np.where(count == 0, 0, -1)
        flat = np.vstack([opening, members, np.zeros(self._rows, np.int32)]).T.ravel()
        texts = self._plain.members.take(pa.array(flat[flat >= 0]))
        offsets = np.frombuffer(texts.buffers()[1], np.int32)[: len(texts) + 1]
        characters = np.array(np.frombuffer(texts.buffers()[2], np.uint8))
        ends = np.cumsum(np.maximum(count, 1) + 1)
        starts = np.append(0, ends[:-1])
        characters[offsets[:-1]] = ord(",")
        characters[offsets[starts]] = ord("{")
        characters[offsets[ends - 1]] = ord("}")
        bounds = offsets[np.append(0, ends)]
        return pa.StringArray.from_buffers(
            self._rows, pa.py_buffer(bounds), pa.py_buffer(characters)
        )
