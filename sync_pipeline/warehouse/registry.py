"""The contacts to read (`ops.contact_registry`): ids and access, never a credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def register_external_ids(connection: Connection, *, source: str, seen_at: datetime) -> None:
    """Add the ids by which the contacts of another source are known at CRM.COM."""
    parameters = {"source": source, "seen_at": seen_at}
    connection.execute(statement("register_external_ids"), parameters)


def note_access(
    connection: Connection,
    access: Mapping[str, str],
    *,
    changed: Mapping[str, datetime] | None = None,
) -> None:
    """Store what the API said about reading each contact: granted, denied or missing.

    ``changed`` names contacts that something told to have changed, and when: what was read of them
    before is due at once, in every stream.
    """
    hinted = changed or {}
    ids = list(access.keys() | hinted.keys())
    if ids:
        parameters = {
            "contact_ids": ids,
            "access": [access.get(contact_id) for contact_id in ids],
            "hinted_at": [hinted.get(contact_id) for contact_id in ids],
        }
        connection.execute(statement("note_access"), parameters)


def count_contacts(connection: Connection) -> int:
    """Return how many contacts are registered."""
    return int(connection.execute(text("SELECT count(*) FROM ops.contact_registry")).scalar_one())


@dataclass(frozen=True, slots=True)
class Identifiers:
    """By what a person whom CRM.COM knows may be found elsewhere."""

    contact_id: str | None = None
    """The id at the other source, where an earlier reading brought it."""
    email: str | None = None
    phone: str | None = None


def known_identifiers(connection: Connection, crmcom_id: str, *, source: str) -> Identifiers:
    """Return by what to look for a contact of CRM.COM at another source."""
    parameters = {"contact_id": crmcom_id, "source": source}
    row = connection.execute(statement("known_identifiers"), parameters).one()
    return Identifiers(row.contact_id, row.email, row.phone)
