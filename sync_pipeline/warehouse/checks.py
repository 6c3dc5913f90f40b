"""The facts that a check of a stream needs: counts, never a row.

What they mean, and which of them is a fault, is said in `orchestration.findings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from sync_pipeline.entities import CONTACTS, Stream
from sync_pipeline.warehouse.statements import named, statement
from sync_pipeline.warehouse.stored import count_rows


@dataclass(frozen=True, slots=True)
class Proofs:
    """How well a stream is proven complete, in scopes."""

    scopes: int
    incomplete: Mapping[str, int]
    """Scopes whose last reading is not proven, by the reason."""
    stale: int
    """Scopes that no reading since the bound has proven; some of them incomplete as well."""
    unproven: int
    """Scopes that are incomplete, stale or both."""
    unread: int
    """Scopes that the last run left for the next one."""
    oldest_proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Versions:
    """Whether each key has one row at any time."""

    has_primary_key: bool
    looked_at: int
    overlapping: int


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows that name a contact which `warehouse.contacts` does not hold."""

    rows: int
    contacts: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Open rows of the quarantine by the kind of defect, and what they are a share of."""

    by_code: Mapping[str, int]
    stored: int

    @property
    def open(self) -> int:
        """How many there are."""
        return sum(self.by_code.values())

    @property
    def share(self) -> float:
        """Open rows in all rows that were ever received and kept."""
        return self.open / (self.open + self.stored) if self.open else 0.0


def proofs(connection: Connection, stream: Stream, *, since: datetime) -> Proofs:
    """Return how well the stream is proven; ``since``: an older proof is stale."""
    parameters = named(stream) | {"since": since}
    facts = connection.execute(statement("check_proof"), parameters).mappings().one()
    return Proofs(**facts)


def versions(connection: Connection, stream: Stream, *, since: datetime | None) -> Versions:
    """Return whether versions overlap: those superseded since then, or all of them."""
    table, history = stream.entity.table, stream.entity.history
    old, other = history.alias("old"), history.alias("other")
    key = stream.entity.key
    overlaps_another = exists().where(
        other.c.source == old.c.source,
        other.c[key] == old.c[key],
        other.c.valid_from != old.c.valid_from,
        other.c.valid_from < old.c.valid_to,
        other.c.valid_to > old.c.valid_from,
    )
    overlaps_current = exists().where(
        table.c.source == old.c.source,
        table.c[key] == old.c[key],
        table.c.observed_at < old.c.valid_to,
    )
    query = select(
        func.count(), func.count().filter(or_(overlaps_another, overlaps_current))
    ).where(and_(*_looked_at(old.c.source == stream.source, old.c.valid_to, since)))
    looked_at, overlapping = connection.execute(query).one()
    return Versions(_has_primary_key(connection, stream), int(looked_at), int(overlapping))


def _looked_at(
    of_source: ColumnElement[bool], valid_to: ColumnElement[datetime], since: datetime | None
) -> list[ColumnElement[bool]]:
    return [of_source] if since is None else [of_source, valid_to >= since]


def _has_primary_key(connection: Connection, stream: Stream) -> bool:
    parameters = {"entity": stream.entity.name, "key": ["source", stream.entity.key]}
    return bool(connection.execute(statement("has_primary_key"), parameters).scalar_one())


def orphans(connection: Connection, stream: Stream) -> Orphans:
    """Return what names a contact that the source's contacts do not hold."""
    table, contacts = stream.entity.table, CONTACTS.table
    by_contact = (
        select(table.c.contact_id, func.count().label("rows"))
        .where(table.c.source == stream.source, table.c.contact_id.is_not(None))
        .group_by(table.c.contact_id)
        .subquery("by_contact")
    )
    is_held = exists().where(
        contacts.c.source == stream.source, contacts.c.contact_id == by_contact.c.contact_id
    )
    query = select(func.coalesce(func.sum(by_contact.c.rows), 0), func.count()).where(~is_held)
    rows, missing = connection.execute(query.select_from(by_contact)).one()
    return Orphans(int(rows), int(missing))


def has_contacts(stream: Stream) -> bool:
    """Tell whether the stream's rows name a contact each."""
    return "contact_id" in stream.entity.columns and stream.entity is not CONTACTS


def quarantined(connection: Connection, stream: Stream) -> Quarantined:
    """Return what lies in quarantine."""
    rows = connection.execute(statement("check_quarantine"), named(stream))
    by_code = {str(code): int(count) for code, count in rows}
    # Counting a table takes a look at its whole index: only where there is a share to tell.
    return Quarantined(by_code, count_rows(connection, stream) if by_code else 0)
