"""What a change that somebody asks for comes to, in a world as it is; nothing is changed here.

A change as asked for, in the names of `/_sandbox/world/<entity>`:

    {"source": "crmcom", "entity": "communications", "action": "update",
     "id": "…", "fields": {"is_viewed": true, "viewed_at": "2026-02-03T04:05:06+00:00"}}

`source` may be left out where one source alone has the entity. `insert` makes a record up and puts
`fields` (and `id`) over it, at the end of its list, or with `"backdated": true` before the end;
`delete` takes neither. Of `attributes` the members given are replaced, the others stay.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .chance import chance
from .coherence import settled
from .columns import BadChangeError, with_columns
from .newborn import newborn
from .rows import ENTITIES, Communication, as_json_object, key_name, key_of

if TYPE_CHECKING:
    from datetime import datetime

    from .live import LiveWorld, Name
    from .rows import JsonObject, JsonValue, Row

_WORDS = ("source", "entity", "action", "id", "fields", "backdated")
_ATTEMPTS = 50
_ACTIONS = ("insert", "update", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record's change; the columns that differ, before and after (all of them at its ends)."""

    source: str
    entity: str
    action: str
    id: str
    before: JsonObject | None
    after: JsonObject | None
    # Before which row of its list an inserted one stands.
    place: int | None = None


def change_asked(live: LiveWorld, asked: JsonValue) -> Change:
    """Decide what was asked for; raises BadChangeError."""
    if not isinstance(asked, dict):
        raise BadChangeError("a change is an object")
    for word in asked:
        if word not in _WORDS:
            raise BadChangeError(f"{word!r} is no part of a change; there are {', '.join(_WORDS)}")
    name = _name(live, asked)
    fields, key = asked.get("fields", {}), asked.get("id")
    if not isinstance(fields, dict):
        raise BadChangeError("fields is an object")
    if key is not None and not isinstance(key, str):
        raise BadChangeError("id is text")
    match asked.get("action"):
        case "insert":
            return insertion(live, name, key, fields, is_backdated=asked.get("backdated") is True)
        case "update" if key:
            return update(live, name, key, fields)
        case "delete" if key:
            return deletion(live, name, key)
        case "update" | "delete":
            raise BadChangeError("id is missing")
    raise BadChangeError(f"action is one of {', '.join(_ACTIONS)}")


def update(live: LiveWorld, name: Name, key: str, fields: JsonObject) -> Change:
    """Decide an update of some columns; raises BadChangeError."""
    row = _standing(live, name, key)
    for fixed in ("source", key_name(type(row)), "contact_id"):
        if fixed in fields:
            raise BadChangeError(f"{fixed} cannot change")
    return replaced(row, _changed(row, fields))


def replaced(row: Row, new: Row) -> Change:
    """Decide an update to a row that is made already."""
    old, now = as_json_object(row), as_json_object(new)
    differing = [column for column in old if old[column] != now[column]]
    return Change(
        source=row.source,
        entity=entity_of(row),
        action="update",
        id=key_of(row),
        before={column: old[column] for column in differing},
        after={column: now[column] for column in differing},
    )


def deletion(live: LiveWorld, name: Name, key: str) -> Change:
    """Decide a deletion; raises BadChangeError."""
    row = _standing(live, name, key)
    whole = as_json_object(row)
    return Change(source=name[0], entity=name[1], action="delete", id=key, before=whole, after=None)


def insertion(
    live: LiveWorld, name: Name, key: str | None, fields: JsonObject, *, is_backdated: bool = False
) -> Change:
    """Decide an insert; raises BadChangeError."""
    contact_id = fields.get("contact_id")
    if name == ("rocs", "contacts") and is_backdated and key is None:
        key = _free_id(live)
    row = newborn(live, name, str(contact_id) if contact_id else None)
    if key is not None:
        row = with_columns(row, {key_name(type(row)): key})
    given = {column: value for column, value in fields.items() if column != "contact_id"}
    row = _changed(row, given)
    return inserted(live, row, is_backdated=is_backdated, is_dated="source_created_at" in given)


def inserted(
    live: LiveWorld, row: Row, *, is_backdated: bool = False, is_dated: bool = False
) -> Change:
    """Decide the insert of a row that is made already; raises BadChangeError for an id in use."""
    name = (row.source, entity_of(row))
    if live.tables()[name].find(key_of(row)) is not None:
        raise BadChangeError(f"there is a record {key_of(row)!r} already")
    at: int | None = None
    if name == ("crmcom", "communications") and isinstance(row, Communication):
        row, at = _dated(live, row, is_backdated=is_backdated and not is_dated)
    elif name == ("rocs", "contacts"):
        at = _place_by_id(live, key_of(row))
    elif is_backdated:
        draw = chance(live.seed, "backdated", key_of(row))
        at = draw.randrange(max(live.tables()[name].siblings(row), 1))
    return Change(
        source=name[0],
        entity=name[1],
        action="insert",
        id=key_of(row),
        before=None,
        after=as_json_object(row),
        place=at,
    )


def entity_of(row: Row) -> str:
    """Which entity the row is of."""
    return next(entity for entity, kind in ENTITIES.items() if isinstance(row, kind))


def _free_id(live: LiveWorld) -> str | None:
    """Find an id of ROCS before the last contact's that no contact has; None where none is free."""
    contacts = live.rocs_contacts
    draw = chance(live.seed, "backdated", contacts.next_place)
    for at in draw.sample(range(len(contacts) - 1), k=min(len(contacts) - 1, _ATTEMPTS)):
        free = str(int(contacts.row(contacts.places(at, at + 1)[0]).contact_id) + 1)
        if contacts.find(free) is None:
            return free
    return None


def _place_by_id(live: LiveWorld, key: str) -> int:
    """Find the place in ROCS's list of contacts, which is in the order of ids."""
    contacts = live.rocs_contacts
    places = contacts.places(0, len(contacts))
    return bisect_right(places, int(key), key=lambda place: int(contacts.row(place).contact_id))


def _dated(
    live: LiveWorld, row: Communication, *, is_backdated: bool
) -> tuple[Communication, int | None]:
    """Find the place by time of creation; a backdated one without a time takes one of the past."""
    contact = live.contacts.place(row.contact_id)
    rows = () if contact is None else live.communications.rows(contact)
    created = [_created(other) for other in rows]
    if is_backdated and created:
        draw = chance(live.seed, "backdated", row.communication_id)
        # Next to one of its instant, so that its place does not hang on how instants fell.
        before = draw.randrange(len(created))
        row, at = replace(row, source_created_at=created[before]), before + 1
    else:
        at = bisect_right(created, _created(row))
    return row, None if at == len(rows) else at


def _created(row: Communication) -> datetime:
    if row.source_created_at is None:
        raise BadChangeError("source_created_at cannot be null")
    return row.source_created_at


def _changed(row: Row, fields: JsonObject) -> Row:
    members = fields.get("attributes", {})
    if not isinstance(members, dict):
        raise BadChangeError("attributes is an object")
    given = {column: value for column, value in fields.items() if column != "attributes"}
    changed = with_columns(row, given)
    return settled(replace(changed, attributes=row.attributes | members), given)


def _standing(live: LiveWorld, name: Name, key: str) -> Row:
    row = live.tables()[name].find(key)
    if row is None:
        raise BadChangeError(f"there is no record {key!r} in {name[0]}/{name[1]}")
    return row


def _name(live: LiveWorld, asked: JsonObject) -> Name:
    entity, source = asked.get("entity"), asked.get("source")
    names = [name for name in live.tables() if name[1] == entity and source in (None, name[0])]
    if not names:
        raise BadChangeError(f"there is no {entity!r} of source {source!r}")
    if len(names) > 1:
        raise BadChangeError(f"source is missing: {entity} are of more than one")
    return names[0]
