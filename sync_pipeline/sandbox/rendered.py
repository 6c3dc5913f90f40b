"""Rows of one list as bytes: those of the pure world kept, changed ones made when asked for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Generic

from .listing import Listing, R

if TYPE_CHECKING:
    from collections.abc import Callable


class Rendered(Generic[R]):
    """What one call says of each row."""

    def __init__(self, listing: Listing[R], render: Callable[[R], bytes], kept: int) -> None:
        """Keep the bytes of so many rows."""
        self._listing = listing
        self._render = render
        # Of the pure world's rows alone, which never change.
        self._pure = lru_cache(maxsize=kept)(self._render_pure)

    def at(self, place: int) -> bytes:
        """Render the row at a place."""
        changed = self._listing.changed.get(place)
        return self._pure(place) if changed is None else self._render(changed)

    def window(self, start: int, stop: int) -> list[bytes]:
        """Render the rows from `start` up to `stop` in the list's order."""
        return [self.at(place) for place in self._listing.places(start, stop)]

    def _render_pure(self, place: int) -> bytes:
        return self._render(self._listing.row(place))
