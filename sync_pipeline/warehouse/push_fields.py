"""The list of what may be written back (`push.fields`), as release and settings know it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Engine, text

from sync_pipeline.mapping.pushable import PUSHABLE, Pushable
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.statements import named, statement

# Of two processes that renew the list the second finds what the first has put.
_LOCK = text("LOCK TABLE push.fields IN SHARE ROW EXCLUSIVE MODE")


def publish_fields(connection: Connection) -> None:
    """Have the database hold requests to the list of this release; one that it has is kept."""
    _publish(connection, PUSHABLE, is_configured=False)


def note_api_versions(engine: Engine, versions: Mapping[str, str]) -> None:
    """Note which version of an API is configured, for those that have several."""
    with transaction(engine) as connection:
        for source, version in versions.items():
            parameters = {"source": source, "version": version}
            connection.execute(statement("note_api_version"), parameters)


def note_configured(engine: Engine, fields: Sequence[Pushable]) -> None:
    """Note which fields may be written back, by the settings, beside those of the release."""
    with transaction(engine) as connection:
        _publish(connection, fields, is_configured=True)


def _publish(connection: Connection, fields: Sequence[Pushable], *, is_configured: bool) -> None:
    # What is configured comes last in the list that is told to a person.
    first = len(PUSHABLE) if is_configured else 0
    facts = {"is_configured": is_configured}
    due = json.dumps([_row(one, first + number) | facts for number, one in enumerate(fields)])
    if connection.execute(statement("has_push_fields"), facts | {"fields": due}).scalar_one():
        return
    connection.execute(_LOCK)
    connection.execute(statement("clear_push_fields"), facts)
    connection.execute(statement("put_push_fields"), {"fields": due})


def _row(one: Pushable, position: int) -> dict[str, object]:
    facts = {"field": one.field, "api_versions": one.api_versions, "is_for_new": one.is_for_new}
    return named(one.stream) | facts | asdict(one.value) | {"position": position}
