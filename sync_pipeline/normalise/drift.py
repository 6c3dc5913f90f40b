"""How the fields of a batch of records differ from what the mapping knows: counted, not kept.

Names, JSON types and numbers of rows; never a value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.records import Drift, FieldKind, Sighting

if TYPE_CHECKING:
    from sync_pipeline.normalise.leftovers import Leftovers, Taken

# Any other name may be a value in the place of a name (an address, a number of a person).
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,62}", re.ASCII)
ODD_NAME = "(a name of another kind)"
_TYPES = {
    ord('"'): "string",
    ord("{"): "object",
    ord("["): "array",
    ord("n"): "null",
} | dict.fromkeys(b"tf", "boolean")
_WORDS = frozenset({"string", "number"})
_ANY = frozenset({"string", "number", "boolean", "object", "array", "null"})
_READ_BY = {
    Form.BOOLEAN: _WORDS | {"boolean"},
    Form.INSTANT: frozenset({"string"}),
    Form.DAY_OF_INSTANT: frozenset({"string"}),
    Form.DAY_PARTS: frozenset({"object"}),
    Form.JSON: _ANY,
    Form.JSON_TEXT: _ANY,
}


@dataclass(frozen=True, slots=True)
class Contract:
    """What the records of a stream are known to hold.

    ``names`` are all members; ``enumerations`` are the canonical words by column.
    """

    fields: Sequence[Field]
    names: frozenset[str]
    enumerations: Mapping[str, pa.Array]


class Watch:
    """Looks at the fields of a batch while its columns are made."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._lost: Counter[str] = Counter()
        self._sightings: dict[tuple[FieldKind, str], Sighting] = {}

    def lost(self, column: Field, taken: Taken, rows: Iterable[int]) -> None:
        """Note the rows whose value the column could not keep."""
        read = _READ_BY.get(column.form, _WORDS)
        for row in rows:
            found = taken.found(row)
            if found is None:
                continue
            self._lost[column.column] += 1
            kind = json_type(bytes(found[1])[0])
            if kind not in read:
                self._note(FieldKind.RETYPED, found[0], Sighting(1, kind))

    def left(self, leftovers: Leftovers) -> None:
        """Note the members that nobody knows."""
        for name, rows, first in leftovers.beyond(self._contract.names):
            shown = name if _NAME.fullmatch(name) else ODD_NAME
            self._note(FieldKind.NEW, shown, Sighting(rows, json_type(first)))

    def drift(self, columns: Mapping[str, pa.Array | pa.ChunkedArray], rows: int) -> Drift:
        """Return what was noted, with what the finished columns tell."""
        for name, words in self._contract.enumerations.items():
            unknown = _count_beyond(columns[name], words)
            if unknown:
                self._note(FieldKind.UNKNOWN_VALUE, self._path(name), Sighting(unknown, "string"))
        present = {
            f.paths[0]: min(rows, rows - columns[f.column].null_count + self._lost[f.column])
            for f in self._contract.fields
        }
        return Drift(rows, present, self._sightings)

    def _path(self, column: str) -> str:
        return next((f.paths[0] for f in self._contract.fields if f.column == column), column)

    def _note(self, kind: FieldKind, name: str, sighting: Sighting) -> None:
        known = self._sightings.get((kind, name))
        self._sightings[kind, name] = known + sighting if known else sighting


def json_type(first: int) -> str:
    """Return the JSON type of a value by its first byte."""
    return _TYPES.get(first, "number")


def _count_beyond(column: pa.Array | pa.ChunkedArray, words: pa.Array) -> int:
    known = pc.sum(pc.is_in(column, words), min_count=0)
    return len(column) - int(column.null_count) - int(known.as_py())
