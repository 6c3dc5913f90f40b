"""Bring the schema up to date: each file of `sql/migrations` once, in order, forward only.

Then the roles, the views and the list of what may be pushed, which are not migrated but made
anew when they change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from sync_pipeline.errors import SchemaTooNewError, SetupError, WarehouseError
from sync_pipeline.shipped import shipped_path
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_fields import publish_fields
from sync_pipeline.warehouse.roles import create_missing_roles
from sync_pipeline.warehouse.views import publish_views, withdraw_views

OLDEST_SERVER = 140000
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
# One number for all versions of this code: two migrating processes wait for one another.
_LOCK = 7_301_944_205_118_203


@dataclass(frozen=True, slots=True)
class Migration:
    """A file of SQL with the number that orders it."""

    number: int
    name: str
    path: Path


def shipped_migrations() -> list[Migration]:
    """Return the migrations that this release knows, in order, numbered from 1 without a gap."""
    files = sorted((shipped_path("sql") / "migrations").glob("*.sql"))
    found = [(_NAME.fullmatch(path.name), path) for path in files]
    migrations = [Migration(int(m[1]), m[2], path) for m, path in found if m]
    if [m.number for m in migrations] != list(range(1, len(files) + 1)):
        raise SetupError("sql/migrations is damaged: install sync-pipeline again")
    return migrations


def migrate(engine: Engine) -> list[str]:
    """Apply what is missing, all or nothing; return the names applied.

    Raises SchemaTooNewError when the database was migrated by a newer release.
    """
    with transaction(engine) as connection:
        _refuse_unfit_server(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        applied = count_applied(connection)
        known = shipped_migrations()
        if applied > len(known):
            raise SchemaTooNewError(
                f"the warehouse's schema has {applied} migrations and this release knows "
                f"{len(known)}: a newer sync-pipeline made it, use that one"
            )
        if known[applied:]:
            withdraw_views(connection)
        for migration in known[applied:]:
            _apply(connection, migration)
        create_missing_roles(connection)
        publish_views(connection)
        publish_fields(connection)
        return [f"{m.number:04d}_{m.name}" for m in known[applied:]]


def _refuse_unfit_server(connection: Connection) -> None:
    version = connection.execute(text("SHOW server_version_num")).scalar_one()
    if int(version) < OLDEST_SERVER:
        raise WarehouseError("the warehouse needs PostgreSQL 14 or newer (WAREHOUSE_URL)")
    if connection.execute(text("SHOW server_encoding")).scalar_one() != "UTF8":
        raise WarehouseError(
            "the warehouse's database is not in UTF8 and cannot hold every name: make one with "
            "ENCODING 'UTF8' and set WAREHOUSE_URL"
        )


def count_applied(connection: Connection) -> int:
    """Return how many migrations the database has; 0 for one without the schema."""
    if connection.execute(text("SELECT to_regclass('ops.schema_migrations')")).scalar() is None:
        return 0
    highest = connection.execute(text("SELECT max(number) FROM ops.schema_migrations")).scalar()
    return int(highest or 0)


def _apply(connection: Connection, migration: Migration) -> None:
    # As it is: many statements, and signs that look like parameters.
    as_it_is = {"no_parameters": True}
    connection.exec_driver_sql(
        migration.path.read_text(encoding="utf-8"), execution_options=as_it_is
    )
    connection.execute(
        text("INSERT INTO ops.schema_migrations (number, name) VALUES (:number, :name)"),
        {"number": migration.number, "name": migration.name},
    )
