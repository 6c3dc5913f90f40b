"""A sandbox, a warehouse that has read it, and cycles of pushes between the two."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from sqlalchemy import Engine, text

from sync_pipeline.entities import Stream
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.push.cycle import PushReport, push
from sync_pipeline.settings import Settings, read_settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.sandbox_process import Json, world

_REQUEST = "SELECT push.request_update(:source, :entity, :id, :changes, :base)"
_STATES = "SELECT id, status FROM push.updates ORDER BY id"
_WAITING = """
    SELECT
        count(*) > 0 AS is_waiting,
        extract(epoch FROM min(next_attempt_at) - clock_timestamp())::float AS due_in_s
    FROM push.updates WHERE status IN ('pending', 'sending', 'rejected')
"""
# What may be on its way is waited for, and for no longer.
_HURRY = """
    UPDATE push.updates
    SET next_attempt_at = CASE status
        WHEN 'sending' THEN clock_timestamp() + make_interval(secs => :grace_s)
    END
    WHERE
        status IN ('pending', 'rejected')
        OR (
            status = 'sending'
            AND next_attempt_at > clock_timestamp() + make_interval(secs => :grace_s)
        )
"""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Asks for updates, pushes them, and looks at both ends."""

    engine: Engine
    client: httpx.Client
    settings: Settings

    def pull(self, *streams: Stream) -> None:
        """Read streams as a whole."""
        for number, stream in enumerate(streams):
            now = datetime.now(UTC)
            request = PullRequest(Due(now, as_of=now), slice_s=300)
            run_id = f"pull-{now.timestamp()}-{number}"
            pull_stream(stream, request, settings=self.settings, engine=self.engine, run_id=run_id)

    def request(
        self, stream: Stream, record_id: str, changes: Json, base: Json | None = None
    ) -> int:
        """Put an update into the outbox; return its number."""
        asked: dict[str, str | None]
        asked = {"source": stream.source, "entity": stream.entity.name, "id": record_id}
        asked |= {"changes": json.dumps(changes)}
        asked |= {"base": None if base is None else json.dumps(base)}
        with self.engine.begin() as connection:
            return int(connection.execute(text(_REQUEST), asked).scalar_one())

    def push(self, **environ: str) -> PushReport:
        """Make one cycle, with some variables set otherwise."""
        settings = self.settings if not environ else settings_of(self.client, **environ)
        return push(self.engine, settings)

    def settle(self, push: Callable[[], object], *, within_s: float) -> bool:
        """Push until no update waits for the machine; return whether it came to that.

        Pauses are cut short.
        """
        ends_at = time.monotonic() + within_s
        grace_s = self.settings.push_grace_seconds
        while True:
            self.execute(_HURRY, grace_s=grace_s)
            push()
            (left,) = self.rows(_WAITING)
            if not left["is_waiting"]:
                return True
            if time.monotonic() > ends_at:
                return False
            if isinstance(left["due_in_s"], float):
                time.sleep(min(max(left["due_in_s"], 0), grace_s))

    def make_due(self) -> None:
        """Let no update wait for its pause."""
        self.execute("UPDATE push.updates SET next_attempt_at = NULL")

    def execute(self, statement: str, **parameters: object) -> None:
        """Change something behind the pipeline's back."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def states(self) -> dict[int, str]:
        """Return the state of each update."""
        with self.engine.connect() as connection:
            return {row.id: row.status for row in connection.execute(text(_STATES))}

    def rows(self, query: str, **parameters: object) -> list[Mapping[str, object]]:
        """Return the answer to a query, each row by column name."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), parameters).mappings()]

    def update(self, update_id: int, *names: str) -> tuple[object, ...]:
        """Return some columns of an update."""
        (row,) = self.rows("SELECT * FROM push.updates WHERE id = :id", id=update_id)
        return tuple(row[name] for name in names)

    def world(self, stream: Stream) -> dict[str, Json]:
        """Return the truth by key."""
        rows = world(self.client, stream.entity.name, stream.source)
        return {row[stream.entity.key]: row for row in rows}

    def writes(self) -> Sequence[Json]:
        """Return what the sandbox was sent to write, in order."""
        log: list[Json] = self.client.get("/_sandbox/log?cause=api").json()
        return [entry for entry in log if "method" in entry]


def settings_of(client: httpx.Client, **environ: str) -> Settings:
    """Return the settings that point at a sandbox."""
    told: dict[str, str] = client.get("/_sandbox/env").raise_for_status().json()
    return read_settings(told | environ)
