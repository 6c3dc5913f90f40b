"""Write frames to their table by binary COPY, and what is stored already by way of staging.

What is new goes straight into the table; what changed is updated and its superseded version moves
to the history; the same content under other bytes gets its raw hash renewed and nothing else; a
reading that is older than the stored one, or than the scope's proof, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import psycopg
import pyarrow as pa
from sqlalchemy import Connection, func, select
from sqlalchemy.schema import CreateTable

from sync_pipeline.entities import Entity, Stream
from sync_pipeline.mapping.pushable import CREATABLE
from sync_pipeline.warehouse import upsert
from sync_pipeline.warehouse.copy import copy_rows
from sync_pipeline.warehouse.echo import mark_own_creations, mark_own_writes
from sync_pipeline.warehouse.engine import in_words
from sync_pipeline.warehouse.hashes import content_hashes
from sync_pipeline.warehouse.stored import outpaced, standing_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of a frame were what."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    outdated: int = 0


def rows_of(entity: Entity, frame: pd.DataFrame) -> pa.Table:
    """Return a normalised frame as the rows to load, with the hash of their content."""
    columns = {name: frame[name].array.__arrow_array__() for name in frame.columns}
    columns["content_hash"] = pa.array(content_hashes(entity, frame), pa.binary())
    return pa.table(columns)


def load(connection: Connection, stream: Stream, frame: pd.DataFrame, *, run_id: str) -> Loaded:
    """Upsert ``frame`` (as `normalise` made it, keys unique) inside the caller's transaction.

    Raises UnstorableError when PostgreSQL cannot hold a value of it, other WarehouseErrors when
    it is away or refuses; after either the transaction can only be rolled back.
    """
    ordered = frame.sort_values(stream.entity.key, ignore_index=True)
    keys, scopes = ordered[stream.entity.key].tolist(), ordered["scope"].fillna("").tolist()
    with in_words():
        standing = standing_of(connection, stream, keys)
        held = outpaced(connection, stream, scopes, ordered["observed_at"].tolist())
    is_new = ordered.index.isin(set(standing.missing) - held)
    new, known = (rows_of(stream.entity, ordered[some]) for some in (is_new, ~is_new))
    return load_pieces(connection, stream, [new], [known], run_id=run_id)


def load_pieces(
    connection: Connection,
    stream: Stream,
    new: Iterable[pa.Table],
    known: Iterable[pa.Table],
    *,
    run_id: str,
) -> Loaded:
    """Do the same with rows (of `rows_of`) of which it is known what the table holds.

    The keys of ``new`` were not in the table and are in order, over all of its pieces, and no
    proof of their scopes is younger than they are. Each piece is asked for when the one before is
    on its way to the server.
    """
    pieces = (rows for rows in new if len(rows))
    with in_words():
        inserted, left = _insert(connection, stream, pieces, run_id)
        staged = [*left, *(rows for rows in known if len(rows))]
        verdicts = _upsert(connection, stream, staged, run_id) if staged else {}
    return Loaded(
        inserted=inserted + verdicts.get("new", 0),
        updated=verdicts.get("changed", 0) + verdicts.get("revived", 0),
        unchanged=verdicts.get("same", 0),
        # A row without a verdict was removed by another session in the meantime.
        outdated=verdicts.get("outdated", 0) + verdicts.get(None, 0),
    )


def _insert(
    connection: Connection, stream: Stream, pieces: Iterator[pa.Table], run_id: str
) -> tuple[int, list[pa.Table]]:
    """Return how many rows went straight in, and all of them instead where another was faster."""
    first = next(pieces, None)
    if first is None:
        return 0, []
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    sent: list[pa.Table] = [first]

    def completed() -> Iterator[pa.Table]:
        yield _complete(first, stream, run_id, now)
        for piece in pieces:
            sent.append(piece)
            yield _complete(piece, stream, run_id, now)

    try:
        with connection.begin_nested():
            copy_rows(connection, stream.entity.table, completed())
    except psycopg.errors.UniqueViolation:
        # Another session has just inserted one of the keys: all go the long way, in order.
        return 0, [*sent, *pieces]
    _mark_own_creations(connection, stream, sent)
    return sum(len(piece) for piece in sent), []


def _upsert(
    connection: Connection, stream: Stream, pieces: Sequence[pa.Table], run_id: str
) -> dict[str | None, int]:
    staging = upsert.staging_table(stream.entity)
    statements = upsert.statements(stream.entity)
    written = {
        "the_source": stream.source,
        "the_entity": stream.entity.name,
        "the_run": run_id,
    }
    connection.execute(CreateTable(staging, if_not_exists=True))
    connection.execute(statements.empty_staging)
    copy_rows(connection, staging, pieces)
    for statement in statements.in_order:
        connection.execute(statement, written)
    connection.execute(mark_own_writes(stream.entity, staging), written)
    _mark_own_creations(connection, stream, pieces)
    return dict(connection.execute(statements.count_verdicts).all())


def _mark_own_creations(connection: Connection, stream: Stream, pieces: Sequence[pa.Table]) -> None:
    if stream in CREATABLE:
        keys = [key for piece in pieces for key in piece.column(stream.entity.key).to_pylist()]
        asked = {"the_source": stream.source, "the_entity": stream.entity.name, "the_keys": keys}
        connection.execute(mark_own_creations(stream.entity), asked)


def _complete(piece: pa.Table, stream: Stream, run_id: str, now: datetime) -> pa.Table:
    """Return the rows with what the table says of each version."""
    instant = pa.timestamp("us", tz="UTC")
    same = {
        "source": pa.scalar(stream.source),
        "cause": pa.scalar("source"),
        "run_id": pa.scalar(run_id),
        "loaded_at": pa.scalar(now, instant),
    }
    complete = piece.drop_columns(["scope"])
    for name, value in same.items():
        complete = complete.append_column(name, pa.repeat(value, len(piece)))
    return complete
