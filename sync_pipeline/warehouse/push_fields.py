"""The list of what may be written back (`push.fields`), as release and settings know it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection, Engine

from sync_pipeline.mapping.pushable import PUSHABLE, Pushable
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.statements import named, statement


def publish_fields(connection: Connection) -> None:
    """Have the database hold requests to the list of this release; one that it has is kept."""
    due = json.dumps([_row(one, position) for position, one in enumerate(PUSHABLE)])
    if not connection.execute(statement("has_push_fields"), {"fields": due}).scalar_one():
        connection.execute(statement("clear_push_fields"))
        connection.execute(statement("put_push_fields"), {"fields": due})


def note_api_versions(engine: Engine, versions: Mapping[str, str]) -> None:
    """Note which version of an API is configured, for those that have several."""
    with transaction(engine) as connection:
        for source, version in versions.items():
            parameters = {"source": source, "version": version}
            connection.execute(statement("note_api_version"), parameters)


def _row(one: Pushable, position: int) -> dict[str, object]:
    facts = {"field": one.field, "api_versions": one.api_versions, "is_for_new": one.is_for_new}
    return named(one.stream) | facts | asdict(one.value) | {"position": position}
