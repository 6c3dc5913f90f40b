"""What a push model has that is not asked for yet becomes updates, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.statements import named, statement

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('sync-pipeline model ' || :model, 0))")


@dataclass(frozen=True, slots=True)
class ModelOutcome:
    """What a model came to: of how many records something differs, and what was made of it.

    ``refused`` are values that cannot be written; ``withdrawn`` are updates held until now that
    the model does not ask for any more. Unless it ``is_within`` its bound nothing was planned.
    """

    records: int
    is_within: bool
    planned: int
    refused: int
    withdrawn: int


def model_fields(connection: Connection, model: str, stream: Stream) -> dict[str, bool]:
    """Return the fields of a model, and whether each can be written; empty: no such view."""
    rows = connection.execute(statement("model_fields"), named(stream) | {"model": model})
    return {row.field: row.is_pushable for row in rows}


def plan_model(  # noqa: PLR0913 -- which model, and the bounds that are set for it
    connection: Connection,
    model: str,
    stream: Stream,
    *,
    fields: Sequence[str],
    status: str,
    most: float,
) -> ModelOutcome:
    """Ask for what differs, of ``most`` records at most, as updates in ``status``."""
    # Two at once would ask for the same twice.
    connection.execute(_LOCK, {"model": model})
    asked = {"model": model, "fields": list(fields), "status": status, "most": most}
    row = connection.execute(statement("plan_model"), named(stream) | asked).mappings().one()
    return ModelOutcome(**row)
