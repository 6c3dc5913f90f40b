"""Members of records, taken out field by field; what nobody took is the row's `attributes`.

Popping first and auditing at the end is what keeps a new field of the source from being lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Protocol, cast

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sync_pipeline.normalise.opening import NUL, Members, members_of, nul_shown, object_of

_NULL = msgspec.Raw(b"null")
_NOTHING = (_NULL, msgspec.Raw(b'""'))
_VALUES = msgspec.json.Decoder(list[object])
# Sorted: then the hash of the content need not do it.
_ENCODER = msgspec.json.Encoder(order="sorted")
_NUL_ESCAPE = rb"\u0000"
# The last of them: a number beyond a float's range.
_NUMBERS = (int, float, bytes)


class Taken:
    """The raw values of one field, one per record (`null` where there is none).

    ``origins`` are the paths that they came from: one for all, or one per record. ``words`` are
    the same as `spelled` in one column, where all of the values are plain: texts without an
    escape, numbers, null.
    """

    def __init__(
        self,
        read: Callable[[], list[msgspec.Raw]],
        origins: str | list[str],
        words: pa.StringArray | None = None,
    ) -> None:
        self._read = read
        self._origins = origins
        self.words = words

    @property
    def raw(self) -> list[bytes | None]:
        """The raw values; null where there is none, or an empty text."""
        return [None if raw in _NOTHING else bytes(raw) for raw in self._raw]

    @cached_property
    def decoded(self) -> list[object]:
        """The values as Python objects; null where there is none."""
        try:
            return _VALUES.decode(self._joined)
        except msgspec.ValidationError:
            return [_decoded(bytes(raw)) for raw in self._raw]

    def spelled(self) -> list[object]:
        """Return the values as `decoded` does, but each number as text in its own spelling."""
        if self.words is not None:
            return cast("list[object]", self.words.to_pylist())
        return [
            value
            if value.__class__ is str or value is None
            else bytes(raw).decode()
            if value.__class__ in _NUMBERS
            else value
            for raw, value in zip(self._raw, self.decoded, strict=True)
        ]

    def rows_with_nul(self) -> set[int]:
        """Return the rows whose value holds U+0000."""
        if self.words is not None or b"\\" not in self._joined or _NUL_ESCAPE not in self._joined:
            return set()
        return {row for row, raw in enumerate(self._raw) if NUL.search(bytes(raw))}

    def count_missing(self) -> int:
        """Return how many rows hold no value."""
        if self.words is not None:
            empty: int = pc.sum(pc.equal(self.words, ""), min_count=0).as_py()
            return empty + int(self.words.null_count)
        values = self.decoded
        return values.count(None) + values.count("")

    def found(self, row: int) -> tuple[str, msgspec.Raw] | None:
        """Return the path and the raw value of a row; null where it holds none."""
        if self._raw[row] in _NOTHING:
            return None
        path = self._origins if isinstance(self._origins, str) else self._origins[row]
        return path, self._raw[row]

    @cached_property
    def _raw(self) -> list[msgspec.Raw]:
        return self._read()

    @cached_property
    def _joined(self) -> bytes:
        return b"[" + b",".join(self._raw) + b"]"


class Leftovers(Protocol):
    """What is left of each record, while its fields are being taken out."""

    def take(self, paths: Sequence[str]) -> Taken:
        """Take out of each record the first of ``paths`` that holds a value.

        A later path that says the same goes with it; one that says something else stays.
        """

    def look_at(self, name: str) -> Sequence[msgspec.Raw | None]:
        """Return the raw values of a member that stays; null where it is missing."""

    def beyond(self, names: frozenset[str]) -> Iterable[tuple[str, int, int]]:
        """Return the members that are left of other names: name, rows, a value's first byte."""

    def give_back(self, taken: Taken, rows: Iterable[int]) -> None:
        """Put the raw values of ``rows`` back: their column could not keep them."""

    def attributes(self) -> pa.StringArray:
        """Return what is left of each record as JSON that jsonb can hold (NUL escaped).

        Its members are in the order of their names.
        """


class MemberLeftovers:
    """`Leftovers` of records of any kind, member by member."""

    def __init__(self, records: Sequence[Members]) -> None:
        self._records = records
        self._nested: dict[str, list[Members]] = {}

    def take(self, paths: Sequence[str]) -> Taken:
        """Take the first of ``paths`` that holds a value out of each record."""
        first, *others = paths
        holders, name = self._holders(first)
        raw = [holder.pop(name, _NULL) for holder in holders]
        if not others:
            return Taken(lambda: raw, first)
        origins = [first] * len(raw)
        for path in others:
            holders, name = self._holders(path)
            for row, holder in enumerate(holders):
                value = holder.get(name)
                if value is None:
                    continue
                is_first = raw[row] in _NOTHING
                if is_first or value in _NOTHING or value == raw[row]:
                    del holder[name]
                if is_first and value not in _NOTHING:
                    raw[row], origins[row] = value, path
        return Taken(lambda: raw, origins)

    def look_at(self, name: str) -> Sequence[msgspec.Raw | None]:
        """Return the raw values of a member that stays."""
        return [record.get(name) for record in self._records]

    def beyond(self, names: frozenset[str]) -> list[tuple[str, int, int]]:
        """Return the members that are left of other names."""
        strange = [record for record in self._records if not names.issuperset(record)]
        rows = Counter(name for record in strange for name in record if name not in names)
        last = {name: raw for record in strange for name, raw in record.items()}
        return [(name, count, bytes(last[name])[0]) for name, count in rows.items()]

    def give_back(self, taken: Taken, rows: Iterable[int]) -> None:
        """Put the raw values of ``rows`` back."""
        for row in rows:
            found = taken.found(row)
            if found is not None:
                parent, _, name = found[0].rpartition(".")
                holders = self._nested[parent] if parent else self._records
                holders[row][name] = found[1]

    def attributes(self) -> pa.StringArray:
        """Return what is left of each record."""
        records = self._records
        if self._nested:
            records = [self._with_nested(row) for row in range(len(records))]
        encoded = map(_ENCODER.encode, records)
        shown = [nul_shown(text) if b"\\" in text else text for text in encoded]
        return pa.array(shown, pa.string())

    def _holders(self, path: str) -> tuple[Sequence[Members], str]:
        parent, _, name = path.rpartition(".")
        if not parent:
            return self._records, name
        if parent not in self._nested:
            self._nested[parent] = [_open_member(record, parent) for record in self._records]
        return self._nested[parent], name

    def _with_nested(self, row: int) -> Members:
        members = dict(self._records[row])
        for name, nested in self._nested.items():
            rest = nested[row]
            if rest:
                members[name] = object_of(rest)
        return members


def _open_member(record: Members, name: str) -> Members:
    raw = bytes(record.get(name, b""))
    opened = members_of(raw)
    if opened is not None or raw == b"null":
        del record[name]
    return opened or {}


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError:
        # A number beyond a float's range; no column but text takes one.
        return raw
