"""What proven readings did not name: such rows become candidates (`ops.absences`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, TableValuedAlias, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from sync_pipeline.entities import INSTANT, TEXT, Stream
from sync_pipeline.warehouse.absences import forget_absences
from sync_pipeline.warehouse.statements import named, statement

_KEYS_AT_ONCE = 10_000
_LISTS_AT_ONCE = 500


class Keys(Protocol):
    """The keys that a reading of a list has seen."""

    def holds(self, marks: Sequence[str]) -> list[bool]:
        """Return for each of ``marks`` whether it was seen."""
        ...


@dataclass(frozen=True, slots=True)
class ProvenList:
    """A list that was read and proven to its last row: '' is the stream's own, else a contact's."""

    scope: str
    read_at: datetime
    seen: Keys


@dataclass(frozen=True, slots=True)
class Missed:
    """A record that a reading shows to be absent; ``read_at`` is when that began."""

    record_id: str
    scope: str
    read_at: datetime


def note_absences(
    connection: Connection,
    stream: Stream,
    lists: Sequence[ProvenList],
    *,
    is_whole: bool = False,
) -> None:
    """Make candidates of the stored rows that belong to these lists and were not seen in them.

    Those that were seen cease to be candidates. Rows that were read since the list was begun are
    none: they may have been added behind its end. ``is_whole`` says that the stream's own list
    is known to name every row of the table.
    """
    own = [read for read in lists if not read.scope]
    others = [read for read in lists if read.scope]
    for read in own:
        _forget_seen(connection, stream, [read])
        if is_whole:
            continue
        for keys in _keys_in_chunks(connection, stream, read.read_at):
            held = read.seen.holds(keys)
            missed = [key for key, is_held in zip(keys, held, strict=True) if not is_held]
            _note(connection, stream, [Missed(key, "", read.read_at) for key in missed])
    for start in range(0, len(others), _LISTS_AT_ONCE):
        some = others[start : start + _LISTS_AT_ONCE]
        _forget_seen(connection, stream, some)
        _note(connection, stream, _missed_under(connection, stream, some))


def note_missed(connection: Connection, stream: Stream, missed: Sequence[Missed]) -> None:
    """Make candidates of the stored rows among these records, which their own answers missed."""
    if not missed:
        return
    latest = {m.record_id: m for m in sorted(missed, key=lambda m: m.read_at)}
    table, key = stream.entity.table, stream.entity.table.c[stream.entity.key]
    wanted = _instants("missed", {m.record_id: m.read_at for m in latest.values()})
    query = (
        select(key)
        .join(wanted, wanted.c.name == key)
        .where(table.c.source == stream.source, table.c.deleted_at.is_(None))
        .where(table.c.observed_at < wanted.c.read_at)
    )
    stored = connection.execute(query).scalars().all()
    _note(connection, stream, [latest[record_id] for record_id in stored])


def _note(connection: Connection, stream: Stream, missed: Sequence[Missed]) -> None:
    if not missed:
        return
    parameters = {
        "record_ids": [m.record_id for m in missed],
        "scopes": [m.scope for m in missed],
        "missed_at": [m.read_at for m in missed],
        # By the clock that the readings are timed by.
        "noted_at": datetime.now(UTC),
    }
    connection.execute(statement("note_absences"), named(stream) | parameters)


def _forget_seen(connection: Connection, stream: Stream, lists: Sequence[ProvenList]) -> None:
    """Remove the candidates of these lists that were seen in them."""
    by_scope = {read.scope: read for read in lists}
    last = ("", "")
    while True:
        parameters = {"scopes": list(by_scope), "after_scope": last[0], "after_id": last[1]}
        asked = named(stream) | parameters | {"most": _KEYS_AT_ONCE}
        page = connection.execute(statement("absences_of_scopes"), asked).all()
        if not page:
            return
        seen = {
            row.record_id: by_scope[row.scope].read_at
            for row in page
            if by_scope[row.scope].seen.holds([row.record_id]) == [True]
        }
        forget_absences(connection, stream, seen)
        last = (page[-1].scope, page[-1].record_id)


def _keys_in_chunks(
    connection: Connection, stream: Stream, read_at: datetime
) -> Iterator[Sequence[str]]:
    """Yield the keys of the source's rows that are not deleted and were there at ``read_at``.

    One cursor over the table, not one query after the other: before the table is analysed,
    PostgreSQL would sort all of it for each.
    """
    table, key = stream.entity.table, stream.entity.table.c[stream.entity.key]
    query = (
        select(key)
        .where(table.c.source == stream.source, table.c.deleted_at.is_(None))
        .where(table.c.observed_at < read_at)
        .execution_options(yield_per=_KEYS_AT_ONCE)
    )
    yield from connection.execute(query).scalars().partitions()


def _missed_under(
    connection: Connection, stream: Stream, lists: Sequence[ProvenList]
) -> list[Missed]:
    """Return the stored rows under these contacts that their lists do not name."""
    by_scope = {read.scope: read for read in lists}
    table, key = stream.entity.table, stream.entity.table.c[stream.entity.key]
    wanted = _instants("wanted", {read.scope: read.read_at for read in lists})
    ids = func.array_agg(key).label("ids")
    query = (
        select(table.c.contact_id, ids)
        .join(wanted, wanted.c.name == table.c.contact_id)
        .where(table.c.source == stream.source, table.c.deleted_at.is_(None))
        .where(table.c.observed_at < wanted.c.read_at)
        .group_by(table.c.contact_id)
    )
    missed = []
    for contact_id, stored in connection.execute(query):
        read = by_scope[contact_id]
        held = zip(stored, read.seen.holds(stored), strict=True)
        missed += [Missed(key, contact_id, read.read_at) for key, is_held in held if not is_held]
    return missed


def _instants(name: str, instants: Mapping[str, datetime]) -> TableValuedAlias:
    """Return a table of the names with their instants (``name``, ``read_at``)."""
    arrays = cast(list(instants), ARRAY(TEXT)), cast(list(instants.values()), ARRAY(INSTANT))
    columns = column("name", TEXT), column("read_at", INSTANT)
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived()
