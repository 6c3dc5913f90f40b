"""A million registered contacts: planning follows indexes, and holds no more than its chunks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.horizon import horizon
from sync_pipeline.warehouse.due import DueQuery, Queue, due_contacts
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.conftest import NewDatabase

MANY = 1_000_000
READ = 200_000
# One in a thousand is hinted, one in five thousand preferred; a tenth was never read, or more.
REGISTER = """
    INSERT INTO ops.contact_registry
        (contact_id, origin, first_seen_at, last_seen_at, hinted_at, priority)
    SELECT
        'c-' || lpad(CAST(n AS text), 7, '0'), 'file', now(), now(),
        CASE WHEN n % 1000 = 1 THEN now() - n % 48 * interval '1 hour' END,
        CAST(n % 5000 = 2 AS integer)
    FROM generate_series(1, :many) AS n
"""
PROVE = """
    INSERT INTO ops.watermarks (
        source, entity, scope, proof, proven_at, read_at, due_at, changed_at, wanted_at, aged_from
    )
    SELECT
        'crmcom', 'contacts', 'c-' || lpad(CAST(n AS text), 7, '0'), 'single_response', at, at,
        at + interval '8 minutes', at, at + n % 30 * interval '1 hour', at
    FROM generate_series(1, :read) AS n
    CROSS JOIN LATERAL (SELECT now() - n % 86400 * interval '1 second' AS at) AS was_read
    WHERE n % 10 > 0
"""
# What a run does before its first request, and as it goes on, in a process of its own.
CHILD = """
import asyncio, resource, sys
from datetime import UTC, datetime
from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.pull.due import due_scopes
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.work import Context
from sync_pipeline.settings import read_settings
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.progress import Due

async def walk():
    request = PullRequest(Due(datetime.now(UTC)), slice_s=60)
    context = Context(CRMCOM_CONTACTS, request, read_settings({}), open_engine(sys.argv[1]))
    total, scopes = await due_scopes(context)
    names = set()
    async for name in scopes:
        names.add(hash(name))
        if len(names) == 8_000:
            break
    print(len(names), total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(walk())
"""


@pytest.fixture(scope="module")
def crowded(create_database: NewDatabase, migrated_template: str) -> Iterator[Engine]:
    """Return a warehouse with a million contacts, filled so fast that nobody has counted them."""
    engine = open_engine(create_database(migrated_template))
    with engine.begin() as connection:
        fill(connection, many=MANY, read=READ)
    yield engine
    engine.dispose()


def fill(connection: Connection, *, many: int, read: int) -> None:
    for table in ("watermarks", "contact_registry"):
        connection.execute(text(f"ALTER TABLE ops.{table} SET UNLOGGED"))
    connection.execute(text(REGISTER), {"many": many})
    connection.execute(text(PROVE), {"read": read})


def plans(engine: Engine, due: Due) -> dict[Queue, str]:
    """Return how PostgreSQL found the second thousand of each queue, and how long it looked."""
    asked = DueQuery(CRMCOM_CONTACTS, due, horizon(due.now, timedelta(hours=24)))
    found: dict[Queue, list[str]] = {queue: [] for queue in Queue}
    with engine.begin() as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def explain(*call: object) -> None:
            _, cursor, statement, parameters, *_ = call
            if "LIMIT" in str(statement):
                cursor.execute(f"EXPLAIN (ANALYZE) {statement}", parameters)  # type: ignore[attr-defined]
                found[queue].append("\n".join(row[0] for row in cursor.fetchall()))  # type: ignore[attr-defined]

        for queue in Queue:
            first = due_contacts(connection, asked, queue, after=None, most=1_000)
            assert first
            due_contacts(connection, asked, queue, after=first[-1], most=1_000)
    return {queue: "\n".join(both) for queue, both in found.items()}


@pytest.mark.parametrize("is_counted", [False, True])
def test_the_next_contacts_are_found_by_indexes_alone(crowded: Engine, *, is_counted: bool) -> None:
    if is_counted:
        with crowded.begin() as connection:
            connection.execute(text("ANALYZE ops.watermarks, ops.contact_registry"))
    now = datetime.now(UTC)
    for due in (Due(now), Due(now, as_of=now)):
        for queue, plan in plans(crowded, due).items():
            assert " Scan using " in plan, queue
            kinds = set(re.findall(r"(Seq Scan|Bitmap|Hash|Materialize|Sort)\b", plan))
            # Those of one instant are put in the order of their ids.
            assert kinds <= ({"Sort"} if "Incremental Sort" in plan else set()), plan
            looked_at = [int(float(n)) for n in re.findall(r"rows=([\d.]+) loops", plan)]
            assert max(looked_at) < READ / 4, plan


def test_planning_takes_no_more_memory_for_a_hundred_times_the_contacts(
    crowded: Engine, engine: Engine
) -> None:
    with engine.begin() as connection:
        fill(connection, many=MANY // 100, read=READ // 100)

    few, many = peak_of(engine), peak_of(crowded)

    assert many < 1.15 * few


def peak_of(engine: Engine) -> int:
    """Return how much memory a process took that walked through 8,000 due contacts."""
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, url]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    walked, total, peak = map(int, ran.stdout.split())
    assert walked == 8_000
    assert total > walked
    return peak
