"""What the sandbox's own log says of the writes: the oracle for whatever a push promises.

Each value that a test asks for is of one update alone, so that a value in the log names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline_tests.push_rounds import Rounds
from sync_pipeline_tests.sandbox_process import Json

Field = tuple[str, str]
"""A record and a field of it."""
_ASKED = "SELECT entity_id, changes FROM push.updates WHERE changes <> '{}' ORDER BY id"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that arrived, or one late application of it (then not `is_sent`)."""

    record: str
    values: Mapping[str, object]
    is_applied: bool
    is_sent: bool


def findings(rounds: Rounds, owners: Mapping[object, int]) -> list[str]:
    """Return each promise about the contacts of CRM.COM that was broken, once nothing is due.

    ``owners`` tells which update asked for a value.
    """
    found = breaches(rounds.writes(), owners)
    states = Counter(rounds.states().values())
    if not states.keys() <= {"confirmed", "superseded"}:
        found.append(f"other states: {states}")
    truth = rounds.world(CRMCOM_CONTACTS)
    return found + [
        f"{name} of {record} is not the freshest value"
        for (record, name), value in freshest(rounds).items()
        if truth[record][name] != value
    ]


def freshest(rounds: Rounds) -> dict[Field, object]:
    """Return the value of each field that was asked for last."""
    last: dict[Field, object] = {}
    for row in rounds.rows(_ASKED):
        assert isinstance(row["changes"], dict)
        last |= {(str(row["entity_id"]), n): value for n, value in row["changes"].items()}
    return last


def breaches(log: Sequence[Json], owners: Mapping[object, int]) -> list[str]:
    """Return what in a log of writes breaks a promise."""
    newest: dict[Field, int] = {}
    held: dict[Field, object] = {}
    found = []
    for one in _sent_in(log):
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


def _sent_in(log: Sequence[Json]) -> list[Sent]:
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
