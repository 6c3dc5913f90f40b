"""ROCS's activity as bytes: a contact's rows are rendered together, each changed one alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from . import render_rocs, rocs_ids

if TYPE_CHECKING:
    from .live import LiveWorld


class RenderedActivity:
    """What the list of activity says of each row."""

    def __init__(self, live: LiveWorld, kept: int) -> None:
        """Keep the bytes of so many contacts."""
        self._seed = live.seed
        self._rocs = live.pure.rocs
        self._listing = live.activity
        self._pure = lru_cache(maxsize=kept)(self._render_pure)

    def window(self, start: int, stop: int) -> list[bytes]:
        """Render the rows from `start` up to `stop` in the list's order."""
        return [self._at(place) for place in self._listing.places(start, stop)]

    def _at(self, place: int) -> bytes:
        changed = self._listing.changed.get(place)
        if changed is not None:
            return render_rocs.activities(self._seed, [changed])[0]
        index, ordinal = rocs_ids.activity_place(self._seed, place)
        return self._pure(index)[ordinal]

    def _render_pure(self, index: int) -> tuple[bytes, ...]:
        return render_rocs.activities(self._seed, self._rocs.activities(index))
