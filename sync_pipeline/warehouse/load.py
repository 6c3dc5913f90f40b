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
from sqlalchemy import Connection
from sqlalchemy.schema import CreateTable

from sync_pipeline.entities import Entity, Stream
from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse import upsert
from sync_pipeline.warehouse.engine import in_words
from sync_pipeline.warehouse.hashes import content_hashes


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of a frame were what."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    outdated: int = 0


def load(connection: Connection, stream: Stream, frame: pd.DataFrame, *, run_id: str) -> Loaded:
    """Upsert ``frame`` (as `normalise` made it, keys unique) inside the caller's transaction.

    Raises UnstorableError when PostgreSQL cannot hold a value of it, other WarehouseErrors when
    it is away or refuses; after either the transaction can only be rolled back.
    """
    if frame.empty:
        return Loaded()
    hashes = pd.Series(content_hashes(stream.entity, frame), dtype=frame["raw_hash"].dtype)
    statements = upsert.statements(stream.entity)
    written = {
        "the_source": stream.source,
        "the_entity": stream.entity.name,
        "the_run": run_id,
    }
    with in_words():
        connection.execute(CreateTable(upsert.staging_table(stream.entity), if_not_exists=True))
        connection.execute(statements.empty_staging)
        _copy(connection, stream.entity, frame.assign(content_hash=hashes))
        for statement in statements.in_order:
            connection.execute(statement, written)
        verdicts = dict(connection.execute(statements.count_verdicts).all())
    return Loaded(
        inserted=verdicts.get("new", 0),
        updated=verdicts.get("changed", 0),
        unchanged=verdicts.get("same", 0),
        # A row without a verdict was removed by another session in the meantime.
        outdated=verdicts.get("outdated", 0) + verdicts.get(None, 0),
    )


def _copy(connection: Connection, entity: Entity, frame: pd.DataFrame) -> None:
    staging = upsert.staging_table(entity)
    names = [column.name for column in staging.columns if column.name in frame]
    table = pa.Table.from_pandas(frame[names], preserve_index=False)
    encoder = _encoder(entity, table.schema)
    command = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(
        sql.Identifier(staging.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    # Not `driver_connection`: a run detaches its session from the pool, which empties that.
    driver = connection.connection.dbapi_connection
    if not isinstance(driver, psycopg.Connection):
        raise WarehouseError("the connection to the warehouse broke")
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(encoder.write_header())
        for batch in table.to_batches():
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())


def _encoder(entity: Entity, schema: pa.Schema) -> ArrowToPostgresBinaryEncoder:
    return ArrowToPostgresBinaryEncoder.new_with_encoders(
        schema,
        {
            field.name: StringEncoderBuilder.new_with_output(field, Jsonb())
            if field.name in entity.json_columns
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for field in schema
        },
    )
