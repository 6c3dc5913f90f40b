"""What turns the records of one stream into the frame of its entity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import dropwhile

import msgspec
import pyarrow as pa
import xxhash

from sync_pipeline.entities import Entity
from sync_pipeline.mapping.fields import Field
from sync_pipeline.normalise.drift import Contract, Watch
from sync_pipeline.normalise.frame import NORMALISER_VERSION, Columns, Normalised, normalise
from sync_pipeline.normalise.leftovers import Leftovers
from sync_pipeline.records import Record


@dataclass(frozen=True, eq=False)
class Normaliser:
    """The fields of one API for one entity.

    ``derive`` makes the ``derived`` columns, which share a field with others, by ``tables`` of the
    mapping. ``scope_column`` is the column that holds the record's scope where the record itself
    does not say it. ``besides`` are members that are known and have no column; ``words`` are the
    enumerations of derived columns.
    """

    entity: Entity
    fields: Sequence[Field]
    derive: Callable[[Leftovers], Columns] | None = field(default=None, kw_only=True)
    derived: Sequence[Field] = field(default=(), kw_only=True)
    tables: tuple[object, ...] = field(default=(), kw_only=True)
    scope_column: str | None = field(default=None, kw_only=True)
    besides: frozenset[str] = field(default=frozenset(), kw_only=True)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        if any("." in path for path in self.key_field.paths):
            raise ValueError(f"the key of {self.entity.name} is to be a member of the record")
        columns = (f.column for f in self.fields)
        if "phone_country" in dropwhile(lambda column: column != "phone", columns):
            raise ValueError("a phone number is read with its country: put phone_country first")

    @cached_property
    def key_field(self) -> Field:
        """The field of the entity's key."""
        return next(f for f in self.fields if f.column == self.entity.key)

    @cached_property
    def version(self) -> int:
        """Part of every stored raw hash: with another mapping each record is looked at again."""
        mapping = (self.fields, self.derived, self.tables, self.scope_column)
        said = repr((NORMALISER_VERSION, self.entity.name, mapping))
        return xxhash.xxh3_64_intdigest(said.encode())

    @cached_property
    def contract(self) -> Contract:
        """What the records are known to hold."""
        paths = {path for f in (*self.fields, *self.derived) for path in f.paths}
        members = {path.partition(".")[0] for path in paths} | self.besides
        own = {f.column: tuple({*f.keywords.values()}) for f in self.fields if f.keywords}
        words = {name: pa.array(words, pa.string()) for name, words in (own | self.words).items()}
        return Contract(self.fields, frozenset(members), words)

    def recognises(self, raw: bytes) -> bool:
        """Tell whether the record has any member that a field reads."""
        try:
            members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeError):
            return False
        return any(
            path.partition(".")[0] in members
            for field in (*self.fields, *self.derived)
            for path in field.paths
        )

    def __call__(self, records: Iterable[Record]) -> Normalised:
        """Return the frame of ``records`` in canonical form, and those that break the contract."""
        watch = Watch(self.contract)
        normalised = normalise(self.entity, records, self.fields, self.derive, watch=watch)
        column = self.scope_column
        if column is None:
            return normalised
        frame = normalised.frame
        filled = frame[column].fillna(frame["scope"])
        return replace(normalised, frame=frame.assign(**{column: filled}))
