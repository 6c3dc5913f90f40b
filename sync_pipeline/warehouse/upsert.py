"""The statements of an upsert with history, generated from an entity's tables.

All of them work on a temporary staging table with one row per key. ``judge`` gives each row its
verdict while the stored rows are locked; the others act on the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    Column,
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
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from sync_pipeline.entities import INSTANT, TEXT, Entity

_LEFT_OUT_OF_STAGING = {"source", "cause", "deleted_at", "run_id", "loaded_at"}

WATERMARKS = Table(
    "watermarks",
    MetaData(schema="ops"),
    Column("source", TEXT),
    Column("entity", TEXT),
    Column("scope", TEXT),
    Column("proven_at", INSTANT),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements in the order in which `load` runs them."""

    lock_stored: Executable
    judge: Executable
    keep_superseded: Executable
    update_changed: Executable
    insert_new: Executable
    renew_raw_hash: Executable
    count_verdicts: Executable
    empty_staging: Executable


@cache
def staging_table(entity: Entity) -> Table:
    """Return the session's own table that a frame is copied into; its last column the verdict."""
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
    )


@cache
def statements(entity: Entity) -> Statements:
    """Return the entity's statements; they take ``the_source``, ``the_run`` and ``the_entity``."""
    staged = staging_table(entity)
    return Statements(
        lock_stored=_stored(entity, entity.table.c[entity.key])
        .order_by(entity.table.c[entity.key])
        .with_for_update(of=entity.table),
        judge=_judge(entity, staged),
        keep_superseded=_keep_superseded(entity, staged),
        update_changed=_update_changed(entity, staged),
        insert_new=_insert_new(entity, staged),
        renew_raw_hash=_renew_raw_hash(entity, staged),
        count_verdicts=select(staged.c.verdict, func.count()).group_by(staged.c.verdict),
        empty_staging=delete(staged),
    )


def _stored(entity: Entity, *columns: Column[object]) -> Select[tuple[object, ...]]:
    """Select from the stored rows whose keys are staged."""
    table, staged = entity.table, staging_table(entity)
    return (
        select(*columns)
        .join_from(table, staged, table.c[entity.key] == staged.c[entity.key])
        .where(table.c.source == bindparam("the_source", type_=TEXT))
    )


def _judge(entity: Entity, staged: Table) -> Executable:
    table = entity.table
    compared = staged.alias("compared")
    verdict = case(
        (WATERMARKS.c.proven_at > compared.c.observed_at, "outdated"),
        (table.c[entity.key].is_(None), "new"),
        (table.c.observed_at >= compared.c.observed_at, "outdated"),
        (table.c.content_hash == compared.c.content_hash, "same"),
        else_="changed",
    )
    scope_proof = (
        (WATERMARKS.c.source == bindparam("the_source", type_=TEXT))
        & (WATERMARKS.c.entity == bindparam("the_entity", type_=TEXT))
        & (WATERMARKS.c.scope == compared.c.scope)
    )
    same_row = (table.c.source == bindparam("the_source", type_=TEXT)) & (
        table.c[entity.key] == compared.c[entity.key]
    )
    judged = (
        select(compared.c[entity.key], verdict.label("verdict"))
        .select_from(compared.outerjoin(table, same_row).outerjoin(WATERMARKS, scope_proof))
        .subquery("judged")
    )
    return (
        update(staged)
        .values(verdict=judged.c.verdict)
        .where(staged.c[entity.key] == judged.c[entity.key])
    )


def _keep_superseded(entity: Entity, staged: Table) -> Executable:
    table, history = entity.table, entity.history
    kept = [c.name for c in history.columns if c.name not in {"valid_from", "valid_to"}]
    versions = _stored(
        entity,
        *[table.c[name] for name in kept],
        table.c.observed_at,
        staged.c.observed_at,
    ).where(staged.c.verdict == "changed")
    return insert(history).from_select([*kept, "valid_from", "valid_to"], versions)


def _new_values(entity: Entity, staged: Table) -> dict[str, object]:
    carried = {
        c.name: staged.c[c.name] for c in entity.table.columns if c.name not in _LEFT_OUT_OF_STAGING
    }
    return {
        **carried,
        "cause": literal("source"),
        "run_id": bindparam("the_run", type_=TEXT),
        "loaded_at": func.clock_timestamp(),
    }


def _update_changed(entity: Entity, staged: Table) -> Executable:
    table = entity.table
    return (
        update(table)
        .values(_new_values(entity, staged))
        .where(table.c.source == bindparam("the_source", type_=TEXT))
        .where(table.c[entity.key] == staged.c[entity.key])
        .where(staged.c.verdict == "changed")
    )


def _insert_new(entity: Entity, staged: Table) -> Executable:
    values = {"source": bindparam("the_source", type_=TEXT)} | _new_values(entity, staged)
    rows = select(*values.values()).select_from(staged).where(staged.c.verdict == "new")
    return insert_or_leave(entity.table).from_select(list(values), rows).on_conflict_do_nothing()


def _renew_raw_hash(entity: Entity, staged: Table) -> Executable:
    table = entity.table
    return (
        update(table)
        .values(raw_hash=staged.c.raw_hash)
        .where(table.c.source == bindparam("the_source", type_=TEXT))
        .where(table.c[entity.key] == staged.c[entity.key])
        .where(staged.c.verdict == "same")
        .where(table.c.raw_hash.is_distinct_from(staged.c.raw_hash))
    )
