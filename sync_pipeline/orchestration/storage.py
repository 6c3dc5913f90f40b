"""`PooledPostgresStorage`: Dagster's storage, over connections that a process keeps.

Dagster's own opens one for each statement: dozens for a run, over a thousand a minute in a stack
that has nothing to do. Every process that opens the Dagster instance imports this module: it is to
stay light.
"""

from __future__ import annotations

from typing import Final, Self

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes.config_class import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Engine, create_engine

KEPT = 2
"""Connections that a process keeps while it has nothing to say; more are made as needed."""
_ENGINES: Final[dict[str, Engine]] = {}


class PooledPostgresStorage(DagsterPostgresStorage):
    """Keeps runs, events and ticks as Dagster's own storage does, over connections that are kept.

    Not those of one instance: a code location makes an instance for each tick of a sensor.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        # The first instance has looked for the tables.
        is_first = postgres_url not in _ENGINES
        super().__init__(postgres_url, should_autocreate_tables=is_first, inst_data=inst_data)
        if is_first:
            _ENGINES[postgres_url] = _open(postgres_url)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = _ENGINES[postgres_url]  # noqa: SLF001 -- there is no other way in

    @classmethod
    def from_config_value(  # type: ignore[override]  # as its own is typed
        cls, inst_data: ConfigurableClassData | None, config_value: PostgresStorageConfig
    ) -> Self:
        """Make one of what `dagster.yaml` says."""
        return cls(pg_url_from_config(config_value), inst_data)


def _open(url: str) -> Engine:
    # A connection is tried before it is used: PostgreSQL may have been started anew.
    return create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=KEPT, max_overflow=-1, pool_pre_ping=True
    )
