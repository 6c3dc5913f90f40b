"""The statements of an upsert with history, generated from an entity's tables.

All of them work on a temporary staging table with one row per key, and give each row its
verdict: ``outdated``, ``new``, ``same``, ``changed`` or ``revived`` (it was deleted).

Concurrent loads of the same keys: what is new goes in first, in the order of its keys' bytes (as
rows that go straight into the table do, in `load`), and waits for another session that is
inserting the same key; whoever comes second finds the row stored.
Then the stored rows are locked, in the order of their keys, and only then compared. So no two
loads wait for one another in a circle, and the later reading wins, whoever commits first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    MetaData,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from sync_pipeline.entities import INSTANT, TEXT, Entity

_LEFT_OUT_OF_STAGING = {"source", "cause", "deleted_at", "run_id", "loaded_at"}
_SUPERSEDING = ("changed", "revived")

WATERMARKS = Table(
    "watermarks",
    MetaData(schema="ops"),
    Column("source", TEXT),
    Column("entity", TEXT),
    Column("scope", TEXT),
    Column("proven_at", INSTANT),
)
_SOURCE = bindparam("the_source", type_=TEXT)
_ENTITY = bindparam("the_entity", type_=TEXT)
_RUN = bindparam("the_run", type_=TEXT)


@dataclass(frozen=True, slots=True)
class Statements:
    """What `load` runs: the staging emptied and filled, then ``in_order``, then the count.

    ``in_order`` take ``the_source``, ``the_entity`` and ``the_run``.
    """

    empty_staging: Executable
    in_order: tuple[Executable, ...]
    count_verdicts: Select[str | None, int]


@cache
def staging_table(entity: Entity) -> Table:
    """Return the session's own table that a frame is copied into, emptied at each commit."""
    columns = [
        Column(c.name, c.type) for c in entity.table.columns if c.name not in _LEFT_OUT_OF_STAGING
    ]
    return Table(
        f"staged_{entity.name}",
        MetaData(),
        Column("scope", TEXT),
        *columns,
        Column("verdict", TEXT),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


@cache
def statements(entity: Entity) -> Statements:
    """Return the entity's statements."""
    staged = staging_table(entity)
    return Statements(
        empty_staging=delete(staged),
        in_order=(
            _judge_by_proof(staged),
            _insert_new(entity, staged),
            _lock_stored(entity, staged),
            _judge_by_row(entity, staged),
            _keep_superseded(entity, staged),
            _update_changed(entity, staged),
            _renew_raw_hash(entity, staged),
        ),
        count_verdicts=select(staged.c.verdict, func.count()).group_by(staged.c.verdict),
    )


def _judge_by_proof(staged: Table) -> Executable:
    return (
        update(staged)
        .values(verdict="outdated")
        .where(WATERMARKS.c.source == _SOURCE)
        .where(WATERMARKS.c.entity == _ENTITY)
        .where(WATERMARKS.c.scope == staged.c.scope)
        .where(WATERMARKS.c.proven_at > staged.c.observed_at)
    )


def _insert_new(entity: Entity, staged: Table) -> Executable:
    key = entity.table.c[entity.key]
    values = {"source": _SOURCE} | _new_values(entity, staged)
    rows = (
        select(*[value.label(name) for name, value in values.items()])
        .where(staged.c.verdict.is_(None))
        .where(~select(literal(1)).where(_is_stored(entity, staged)).exists())
        .order_by(staged.c[entity.key].collate("C"))
    )
    inserted = (
        insert_or_leave(entity.table)
        .from_select(list(values), rows)
        .on_conflict_do_nothing()
        .returning(key)
        .cte("inserted")
    )
    return (
        update(staged).values(verdict="new").where(staged.c[entity.key] == inserted.c[entity.key])
    )


def _lock_stored(entity: Entity, staged: Table) -> Executable:
    stored = (
        select(entity.table.c[entity.key])
        .where(_is_stored(entity, staged))
        .where(staged.c.verdict.is_(None))
        .order_by(entity.table.c[entity.key])
        .with_for_update(of=entity.table, key_share=True)
        .subquery("stored")
    )
    return select(func.count()).select_from(stored)


def _judge_by_row(entity: Entity, staged: Table) -> Executable:
    table = entity.table
    verdict = case(
        (table.c.observed_at >= staged.c.observed_at, "outdated"),
        (table.c.deleted_at.is_not(None), "revived"),
        (table.c.content_hash == staged.c.content_hash, "same"),
        else_="changed",
    )
    return (
        update(staged)
        .values(verdict=verdict)
        .where(_is_stored(entity, staged))
        .where(staged.c.verdict.is_(None))
    )


def _keep_superseded(entity: Entity, staged: Table) -> Executable:
    table, history = entity.table, entity.history
    kept = [c.name for c in history.columns if c.name not in {"valid_from", "valid_to"}]
    versions = (
        select(*[table.c[name] for name in kept], table.c.observed_at, staged.c.observed_at)
        .where(_is_stored(entity, staged))
        .where(staged.c.verdict.in_(_SUPERSEDING))
    )
    return insert(history).from_select([*kept, "valid_from", "valid_to"], versions)


def _update_changed(entity: Entity, staged: Table) -> Executable:
    return (
        update(entity.table)
        .values(_new_values(entity, staged))
        .where(_is_stored(entity, staged))
        .where(staged.c.verdict.in_(_SUPERSEDING))
    )


def _renew_raw_hash(entity: Entity, staged: Table) -> Executable:
    table = entity.table
    return (
        update(table)
        .values(raw_hash=staged.c.raw_hash)
        .where(_is_stored(entity, staged))
        .where(staged.c.verdict == "same")
        .where(table.c.raw_hash.is_distinct_from(staged.c.raw_hash))
    )


def _is_stored(entity: Entity, staged: Table) -> ColumnElement[bool]:
    table = entity.table
    return (table.c.source == _SOURCE) & (table.c[entity.key] == staged.c[entity.key])


def _new_values(entity: Entity, staged: Table) -> dict[str, ColumnElement[object]]:
    carried = {
        c.name: staged.c[c.name] for c in entity.table.columns if c.name not in _LEFT_OUT_OF_STAGING
    }
    return {
        **carried,
        "cause": case((staged.c.verdict == "revived", "revived"), else_="source"),
        "deleted_at": null(),
        "run_id": _RUN,
        "loaded_at": func.clock_timestamp(),
    }
