"""The engine of the warehouse, and the one place that knows the driver's errors.

No message here quotes a row: the server puts values into DETAIL, and for some errors into the
message itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sync_pipeline.errors import WarehouseError

CONNECT_TIMEOUT_S = 10
_OPTIONS = (
    "-c timezone=UTC",
    "-c lock_timeout=0",
    # A plan made while a table was small must not be kept while it grows.
    "-c plan_cache_mode=force_custom_plan",
)
_CONNECT_ARGUMENTS: dict[str, str | int] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    # Whatever PGCLIENTENCODING says: every name is to come and go whole.
    "client_encoding": "utf8",
    "application_name": "sync-pipeline",
}

# SQLSTATE classes: the connection broke, or the server is going down or not up yet.
_AWAY = ("08", "57P")
# A value that a type cannot hold, or one too long for an index.
_UNSTORABLE = ("22", "54")
_DISK_FULL = "53100"
_READ_ONLY = "25006"
# Classes whose messages speak of names, rights and resources, never of a row.
_QUOTES_NO_ROW = ("08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")


class UnstorableError(WarehouseError):
    """PostgreSQL cannot hold a value among these rows: find the record and keep it aside."""


def open_engine(url: str) -> Engine:
    """Return an engine on ``postgresql://…``; nothing is connected yet."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        # A row's values must not get into an error text or a log.
        hide_parameters=True,
        # What `load` relies on, whatever the server's default is.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=4,
        connect_args=_CONNECT_ARGUMENTS | {"options": " ".join(_OPTIONS)},
    )


def conninfo(engine: Engine, *, options: str) -> str:
    """Return what psycopg needs for a connection of its own to the same database."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return make_conninfo(url, **_CONNECT_ARGUMENTS, options=options)


@contextmanager
def engine_on(url: str) -> Iterator[Engine]:
    """Yield an engine on ``postgresql://…``, disposed of at the end."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the driver's errors into WarehouseError, without the values of any row."""
    try:
        yield
    except PoolTimeoutError as exc:
        raise WarehouseError("every connection to the warehouse is in use: try later") from exc
    except (DBAPIError, psycopg.Error) as exc:
        error = _driver_error(exc)
        # The cause would be printed with it, and may quote a row.
        if _quotes_no_row(error):
            raise _in_words(error) from exc
        raise _in_words(error) from None


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that commits at the end, or not at all."""
    with in_words(), engine.begin() as connection:
        yield connection


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that is rolled back at the end: to see what would be."""
    with in_words(), engine.connect() as connection:
        # Closing it rolls back.
        yield connection


def _driver_error(exc: DBAPIError | psycopg.Error) -> BaseException:
    return exc if isinstance(exc, psycopg.Error) else exc.orig or exc


def _in_words(error: BaseException) -> WarehouseError:
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    said = _what_it_says(error)
    if isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(_AWAY)):
        return WarehouseError(
            "the warehouse cannot be reached, or the connection broke (is PostgreSQL running "
            f"where WAREHOUSE_URL says?): {said}"
        )
    if state == _DISK_FULL:
        return WarehouseError(
            f"the warehouse's disk is full ({said}): free some space on the server and run again; "
            "what was committed is kept"
        )
    if state == _READ_ONLY:
        return WarehouseError(
            f"the warehouse takes no changes ({said}): WAREHOUSE_URL should name a primary server "
            "and a database whose default_transaction_read_only is off"
        )
    if state is not None and state.startswith(_UNSTORABLE):
        return UnstorableError(f"the warehouse cannot hold a value: {said}")
    return WarehouseError(f"the warehouse refused a statement: {said}")


def _what_it_says(error: BaseException) -> str:
    name = type(error).__name__
    if _quotes_no_row(error):
        # Later lines (DETAIL, CONTEXT) may quote one all the same.
        return next(iter(str(error).strip().splitlines()), name).strip()
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return name
    diag = error.diag
    facts = {"SQLSTATE": error.sqlstate, "table": diag.table_name, "column": diag.column_name}
    facts["constraint"] = diag.constraint_name
    return f"{name} ({', '.join(f'{fact} {value}' for fact, value in facts.items() if value)})"


def _quotes_no_row(error: BaseException) -> bool:
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_QUOTES_NO_ROW)
