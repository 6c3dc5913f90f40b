"""Runs that ended long ago, as far as Dagster's storage knows."""

from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from sqlalchemy import update


def put_end(
    instance: DagsterInstance, run_id: str, *, days_ago: float, status: str | None = None
) -> None:
    """Have a run end then, or come into this state."""
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    at = (datetime.now(UTC) - timedelta(days=days_ago)).replace(tzinfo=None)
    values = {"update_timestamp": at} | ({"status": status} if status else {})
    ended = update(RunsTable).where(RunsTable.c.run_id == run_id).values(values)
    with storage.connect() as connection:
        connection.execute(ended)
