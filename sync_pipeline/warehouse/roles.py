"""The roles of those who use the warehouse, and logins that have one of them.

Roles are the server's: its databases share them. What each may do is granted in `sql/views`, with
the views themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import errors, sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import transaction

ROLES = ("sync_writer", "sync_analyst", "sync_analyst_pii", "sync_requester")

_PRESENT = text("SELECT rolname, oid FROM pg_roles WHERE rolname = ANY(:names) ORDER BY rolname")
# Somebody was faster (in another database, too), or we may not.
_LEFT_TO_OTHERS = (errors.DuplicateObject, errors.UniqueViolation, errors.InsufficientPrivilege)


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password by which somebody comes in with one role."""

    name: str
    password: str = field(repr=False)
    role: str


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
    """Return what an administrator has to execute before `migrate` can grant everything."""
    with transaction(engine) as connection:
        return _missing(connection)


def set_login(engine: Engine, login: Login) -> None:
    """Have a login with that password and that role; raise WarehouseError where we may not."""
    with transaction(engine) as connection:
        try:
            for statement in _statements_for(connection, login):
                connection.exec_driver_sql(statement)
        except DBAPIError as exc:
            if not isinstance(exc.orig, errors.InsufficientPrivilege | errors.UndefinedObject):
                raise
            raise WarehouseError(
                f"the warehouse's server does not let this user make a login for {login.role}: "
                f"its administrator can (CREATE ROLE … LOGIN PASSWORD … IN ROLE {login.role})"
            ) from exc


def _missing(connection: Connection) -> list[str]:
    present = {name for name, _ in present_roles(connection)}
    create = sql.SQL("CREATE ROLE {} NOLOGIN")
    return [
        create.format(sql.Identifier(name)).as_string() for name in ROLES if name not in present
    ]


def _statements_for(connection: Connection, login: Login) -> list[str]:
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    is_known = connection.execute(known, {"name": login.name}).scalar() is not None
    name, role = sql.Identifier(login.name), sql.Identifier(login.role)
    act = "ALTER ROLE {} LOGIN PASSWORD {}" if is_known else "CREATE ROLE {} LOGIN PASSWORD {}"
    grant = sql.SQL("GRANT {} TO {}").format(role, name)
    return [sql.SQL(act).format(name, _verifier(connection, login)).as_string(), grant.as_string()]


def _verifier(connection: Connection, login: Login) -> sql.Literal:
    # The server may log statements: what it gets is no password.
    session = connection.connection.driver_connection
    assert session is not None  # noqa: S101 -- it was just used
    made = session.pgconn.encrypt_password(
        login.password.encode(), login.name.encode(), b"scram-sha-256"
    )
    return sql.Literal(made.decode())
