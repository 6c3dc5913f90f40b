"""Members of records, taken out field by field; what nobody took is the row's `attributes`.

Popping first and auditing at the end is what keeps a new field of the source from being lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

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

    ``origins`` are the paths that they came from: one for all, or one per record.
    """

    def __init__(self, raw: list[msgspec.Raw], origins: str | list[str]) -> None:
        self._raw = raw
        self._origins = origins
        self._joined = b"[" + b",".join(raw) + b"]"
        self._values: list[object] | None = None

    @property
    def raw(self) -> list[bytes | None]:
        """The raw values; null where there is none, or an empty text."""
        return [None if raw in _NOTHING else bytes(raw) for raw in self._raw]

    def decoded(self) -> list[object]:
        """Return the values as Python objects; null where there is none."""
        if self._values is None:
            try:
                self._values = _VALUES.decode(self._joined)
            except msgspec.ValidationError:
                self._values = [_decoded(bytes(raw)) for raw in self._raw]
        return self._values

    def spelled(self) -> list[object]:
        """Return the values as `decoded` does, but each number as text in its own spelling."""
        return [
            value
            if value.__class__ is str or value is None
            else bytes(raw).decode()
            if value.__class__ in _NUMBERS
            else value
            for raw, value in zip(self._raw, self.decoded(), strict=True)
        ]

    def rows_with_nul(self) -> set[int]:
        """Return the rows whose value holds U+0000."""
        if b"\\" not in self._joined or _NUL_ESCAPE not in self._joined:
            return set()
        return {row for row, raw in enumerate(self._raw) if NUL.search(bytes(raw))}

    def count_missing(self) -> int:
        """Return how many rows hold no value."""
        values = self.decoded()
        return values.count(None) + values.count("")

    def found(self, row: int) -> tuple[str, msgspec.Raw] | None:
        """Return the path and the raw value of a row; null where it holds none."""
        if self._raw[row] in _NOTHING:
            return None
        path = self._origins if isinstance(self._origins, str) else self._origins[row]
        return path, self._raw[row]


class Leftovers:
    """What is left of each record, while its fields are being taken out."""

    def __init__(self, records: Sequence[Members]) -> None:
        self._records = records
        self._nested: dict[str, list[Members]] = {}

    def take(self, paths: Sequence[str]) -> Taken:
        """Take out of each record the first of ``paths`` that holds a value.

        A later path that says the same goes with it; one that says something else stays.
        """
        first, *others = paths
        holders, name = self._holders(first)
        raw = [holder.pop(name, _NULL) for holder in holders]
        if not others:
            return Taken(raw, first)
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
        return Taken(raw, origins)

    def look_at(self, name: str) -> list[msgspec.Raw | None]:
        """Return the raw values of a member that stays; null where it is missing."""
        return [record.get(name) for record in self._records]

    def give_back(self, taken: Taken, rows: Iterable[int]) -> None:
        """Put the raw values of ``rows`` back: their column could not keep them."""
        for row in rows:
            found = taken.found(row)
            if found is not None:
                parent, _, name = found[0].rpartition(".")
                holders = self._nested[parent] if parent else self._records
                holders[row][name] = found[1]

    def attributes(self) -> list[bytes]:
        """Return what is left of each record as JSON that jsonb can hold (NUL escaped).

        Its members are in the order of their names.
        """
        records = self._records
        if self._nested:
            records = [self._with_nested(row) for row in range(len(records))]
        encoded = map(_ENCODER.encode, records)
        return [nul_shown(text) if b"\\" in text else text for text in encoded]

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
