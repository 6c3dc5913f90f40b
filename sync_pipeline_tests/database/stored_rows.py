"""What the warehouse holds of a stream, for tests that compare whole rows."""

from __future__ import annotations

from sqlalchemy import Engine, select

from sync_pipeline.entities import Stream


def stored_rows(engine: Engine, stream: Stream) -> list[dict[str, object]]:
    """Return the rows by key, without nulls and without what the run says of itself."""
    table = stream.entity.table
    columns = [table.c[name] for name in (*stream.entity.columns, "attributes", "deleted_at")]
    query = select(*columns).where(table.c.source == stream.source).order_by(columns[0])
    with engine.connect() as connection:
        found = connection.execute(query).mappings().all()
    return [{name: value for name, value in row.items() if value is not None} for row in found]
