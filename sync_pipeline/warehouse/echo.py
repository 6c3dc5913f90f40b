"""Our own writes, seen again: the version that brings one says `push` as its cause.

So does the first version of a record that a push created. In any later one a field that changed
holds the value that was written last to it, and that was after the version before was read. The
look-up costs next to nothing where nothing was ever written.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Executable,
    MetaData,
    Table,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.selectable import NamedFromClause

from sync_pipeline.entities import BYTES, INSTANT, TEXT, Entity

LEDGER = Table(
    "ledger",
    MetaData(schema="push"),
    Column("source", TEXT),
    Column("entity", TEXT),
    Column("entity_id", TEXT),
    Column("field", TEXT),
    Column("value_hash", BYTES),
    Column("written_at", INSTANT),
)
UPDATES = Table(
    "updates",
    MetaData(schema="push"),
    Column("source", TEXT),
    Column("entity", TEXT),
    Column("created_id", TEXT),
    Column("sent_at", INSTANT),
)
_SOURCE = bindparam("the_source", type_=TEXT)
_ENTITY = bindparam("the_entity", type_=TEXT)
_KEYS = bindparam("the_keys", type_=ARRAY(TEXT))


@cache
def mark_own_writes(entity: Entity, staging: Table) -> Executable:
    """Return what marks the rows that ``staging`` has just changed, and that are our doing.

    Takes ``the_source`` and ``the_entity``.
    """
    table = entity.table
    candidates = _candidates(entity, staging)
    ours = select(candidates.c.key).where(
        candidates.c.value_hash == func.push.value_hash(candidates.c.held),
        candidates.c.held != candidates.c.was,
    )
    # An array again: a join might look into the values of each pair of rows.
    keys = func.any(func.array(ours.scalar_subquery()))
    is_ours = (table.c.source == _SOURCE) & (table.c[entity.key] == keys)
    return update(table).values(cause="push").where(is_ours)


@cache
def mark_own_creations(entity: Entity) -> Executable:
    """Return what marks the rows that are in their first version, and that a push created.

    Takes ``the_source``, ``the_entity`` and ``the_keys`` of the rows in question.
    """
    table, history = entity.table, entity.history
    created = (
        select(UPDATES.c.created_id)
        .where(UPDATES.c.source == _SOURCE, UPDATES.c.entity == _ENTITY)
        # One that was found there was not created.
        .where(UPDATES.c.created_id == func.any(_KEYS), UPDATES.c.sent_at.is_not(None))
    )
    older = select(literal(1)).where(
        history.c.source == table.c.source, history.c[entity.key] == table.c[entity.key]
    )
    is_ours = table.c[entity.key] == func.any(func.array(created.scalar_subquery()))
    return (
        update(table)
        .values(cause="push")
        .where(table.c.source == _SOURCE, is_ours, table.c.cause == "source", ~older.exists())
    )


def _candidates(entity: Entity, staging: Table) -> CTE:
    """Return the fields of changed rows that were ever written, as they are and as they were.

    Materialised: their values are looked into for these few rows alone.
    """
    now, before = entity.table.alias("now"), entity.history.alias("before")
    ours = LEDGER.alias("ours")
    changed = select(staging.c[entity.key]).where(staging.c.verdict == "changed")
    # As an array, so that the ledger's index is asked for these records and no others.
    keys = func.any(func.array(changed.scalar_subquery()))
    key = ours.c.entity_id
    of_record = (ours.c.source == _SOURCE) & (ours.c.entity == _ENTITY) & (key == keys)
    is_now = (now.c.source == _SOURCE) & (now.c[entity.key] == key)
    was_before = (
        (before.c.source == _SOURCE)
        & (before.c[entity.key] == key)
        & (before.c.valid_to == now.c.observed_at)
    )
    return (
        select(
            key.label("key"),
            ours.c.value_hash,
            _value(now, ours.c.field).label("held"),
            _value(before, ours.c.field).label("was"),
        )
        .select_from(ours.join(now, is_now).join(before, was_before))
        .where(of_record, ours.c.written_at >= before.c.valid_from)
        .cte("candidates")
        .prefix_with("MATERIALIZED")
    )


def _value(row: NamedFromClause, field: ColumnElement[str]) -> ColumnElement[object]:
    return func.push.value_in(func.to_jsonb(row.table_valued()), field, type_=JSONB())
