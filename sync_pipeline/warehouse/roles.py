"""The roles of those who use the warehouse. They are the server's: its databases share them.

What each may do is granted in `sql/views`, with the views themselves.
"""

from __future__ import annotations

from psycopg import errors, sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.warehouse.engine import transaction

ROLES = ("sync_writer", "sync_analyst", "sync_analyst_pii", "sync_requester")

_PRESENT = text("SELECT rolname, oid FROM pg_roles WHERE rolname = ANY(:names) ORDER BY rolname")
# Somebody was faster (in another database, too), or we may not.
_LEFT_TO_OTHERS = (errors.DuplicateObject, errors.UniqueViolation, errors.InsufficientPrivilege)


def present_roles(connection: Connection) -> list[tuple[str, int]]:
    """Return those of ROLES that the server has, with their numbers."""
    return [(name, oid) for name, oid in connection.execute(_PRESENT, {"names": list(ROLES)})]


def create_missing_roles(connection: Connection) -> None:
    """Create those of ROLES that are missing, where the server lets us."""
    for statement in _missing(connection):
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(statement)
        except DBAPIError as exc:
            if not isinstance(exc.orig, _LEFT_TO_OTHERS):
                raise


def statements_for_missing_roles(engine: Engine) -> list[str]:
    """Return what an administrator should execute before `migrate` can grant everything."""
    with transaction(engine) as connection:
        return _missing(connection)


def _missing(connection: Connection) -> list[str]:
    present = {name for name, _ in present_roles(connection)}
    create = sql.SQL("CREATE ROLE {} NOLOGIN")
    return [
        create.format(sql.Identifier(name)).as_string() for name in ROLES if name not in present
    ]
