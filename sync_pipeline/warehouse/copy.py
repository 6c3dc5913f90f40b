"""Binary COPY of Arrow rows into a table."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import JSONB

from sync_pipeline.errors import WarehouseError


def copy_rows(connection: Connection, table: Table, pieces: Iterable[pa.Table]) -> None:
    """Copy ``pieces`` (all with the same columns, named as those of ``table``) in one command.

    The server takes in one piece while the next is being made: a thread of the driver's sends.
    """
    # Not `driver_connection`: a run detaches its session from the pool, which empties that.
    driver = connection.connection.dbapi_connection
    if not isinstance(driver, psycopg.Connection):
        raise WarehouseError("the connection to the warehouse broke")
    remaining = iter(pieces)
    first = next(remaining)
    encoder = _encoder(table, first.schema)
    with (
        driver.cursor() as cursor,
        cursor.copy(_command(table, first.schema), writer=QueuedLibpqWriter(cursor)) as copy,
    ):
        copy.write(encoder.write_header())
        for batch in first.combine_chunks().to_batches():
            copy.write(encoder.write_batch(batch))
        for piece in remaining:
            for batch in piece.combine_chunks().to_batches():
                copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())


def _command(table: Table, schema: pa.Schema) -> sql.Composed:
    name = sql.Identifier(*filter(None, (table.schema, table.name)))
    columns = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    return sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(name, columns)


def _encoder(table: Table, schema: pa.Schema) -> ArrowToPostgresBinaryEncoder:
    return ArrowToPostgresBinaryEncoder.new_with_encoders(
        schema,
        {
            field.name: StringEncoderBuilder.new_with_output(field, Jsonb())
            if isinstance(table.c[field.name].type, JSONB)
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for field in schema
        },
    )
