"""Any story of requests, workers, losses and decisions keeps the promises of the outbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sync_pipeline.errors import UndecidableError, WarehouseError
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.outbox import Claim, Delivery, Desk, Ending, desk_opened
from sync_pipeline.warehouse.push_requests import (
    APPROVE,
    DECLINE,
    DISCARD,
    RETRY,
    Ruling,
    decide,
)
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import at, rows

RECORDS, FIELDS, WORKERS = ("c1", "c2"), ("title", "first_name", "last_name"), (0, 1)
WAITING = ("pending", "sending", "rejected")
AFTERWARDS = ("confirmed", "rejected", "pending", "sending", "conflict", "uncertain", "dead")


@dataclass(frozen=True)
class Ask:
    record: str
    fields: frozenset[str]
    is_held: bool


@dataclass(frozen=True)
class Take:
    worker: int
    most: int


@dataclass(frozen=True)
class Settle:
    worker: int
    which: int
    status: str
    is_later: bool


@dataclass(frozen=True)
class Lose:
    """A worker dies, or (cut) its session does while it goes on."""

    worker: int
    is_cut: bool


@dataclass(frozen=True)
class Decide:
    which: int
    ruling: Ruling


@dataclass(frozen=True)
class Wait:
    hours: int


Step: TypeAlias = Ask | Take | Settle | Lose | Decide | Wait
ASKS = st.builds(
    Ask,
    st.sampled_from(RECORDS),
    st.frozensets(st.sampled_from(FIELDS), min_size=1),
    st.sampled_from([False, False, False, True]),
)
TAKES = st.builds(Take, st.sampled_from(WORKERS), st.integers(1, 3))
SETTLES = st.builds(
    Settle,
    st.sampled_from(WORKERS),
    st.integers(0, 2),
    st.sampled_from(AFTERWARDS),
    st.booleans(),
)
LOSSES = st.builds(Lose, st.sampled_from(WORKERS), st.booleans())
DECISIONS = st.builds(
    Decide, st.integers(0, 20), st.sampled_from([APPROVE, DECLINE, RETRY, DISCARD])
)
WAITS = st.builds(Wait, st.integers(1, 2))
STORIES = st.lists(
    st.one_of(ASKS, ASKS, TAKES, TAKES, SETTLES, SETTLES, LOSSES, DECISIONS, WAITS), max_size=30
)


@dataclass
class Worker:
    """A desk, its way out, and the claims that it has."""

    desk: Desk
    stack: ExitStack
    pid: int
    claims: list[Claim] = field(default_factory=list)


@dataclass
class Story:
    """One outbox with two workers; after each step everything that must hold is looked at."""

    engine: Engine
    workers: list[Worker] = field(default_factory=list)
    asked: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)
    sent: list[tuple[str, str, int]] = field(default_factory=list)
    before: dict[int, str] = field(default_factory=dict)
    hours: int = 0

    def take(self, step: Step) -> None:
        match step:
            case Ask():
                self._ask(step)
            case Take():
                self._claim(self.workers[step.worker], step.most)
            case Settle():
                self._settle(self.workers[step.worker], step)
            case Lose():
                self._lose(step)
            case Decide():
                self._decide(step)
            case Wait():
                self.hours += step.hours

    def hire(self) -> Worker:
        stack = ExitStack()
        desk = stack.enter_context(desk_opened(self.engine))
        with desk._session.begin():  # noqa: SLF001 -- to know what to cut
            pid = desk._session.execute(text("SELECT pg_backend_pid()")).scalar_one()  # noqa: SLF001 -- likewise
        return Worker(desk, stack, pid)

    def _ask(self, step: Ask) -> None:
        changes = {name: f"{name} {len(self.asked)}" for name in step.fields}
        if step.is_held:
            query = (
                "INSERT INTO push.updates (source, entity, entity_id, changes, base, base_at, "
                "requested_by, status) VALUES ('crmcom', 'contacts', :id, "
                "(SELECT jsonb_object_agg(f, f) FROM unnest(CAST(:fields AS text [])) AS f), "
                "'{}', now(), 'x', 'held') RETURNING id"
            )
            with self.engine.begin() as connection:
                asked = {"id": step.record, "fields": list(step.fields)}
                made = int(connection.execute(text(query), asked).scalar_one())
        else:
            made = ask(self.engine, changes, step.record)
        self.asked[made] = step.record, step.fields

    def _claim(self, worker: Worker, most: int) -> None:
        busy = {claim.record for one in self.workers for claim in one.claims}
        waiting = self._oldest_due() - busy
        claims = worker.desk.claim(now=at(self.hours), most=most)
        assert len({claim.record for claim in claims} | busy) == len(claims) + len(busy)
        assert {claim.record for claim in claims} <= waiting
        # Less than is there, only where fresher updates superseded the rest at that moment.
        assert len(claims) == min(most, len(waiting)) or self._oldest_due() - busy != waiting
        for claim in claims:
            event("an orphan" if claim.is_orphan else "a claim")
            update = claim.update
            self.sent += [(claim.record, name, update.id) for name in update.changes]
        worker.claims += claims

    def _oldest_due(self) -> set[str]:
        query = """
            SELECT record FROM (
                SELECT DISTINCT ON (record) record, next_attempt_at FROM push.updates
                WHERE status IN ('pending', 'sending', 'rejected') ORDER BY record, id
            ) AS heads WHERE next_attempt_at IS NULL OR next_attempt_at <= :now
        """
        return {str(record) for (record,) in rows(self.engine, query, now=at(self.hours))}

    def _settle(self, worker: Worker, step: Settle) -> None:
        if not worker.claims:
            return
        claim = worker.claims.pop(step.which % len(worker.claims))
        ending = Ending(
            claim,
            step.status,
            next_attempt_at=at(self.hours + 1) if step.is_later else None,
            deliveries=[Delivery("x", sent_at=at(self.hours))],
            written=claim.update.changes if step.status == "confirmed" else {},
        )
        (status,) = worker.desk.settle([ending])
        assert status in {step.status, "superseded"}

    def _lose(self, step: Lose) -> None:
        worker = self.workers[step.worker]
        pid = worker.pid
        if step.is_cut:
            rows(self.engine, "SELECT pg_terminate_backend(:pid)", pid=pid)
        else:
            worker.stack.close()
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"
        while rows(self.engine, gone, pid=pid) != [(0,)]:
            time.sleep(0.002)
        if step.is_cut:
            for claim in worker.claims:
                with pytest.raises(WarehouseError):
                    worker.desk.settle([Ending(claim, "confirmed")])
            worker.stack.close()
        self.workers[step.worker] = self.hire()

    def _decide(self, step: Decide) -> None:
        if not self.asked:
            return
        update_id = sorted(self.asked)[step.which % len(self.asked)]
        try:
            with transaction(self.engine) as connection:
                decide(connection, [update_id], step.ruling, by="x")
        except UndecidableError:
            assert self.before[update_id] not in step.ruling.from_statuses

    def look(self, steps: set[tuple[str, str]]) -> None:
        found = rows(
            self.engine,
            "SELECT id, status, changes, superseded_by, superseded_changes, sent_at IS NOT NULL "
            "FROM push.updates ORDER BY id",
        )
        now = {int(str(row[0])): str(row[1]) for row in found}
        assert now.keys() == self.asked.keys()
        for update_id, status in now.items():
            was = self.before.get(update_id, "")
            assert status == was or (was, status) in steps
        self.before = now
        claimed = {c.update.id for worker in self.workers for c in worker.claims}
        assert claimed <= {update_id for update_id, status in now.items() if status == "sending"}
        self._look_at_fields(found)
        for record in RECORDS:
            for name in FIELDS:
                ids = [i for r, n, i in self.sent if r.endswith(record) and n == name]
                assert ids == sorted(ids), "an older value was sent after a fresher one"

    def _look_at_fields(self, found: list[tuple[object, ...]]) -> None:
        """Each field is where it belongs, and waits in one update of a record only."""
        ahead: dict[tuple[str, str], int] = {}
        for raw_id, status, changes, superseded_by, taken, is_sent in reversed(found):
            assert isinstance(changes, dict)
            assert isinstance(superseded_by, dict)
            record, fields = self.asked[int(str(raw_id))]
            assert changes.keys() | superseded_by.keys() == fields
            assert not changes.keys() & superseded_by.keys()
            assert isinstance(taken, dict)
            assert taken.keys() == superseded_by.keys()
            for name in changes:
                if status in {"pending", "rejected"}:
                    assert (record, name) not in ahead
                if status in WAITING or is_sent:
                    ahead[record, name] = int(str(raw_id))


@contextmanager
def story_on(engine: Engine) -> Iterator[Story]:
    """Yield a story that begins with an empty outbox."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE push.updates, push.deliveries, push.ledger CASCADE"))
    story = Story(engine)
    story.workers = [story.hire() for _ in WORKERS]
    try:
        yield story
    finally:
        for worker in story.workers:
            worker.stack.close()


def tell(engine: Engine, *, examples: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """Tell stories on the warehouse, and look at everything after each step."""
    put_contacts(engine, *RECORDS)
    steps = {
        (str(before), str(after))
        for before, after in rows(engine, "SELECT from_status, to_status FROM push.transitions")
    }

    @given(STORIES)
    @settings(max_examples=examples, phases=phases)
    def holds(story_steps: list[Step]) -> None:
        with story_on(engine) as story:
            for step in story_steps:
                story.take(step)
                story.look(steps)

    holds()


def test_whatever_happens_every_update_is_in_one_state_and_no_older_value_follows_a_fresher(
    engine: Engine,
) -> None:
    tell(engine, examples=150)


def test_the_stories_notice_that_a_rule_was_left_out(engine: Engine) -> None:
    query = "SELECT pg_get_functiondef('push.keep_to_the_rules'::regproc)"
    ((rule,),) = rows(engine, query)
    without = str(rule).replace("fresher.status IN ('pending', 'sending', 'rejected') OR", "")
    assert without != rule
    with engine.begin() as connection:
        connection.exec_driver_sql(without, execution_options={"no_parameters": True})
    with pytest.raises(AssertionError):
        tell(engine, examples=150, phases=(Phase.generate,))
