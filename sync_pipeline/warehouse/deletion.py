"""Mark what is confirmed as gone: the version that was current moves to the history.

A deletion is a version of its own: it holds what was last known, ``deleted_at`` and the cause
``deleted``, from the instant on at which the request that confirmed it was sent. Its raw hash is
null, so that a later reading never passes for an unchanged one: `upsert` makes it the revival.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from sync_pipeline.entities import INSTANT, TEXT, Entity, Stream
from sync_pipeline.warehouse.absences import Candidates
from sync_pipeline.warehouse.runs import RunKey
from sync_pipeline.warehouse.statements import named, statement

ABSENCES = Table(
    "absences",
    MetaData(schema="ops"),
    Column("source", TEXT),
    Column("entity", TEXT),
    Column("record_id", TEXT),
    Column("scope", TEXT),
    Column("confirmed_at", INSTANT),
)


def hold_confirmed(connection: Connection, candidates: Candidates) -> list[str]:
    """Lock the confirmed candidates until the transaction ends; return their ids in order.

    A reading that sees one of them waits, and then revives it.
    """
    query = (
        select(ABSENCES.c.record_id)
        .where(_is_confirmed(candidates))
        .order_by(ABSENCES.c.record_id)
        .with_for_update()
    )
    return list(connection.execute(query).scalars())


def count_unconfirmed(connection: Connection, candidates: Candidates) -> int:
    """Return how many candidates are not confirmed."""
    confirmed_at = ABSENCES.c.confirmed_at
    is_open = confirmed_at.is_(None) | (confirmed_at < candidates.since)
    query = select(func.count()).select_from(ABSENCES).where(_is_candidate(candidates), is_open)
    return int(connection.execute(query).scalar_one())


def deleted_lately(connection: Connection, stream: Stream, *, since: datetime) -> int:
    """Return how many rows the stream's runs deleted since then, or since one that might do so."""
    parameters = named(stream) | {"since": since}
    return int(connection.execute(statement("deleted_lately"), parameters).scalar_one())


def is_contact_gone(connection: Connection, *, source: str, contact_id: str) -> bool:
    """Tell whether a contact is deleted, or was never stored and is listed no more."""
    parameters = {"source": source, "contact_id": contact_id}
    return bool(connection.execute(statement("is_contact_gone"), parameters).scalar_one())


def has_rows_of(connection: Connection, stream: Stream, contact_id: str) -> bool:
    """Tell whether rows of a contact are stored that are not deleted."""
    table = stream.entity.table
    query = select(
        exists().where(
            table.c.source == stream.source,
            table.c.contact_id == contact_id,
            table.c.deleted_at.is_(None),
        )
    )
    return bool(connection.execute(query).scalar_one())


def delete_confirmed(connection: Connection, candidates: Candidates, *, run_id: str) -> int:
    """Mark the rows of the confirmed candidates, which are none any more; return how many.

    To be called while they are held. A row that was read since it was confirmed stays.
    """
    entity = candidates.stream.entity
    table, key = entity.table, entity.table.c[entity.key]
    going = (
        _is_confirmed(candidates)
        & (table.c.source == ABSENCES.c.source)
        & (key == ABSENCES.c.record_id)
        & table.c.deleted_at.is_(None)
        & (table.c.observed_at < ABSENCES.c.confirmed_at)
    )
    # In the order of their keys, as loads do it.
    rows = select(key).where(going).order_by(key).with_for_update(of=table, key_share=True)
    connection.execute(select(func.count()).select_from(rows.subquery("locked")))
    _keep_superseded(connection, entity, going)
    marked = (
        update(table)
        .values(
            raw_hash=null(),
            observed_at=ABSENCES.c.confirmed_at,
            deleted_at=ABSENCES.c.confirmed_at,
            cause=literal("deleted"),
            run_id=literal(run_id),
            loaded_at=func.clock_timestamp(),
        )
        .where(going)
    )
    deleted = connection.execute(marked).rowcount
    connection.execute(delete(ABSENCES).where(_is_confirmed(candidates)))
    return deleted


def count_deleted(connection: Connection, key: RunKey, *, deleted: int, is_allowed: bool) -> None:
    """Add to the run what its closing deleted; note whether it might go beyond the cap."""
    parameters = key.parameters() | {"deleted": deleted, "is_allowed": is_allowed}
    connection.execute(statement("count_deleted"), parameters)


def _keep_superseded(connection: Connection, entity: Entity, going: ColumnElement[bool]) -> None:
    table, history = entity.table, entity.history
    kept = [c.name for c in history.columns if c.name not in {"valid_from", "valid_to"}]
    versions = select(
        *[table.c[name] for name in kept], table.c.observed_at, ABSENCES.c.confirmed_at
    ).where(going)
    connection.execute(insert(history).from_select([*kept, "valid_from", "valid_to"], versions))


def _is_candidate(candidates: Candidates) -> ColumnElement[bool]:
    stream, only = candidates.stream, candidates.only
    named_ones = or_(ABSENCES.c.record_id.in_(only), ABSENCES.c.scope.in_(only))
    return and_(
        ABSENCES.c.source == stream.source,
        ABSENCES.c.entity == stream.entity.name,
        named_ones if only else true(),
    )


def _is_confirmed(candidates: Candidates) -> ColumnElement[bool]:
    return _is_candidate(candidates) & (ABSENCES.c.confirmed_at >= candidates.since)
