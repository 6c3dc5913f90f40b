"""A list of records that can change: the places of the pure world, and what differs from it.

While nothing was inserted or deleted the order is a `range`, so a world that stands still costs
no memory and no more time than the pure one, whatever its size.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from .rows import Row, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Base(Generic[R]):
    """The pure list: how many rows, the row at a place, and the place of an id."""

    count: int
    row: Callable[[int], R]
    place: Callable[[str], int | None]


class Listing(Generic[R]):
    """Rows by place and by id; a row keeps its place for life, inserted ones get new places."""

    def __init__(self, base: Base[R]) -> None:
        """Start as the pure list."""
        self._base = base
        self._order: Sequence[int] = range(base.count)
        self._inserted: dict[str, int] = {}
        self._gone: set[int] = set()
        # Rows that are not those of the pure list, by place.
        self.changed: dict[int, R] = {}
        # Grows with each change.
        self.revision = 0
        self.next_place = base.count

    def __len__(self) -> int:
        return len(self._order)

    def places(self, start: int, stop: int) -> Sequence[int]:
        """Places of the rows from `start` up to `stop` in the list's order."""
        return self._order[start:stop]

    def row(self, place: int) -> R:
        """Give the row at a place, as it is now."""
        changed = self.changed.get(place)
        return self._base.row(place) if changed is None else changed

    def rows(self) -> Iterator[R]:
        """All rows in the list's order."""
        return map(self.row, self._order)

    def place(self, key: str) -> int | None:
        """Where the record with this id stands; None for an unknown or deleted one."""
        place = self._inserted.get(key)
        if place is None:
            place = self._base.place(key)
        return None if place is None or place in self._gone else place

    def has(self, place: int) -> bool:
        """Whether a row stands at this place."""
        return 0 <= place < self.next_place and place not in self._gone

    def find(self, key: str) -> R | None:
        """Find the row with this id."""
        place = self.place(key)
        return None if place is None else self.row(place)

    def sample(self, draw: Random) -> R | None:
        """Draw one row; None where there is none."""
        return self.row(self._order[draw.randrange(len(self))]) if len(self) else None

    def siblings(self, _row: R) -> int:
        """How many rows the list holds that this one is of."""
        return len(self)

    def insert(self, row: R, at: int | None = None) -> None:
        """Add a row before the `at`-th of the list, or at its end."""
        order = self._own_order()
        order.insert(len(order) if at is None else at, self.next_place)
        self._inserted[key_of(row)] = self.next_place
        self.changed[self.next_place] = row
        self.next_place += 1
        self.revision += 1

    def replace(self, row: R) -> None:
        """Put the row in the place of the one with its id, which must be there."""
        self.changed[self._standing(key_of(row))] = row
        self.revision += 1

    def remove(self, key: str) -> None:
        """Take the row with this id, which must be there, out of the list."""
        place = self._standing(key)
        self._own_order().remove(place)
        self.changed.pop(place, None)
        self._gone.add(place)
        self.revision += 1

    def copy(self) -> Listing[R]:
        """Give the list as it is now, for a reader that takes its time."""
        twin = Listing(self._base)
        twin._order = self._order if isinstance(self._order, range) else self._order[:]
        twin._inserted = dict(self._inserted)
        twin._gone = set(self._gone)
        twin.changed = dict(self.changed)
        twin.next_place = self.next_place
        return twin

    def _standing(self, key: str) -> int:
        place = self.place(key)
        if place is None:
            raise KeyError(key)
        return place

    def _own_order(self) -> array[int]:
        if not isinstance(self._order, array):
            self._order = array("q", self._order)
        return self._order
