"""Changes the world and writes it down, in this order of facts: decided, noted, applied.

The noted line is what a restart replays, so nothing is applied that was not noted.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from .changes import Change, change_asked
from .unrest import random_change

if TYPE_CHECKING:
    from collections.abc import Callable

    from .journal import Journal
    from .live import LiveWorld
    from .rows import JsonObject, JsonValue

_RANDOM, _ASKED = "random", "asked"
_OF_CHANGE = tuple(field.name for field in fields(Change))


class Keeper:
    """One world with its journal."""

    def __init__(self, live: LiveWorld, journal: Journal) -> None:
        """Make the changes that the journal holds."""
        self.live = live
        self.journal = journal
        # Told of each change that is made from now on.
        self.listener: Callable[[JsonObject], None] | None = None
        self._made = 0
        for entry in journal.entries:
            self._made += entry["cause"] == _RANDOM
            if entry["is_applied"]:
                live.apply(Change(**{name: entry[name] for name in _OF_CHANGE}))  # type: ignore[arg-type] # as it was written

    def change(self, change: Change, cause: str, **also: JsonValue) -> JsonObject:
        """Make one change that was decided on the world as it is; give its entry."""
        entry = self.journal.append(
            {"cause": cause, "is_applied": True, **_as_json(change), **also}
        )
        self.live.apply(change)
        if self.listener is not None:
            self.listener(entry)
        return entry

    def note(self, change: Change | None, cause: str, **also: JsonValue) -> JsonObject:
        """Write down what was asked for and is not made, here or now."""
        decided = dict.fromkeys(_OF_CHANGE) if change is None else _as_json(change)
        return self.journal.append({"cause": cause, "is_applied": False, **decided, **also})

    def change_as_asked(self, asked: JsonValue) -> JsonObject:
        """Make one change that somebody asks for; raises BadChangeError."""
        return self.change(change_asked(self.live, asked), _ASKED)

    def change_at_random(self) -> JsonObject | None:
        """Make the next of the changes that come by themselves; None where nothing is left."""
        change = random_change(self.live, self._made + 1)
        if change is None:
            return None
        self._made += 1
        return self.change(change, _RANDOM)


def _as_json(change: Change) -> JsonObject:
    return {name: getattr(change, name) for name in _OF_CHANGE}
