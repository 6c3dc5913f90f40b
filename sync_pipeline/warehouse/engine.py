"""The engine of the warehouse, and the one place that knows the driver's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from sync_pipeline.errors import WarehouseError

CONNECT_TIMEOUT_S = 10


def open_engine(url: str) -> Engine:
    """Return an engine on ``postgresql://…``; nothing is connected yet."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        # A row's values must not get into an error text or a log.
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=4,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "sync-pipeline",
            "options": "-c timezone=UTC -c lock_timeout=0",
        },
    )


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the driver's errors into WarehouseError, without the values of any row."""
    try:
        yield
    except OperationalError as exc:
        raise WarehouseError(
            "the warehouse cannot be reached, or the connection broke (is PostgreSQL running "
            f"where WAREHOUSE_URL says?): {_first_line(exc)}"
        ) from exc
    except DBAPIError as exc:
        raise WarehouseError(f"the warehouse refused a statement: {_first_line(exc)}") from exc


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that commits at the end, or not at all."""
    with in_words(), engine.begin() as connection:
        yield connection


def _first_line(exc: DBAPIError) -> str:
    # Later lines (DETAIL, CONTEXT) quote the row.
    lines = str(exc.orig).strip().splitlines() or [type(exc.orig).__name__]
    return lines[0].strip()
