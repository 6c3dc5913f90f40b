"""What the sandbox's own log says of the writes: the oracle for whatever a push promises.

Each value that a test asks for is of one update alone, so that a value in the log names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_pipeline_tests.sandbox_process import Json

Field = tuple[str, str]
"""A record and a field of it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that arrived, or one late application of it (then not `is_sent`)."""

    record: str
    values: Mapping[str, object]
    is_applied: bool
    is_sent: bool


def sent_in(log: Sequence[Json]) -> list[Sent]:
    """Return the writes of contacts in a log, in order."""
    return [
        Sent(
            record=str(entry["path"]).rpartition("/")[2],
            values=entry["fields"],
            is_applied=entry["is_applied"],
            # A late one has a second entry, when it is applied.
            is_sent=not (entry["fault"] == "late" and entry["is_applied"]),
        )
        for entry in log
    ]


def breaches(log: Sequence[Json], owners: Mapping[object, int]) -> list[str]:
    """Return what breaks a promise; ``owners`` tells which update asked for a value."""
    newest: dict[Field, int] = {}
    held: dict[Field, object] = {}
    found = []
    for one in sent_in(log):
        for name, value in one.values.items():
            field, update = (one.record, name), owners[value]
            if one.is_sent:
                if update < newest.get(field, 0):
                    found.append(f"{update} was sent after {newest[field]}, which is fresher")
                if held.get(field) == value:
                    found.append(f"{update} was sent although it was there")
                newest[field] = max(update, newest.get(field, 0))
            if one.is_applied:
                held[field] = value
    return found
