"""Members of records, taken out field by field; what nobody took is the row's `attributes`.

Popping first and auditing at the end is what keeps a new field of the source from being lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from sync_pipeline.normalise.opening import NUL, Members, members_of, nul_shown, object_of

_NOTHING = (b"null", b'""')
_VALUES = msgspec.json.Decoder(list[object])


@dataclass(frozen=True, slots=True)
class Taken:
    """The raw values of one field, one per record, and the path that each came from."""

    raw: list[bytes | None]
    paths: list[str]

    def decoded(self) -> list[object]:
        """Return the values as Python objects; null where there is none."""
        try:
            return _VALUES.decode(b"[" + b",".join(r or b"null" for r in self.raw) + b"]")
        except msgspec.ValidationError:
            return [_decoded(raw) for raw in self.raw]

    def spelled(self) -> list[object]:
        """Return the values as `decoded` does, but each number as text in its own spelling."""
        return [
            raw.decode() if raw and raw[:1] in b"-0123456789" else value
            for raw, value in zip(self.raw, self.decoded(), strict=True)
        ]

    def rows_with_nul(self) -> set[int]:
        """Return the rows whose value holds U+0000."""
        return {row for row, raw in enumerate(self.raw) if raw and NUL.search(raw)}


class Leftovers:
    """What is left of each record, while its fields are being taken out."""

    def __init__(self, records: Sequence[Members]) -> None:
        self._records = records
        self._nested: dict[str, list[Members | None]] = {}

    def take(self, paths: Sequence[str]) -> Taken:
        """Take out of each record the first of ``paths`` that holds a value.

        A later path that says the same goes with it; one that says something else stays.
        """
        raw: list[bytes | None] = [None] * len(self._records)
        found = [""] * len(self._records)
        for path in paths:
            for row, (holder, name) in enumerate(self._holders(path)):
                if holder is None or name not in holder:
                    continue
                value = bytes(holder[name])
                if value in _NOTHING or raw[row] in (None, value):
                    del holder[name]
                if value not in _NOTHING and raw[row] is None:
                    raw[row], found[row] = value, path
        return Taken(raw, found)

    def give_back(self, taken: Taken, rows: Iterable[int]) -> None:
        """Put the raw values of ``rows`` back: their column could not keep them."""
        for row in rows:
            raw, path = taken.raw[row], taken.paths[row]
            if raw is not None:
                parent, _, name = path.rpartition(".")
                holder = self._nested[parent][row] if parent else self._records[row]
                if holder is not None:
                    holder[name] = msgspec.Raw(raw)

    def attributes(self) -> list[str]:
        """Return what is left of each record as JSON that jsonb can hold (NUL escaped)."""
        return [self._attributes_of(row) for row in range(len(self._records))]

    def _holders(self, path: str) -> Iterator[tuple[Members | None, str]]:
        parent, _, name = path.rpartition(".")
        if not parent:
            return ((record, name) for record in self._records)
        if parent not in self._nested:
            self._nested[parent] = [_open_member(record, parent) for record in self._records]
        return ((nested, name) for nested in self._nested[parent])

    def _attributes_of(self, row: int) -> str:
        members = dict(self._records[row])
        for name, nested in self._nested.items():
            rest = nested[row]
            if rest:
                members[name] = object_of(rest)
        return nul_shown(bytes(object_of(members))).decode("utf-8")


def _open_member(record: Members, name: str) -> Members | None:
    raw = bytes(record.get(name, b""))
    opened = members_of(raw)
    if opened is not None or raw == b"null":
        del record[name]
    return opened


def _decoded(raw: bytes | None) -> object:
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except msgspec.ValidationError:
        # A number beyond a float's range; no column but text takes one.
        return raw
