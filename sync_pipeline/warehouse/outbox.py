"""The outbox (`push.updates`) for those who send: claim what is due, say what came of it.

One `Desk` per worker, on a session of its own: the locks of the records that it has claimed end
with that session, however it ends. Who goes before whom, and which states follow which, is held
to by the database (`push.keep_to_the_rules`). What persons do with them is in `decisions`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, CursorResult, Engine

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import in_words
from sync_pipeline.warehouse.statements import statement

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Update:
    """One row of the outbox; ``changes`` and ``base`` have the form of the warehouse, as JSON.

    ``base_at`` is when the source was seen to hold the base.
    """

    id: int
    source: str
    entity: str
    entity_id: str
    changes: dict[str, object]
    base: dict[str, object]
    base_at: datetime
    status: str
    attempts: int
    refusals: int

    @property
    def stream(self) -> Stream:
        """What the record is one of."""
        return STREAMS[f"{self.source}/{self.entity}"]


@dataclass(frozen=True, slots=True)
class Claim:
    """An update that is this worker's to send, and nobody else's.

    ``is_orphan``: an earlier worker had it and may have sent it, or do so until ``maybe_sent_at``:
    look first, never just send.
    """

    update: Update
    record: str
    is_orphan: bool
    maybe_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: ``before`` and ``after`` are the fields as the source held them."""

    outcome: str
    sent_at: datetime | None = None
    request: object = None
    answer_status: int | None = None
    before: Values | None = None
    after: Values | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a claim: its next state, the attempts, what the source holds from now on.

    ``written`` are the fields with the values read back (or accepted, where none can be read), in
    the form of the warehouse; they go to the ledger. The state `sending` keeps the update from
    everybody until ``next_attempt_at``; whoever claims it then has to look first.
    """

    claim: Claim
    status: str
    error: str | None = None
    next_attempt_at: datetime | None = None
    created_id: str | None = None
    deliveries: Sequence[Delivery] = ()
    written: Values = field(default_factory=dict)
    written_at: datetime | None = None

    def facts(self) -> dict[str, object]:
        """Return it as `settle_updates` takes it."""
        sent = [one.sent_at for one in self.deliveries if one.sent_at is not None]
        return {
            "id": self.claim.update.id,
            "status": self.status,
            "error": self.error,
            "next_attempt_at": self.next_attempt_at,
            "created_id": self.created_id,
            "sent_at": max(sent, default=None),
            "deliveries": self.deliveries,
            "written": self.written,
            "written_at": self.written_at,
        }


@dataclass(slots=True)
class Desk:
    """A worker's place at the outbox. Its methods may be called from several threads.

    All of them raise WarehouseError when the session is gone; nothing may be sent from then on.
    """

    _session: Connection
    _window: timedelta
    _name: str = field(default_factory=lambda: str(uuid.uuid4()))
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, *, now: datetime, source: str | None = None, most: int = 1) -> list[Claim]:
        """Take up to ``most`` updates, the oldest first; each is `sending` before this returns.

        Of a record only the oldest update that waits for the machine is taken, and none while
        another worker has one. An empty list: nothing is due now.
        """
        parameters = {"now": now, "source": source, "most": most}
        with self._turn:
            while True:
                with self._transaction():
                    found = self._execute("find_due_updates", parameters).all()
                    locked = {row.id: row.record for row in found if row.is_locked}
                    taken = {"ids": list(locked), "now": now, "claimed_by": self._name}
                    taken |= {"lost_until": now + self._window}
                    rows = self._execute("claim_updates", taken).mappings().all()
                claims = [_claim(dict(row)) for row in rows if row["status"] == "sending"]
                self._unlock(set(locked.values()) - {claim.record for claim in claims})
                # What fresher updates superseded at this moment makes room for others.
                if claims or not rows:
                    return claims

    def still_holds(self, claims: Sequence[Claim]) -> list[bool]:
        """Tell of each update whether it is still this worker's: ask right before a request."""
        ids = [claim.update.id for claim in claims]
        with self._turn, self._transaction():
            asked = {"ids": ids, "claimed_by": self._name}
            held = set(self._execute("held_updates", asked).scalars())
        return [update_id in held for update_id in ids]

    def settle(self, endings: Sequence[Ending]) -> list[str | None]:
        """Write down what came of some claims, all in one transaction, and let the records go.

        Returns the state that each is in now: `superseded` in the place of `pending` where
        fresher updates have all of its fields; None where the claim was lost to another worker,
        and then only the attempts are kept.
        """
        facts = msgspec.json.encode([ending.facts() for ending in endings]).decode()
        with self._turn:
            with self._transaction():
                asked = {"endings": facts, "claimed_by": self._name}
                rows = self._execute("settle_updates", asked).all()
            self._unlock({ending.claim.record for ending in endings})
        states = {row.id: row.status for row in rows}
        return [states.get(ending.claim.update.id) for ending in endings]

    def close(self) -> None:
        """Let all records go, once whoever is at it has done."""
        with self._turn:
            self._session.close()

    def _unlock(self, records: set[str]) -> None:
        if records:
            with self._transaction():
                self._execute("unlock_records", {"records": list(records)})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._session.invalidated or self._session.closed:
            # It might be opened anew, without the locks.
            raise WarehouseError("the session that held the records is gone")
        with in_words(), self._session.begin():
            yield

    def _execute(self, name: str, parameters: Mapping[str, object]) -> CursorResult[object]:
        return self._session.execute(statement(name), parameters)


@dataclass(frozen=True, slots=True)
class Peeked:
    """An update that a cycle would send; those of one ``record`` go one after the other.

    ``planned_by`` is the push model that asks for it in the transaction it was looked at in.
    """

    update: Update
    record: str
    planned_by: str | None


def peek(connection: Connection, *, source: str, now: datetime, most: int) -> list[Peeked]:
    """Return what workers would take now, in order, without taking it."""
    parameters = {"source": source, "now": now, "most": most}
    rows = [
        dict(row) for row in connection.execute(statement("peek_updates"), parameters).mappings()
    ]
    return [
        Peeked(planned_by=row.pop("planned_by"), record=row.pop("record"), update=_update(row))
        for row in rows
    ]


def allotted(
    connection: Connection, sources: Sequence[str], *, now: datetime, most: int
) -> dict[str, int]:
    """Return how many updates of each source are among the ``most`` oldest that are due."""
    parameters = {"sources": list(sources), "now": now, "most": most}
    rows = connection.execute(statement("allot_updates"), parameters).all()
    return dict.fromkeys(sources, 0) | {row.source: row.updates for row in rows}


@contextmanager
def desk_opened(engine: Engine, *, window: timedelta = timedelta(0)) -> Iterator[Desk]:
    """Yield a desk; at the end, or when the process dies, its records are free for others.

    ``window``: how long any worker may still begin to send that has lost its session.
    """
    with in_words(), engine.connect() as session:
        # Each statement is a transaction: nothing of what a desk does takes two.
        session.execution_options(isolation_level="AUTOCOMMIT")
        # Never back to the pool: its locks would go on.
        session.detach()
        with session.begin():
            session.execute(statement("open_desk"))
        desk = Desk(session, window)
        try:
            yield desk
        finally:
            desk.close()


def _claim(facts: dict[str, object]) -> Claim:
    record, was = str(facts.pop("record")), facts.pop("was")
    maybe_sent_at = facts.pop("maybe_sent_at")
    assert maybe_sent_at is None or isinstance(maybe_sent_at, datetime)  # noqa: S101 -- by its type
    return Claim(_update(facts), record, was == "sending", maybe_sent_at)


def _update(facts: dict[str, object]) -> Update:
    return msgspec.convert(facts, Update)
