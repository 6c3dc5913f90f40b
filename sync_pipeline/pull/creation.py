"""The order of creation, as the rows of a list show it: what `tail_first` rests on.

They show it by their creation times; where they have none, by ids that are whole numbers, which a
source counts upward. In order through a whole list, these are no more a coincidence than times.

Pages are looked at from the last to the first. A deletion between two requests moves rows to an
earlier page, so that two pages may overlap; a row can only be lost to a reader who goes backwards
where the last row of a page and the first row of the page after it were created at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter

import msgspec

from sync_pipeline.entities import Stream
from sync_pipeline.mapping.fields import Form
from sync_pipeline.normalise.scalars import instant, instant_of_epoch
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.swept import Mark

CREATED_AT = "source_created_at"


class CreationTimes:
    """Reads when records were created, from the first of some members that says it."""

    def __init__(self, *names: str, form: Form) -> None:
        slots = [f"member_{position}" for position, _ in enumerate(names)]
        struct = msgspec.defstruct(
            "Created",
            [(slot, str | int | float | None, None) for slot in slots],
            rename=dict(zip(slots, names, strict=True)),
        )
        self._all = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type] # made at run time
        self._members = attrgetter(*slots)
        self._read = _READERS[form]

    def of_all(self, raws: Sequence[bytes]) -> list[datetime] | None:
        """Return when each of ``raws`` was created; None where one of them does not say."""
        try:
            decoded = self._all.decode(b"[" + b",".join(raws) + b"]")
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        times = []
        for found in map(self._members, decoded):
            members = found if isinstance(found, tuple) else (found,)
            said = next((member for member in members if member is not None), None)
            created_at = None if said is None else self._read(said)
            if created_at is None:
                return None
            times.append(created_at)
        return times


def _instant(said: object) -> datetime | None:
    return instant(said) if isinstance(said, str) else None


_READERS: dict[Form, Callable[[object], datetime | None]] = {
    Form.EPOCH: instant_of_epoch,
    Form.INSTANT: _instant,
}


@cache
def creation_times(stream: Stream) -> CreationTimes | None:
    """Return what reads the creation time of the stream's records; None where none has one."""
    fields = [field for field in NORMALISERS[stream].fields if field.column == CREATED_AT]
    return CreationTimes(*fields[0].paths, form=fields[0].form) if fields else None


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    began_at: float
    marks: Sequence[Mark]


@dataclass(slots=True)
class CreationOrder:
    """Whether the pages of one pass, from the last to the first, confirm a strict order.

    ``steps_back`` is how often a page may be read again to see what a deletion moved.
    """

    created_of: CreationTimes | None
    steps_back: int = 0
    is_shown: bool = field(default=True, init=False)
    _is_by_id: bool | None = field(default=None, init=False)
    _after: _Page | None = field(default=None, init=False)

    def begin_anew(self) -> None:
        """Forget the page after the next one: they are not one way down."""
        self._after = None

    def next_after(self, number: int, records: Sequence[bytes], marks: Sequence[Mark]) -> int:
        """Take page ``number`` into account; return the page to read next.

        That is the one before, or the one after it again: one row moved between the two, and only
        another look tells whether a deletion moved it, or one that was created with it.
        """
        times = self._times(records, marks) if self.is_shown else None
        if times is None or times != sorted(times):
            self.is_shown = False
            return number - 1
        if not times:
            return number - 1
        after, self._after = self._after, _Page(number, times[0], marks)
        if after is None or after.number != number + 1:
            return number - 1
        if times[-1] == after.began_at and marks[-1] == after.marks[0] and self.steps_back:
            self.steps_back -= 1
            self._after = None
            return number + 1
        self.is_shown = times[0] < after.began_at and _has_moved(times, marks, after)
        return number - 1

    def _times(self, records: Sequence[bytes], marks: Sequence[Mark]) -> list[float] | None:
        """Return what tells the order, by creation times or throughout by ids; None if nothing."""
        if self._is_by_id:
            return _numbers(marks)
        times = self.created_of.of_all(records) if self.created_of else None
        if records and self._is_by_id is None:
            self._is_by_id = times is None
            return _numbers(marks) if times is None else _seconds(times)
        return None if times is None else _seconds(times)


def _seconds(times: list[datetime]) -> list[float]:
    return [at.timestamp() for at in times]


def _numbers(marks: Sequence[Mark]) -> list[float] | None:
    texts = [mark for mark in marks if isinstance(mark, str) and mark]
    joined = "".join(texts)
    is_each_one = (
        len(texts) == len(marks) and joined.isascii() and (joined.isdecimal() or not texts)
    )
    return list(map(int, texts)) if is_each_one else None


def _has_moved(times: list[float], marks: Sequence[Mark], after: _Page) -> bool:
    """Tell whether what is not older than the page after it has moved here from there.

    Of exactly one such row, created with the first one there, it cannot be told.
    """
    if times[-1] < after.began_at:
        return True
    moved = [m for at, m in zip(times, marks, strict=True) if at >= after.began_at]
    return times[-1] > after.began_at and set(moved) <= set(after.marks)
