"""What turns the records of one stream into the frame of its entity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import xxhash

from sync_pipeline.entities import Entity
from sync_pipeline.mapping.fields import Field
from sync_pipeline.normalise.frame import NORMALISER_VERSION, Columns, Normalised, normalise
from sync_pipeline.normalise.leftovers import Leftovers
from sync_pipeline.records import Record


@dataclass(frozen=True, eq=False)
class Normaliser:
    """The fields of one API for one entity.

    ``derive`` makes the ``derived`` columns, which share a field with others. ``scope_column`` is
    the column that holds the record's scope where the record itself does not say it.
    """

    entity: Entity
    fields: Sequence[Field]
    derive: Callable[[Leftovers], Columns] | None = field(default=None, kw_only=True)
    derived: Sequence[Field] = field(default=(), kw_only=True)
    scope_column: str | None = field(default=None, kw_only=True)

    @cached_property
    def key_field(self) -> Field:
        """The field of the entity's key."""
        return next(f for f in self.fields if f.column == self.entity.key)

    @cached_property
    def version(self) -> int:
        """Part of every stored raw hash: with other fields each record is looked at again."""
        said = repr((NORMALISER_VERSION, self.entity.name, self.fields, self.scope_column))
        return xxhash.xxh3_64_intdigest(said.encode())

    def __call__(self, records: Iterable[Record]) -> Normalised:
        """Return the frame of ``records`` in canonical form, and those that break the contract."""
        normalised = normalise(self.entity, records, self.fields, self.derive)
        column = self.scope_column
        if column is None:
            return normalised
        frame = normalised.frame
        filled = frame[column].fillna(frame["scope"])
        return Normalised(frame.assign(**{column: filled}), normalised.rejects)
