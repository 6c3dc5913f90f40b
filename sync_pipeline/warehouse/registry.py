"""The contacts to read (`ops.contact_registry`): ids and access, never a credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from sync_pipeline.warehouse.statements import statement


def register_contacts(
    connection: Connection, contact_ids: Sequence[str], *, origin: str, seen_at: datetime
) -> None:
    """Add the ids that are new and note that all of them were seen."""
    # In one order everywhere, so that two registrations never wait for one another in a circle.
    ids = sorted(set(contact_ids))
    parameters = {"contact_ids": ids, "origin": origin, "seen_at": seen_at}
    connection.execute(statement("register_contacts"), parameters)


def note_access(connection: Connection, access: Mapping[str, str]) -> None:
    """Store what the API said about reading each contact: granted, denied or missing."""
    if access:
        parameters = {"contact_ids": list(access), "access": list(access.values())}
        connection.execute(statement("note_access"), parameters)


def count_contacts(connection: Connection) -> int:
    """Return how many contacts are registered."""
    return int(connection.execute(text("SELECT count(*) FROM ops.contact_registry")).scalar_one())
