"""Write a frame to its table: staging by binary COPY, then set-based statements.

What is new is inserted; what changed is updated and its superseded version moves to the history;
the same content under other bytes gets its raw hash renewed and nothing else; a reading that is
older than the stored one, or than the scope's proof, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql
from sqlalchemy import Connection, Executable
from sqlalchemy.schema import CreateTable

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse import upsert
from sync_pipeline.warehouse.hashes import content_hashes


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of a frame were what."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    outdated: int = 0


def load(connection: Connection, stream: Stream, frame: pd.DataFrame, *, run_id: str) -> Loaded:
    """Upsert ``frame`` (as `normalise` made it, keys unique) inside the caller's transaction."""
    if frame.empty:
        return Loaded()
    hashed = frame.assign(
        content_hash=pd.Series(content_hashes(stream.entity, frame), dtype=frame["raw_hash"].dtype)
    )
    staging = upsert.staging_table(stream.entity)
    connection.execute(CreateTable(staging, if_not_exists=True))
    _copy(connection, stream, hashed)
    written = {
        "the_source": stream.source,
        "the_entity": stream.entity.name,
        "the_run": run_id,
    }
    statements = upsert.statements(stream.entity)
    connection.execute(statements.lock_stored, written)
    connection.execute(statements.judge, written)
    connection.execute(statements.keep_superseded, written)
    updated = _rows(connection, statements.update_changed, written)
    inserted = _rows(connection, statements.insert_new, written)
    connection.execute(statements.renew_raw_hash, written)
    verdicts = dict(connection.execute(statements.count_verdicts).tuples().all())
    connection.execute(statements.empty_staging)
    return Loaded(
        inserted=inserted,
        updated=updated,
        unchanged=verdicts.get("same", 0),
        # A row that another session inserted since it was judged new lost against that one.
        outdated=verdicts.get("outdated", 0) + verdicts.get("new", 0) - inserted,
    )


def _rows(connection: Connection, statement: Executable, written: dict[str, str]) -> int:
    options = {"preserve_rowcount": True}
    return connection.execute(statement, written, execution_options=options).rowcount


def _copy(connection: Connection, stream: Stream, frame: pd.DataFrame) -> None:
    names = [column.name for column in upsert.staging_table(stream.entity).columns][:-1]
    table = pa.Table.from_pandas(frame[names], preserve_index=False)
    kinds = stream.entity.table.columns
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(
        table.schema,
        {
            field.name: StringEncoderBuilder.new_with_output(field, Jsonb())
            if field.name in kinds and str(kinds[field.name].type) == "JSONB"
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for field in table.schema
        },
    )
    command = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(
        sql.Identifier(upsert.staging_table(stream.entity).name),
        sql.SQL(", ").join(map(sql.Identifier, names)),
    )
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(encoder.write_header())
        for batch in table.to_batches():
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
