"""A sandbox, a warehouse that has read it, and cycles of pushes between the two."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
