"""What the warehouse knows of lists under contacts, before they are read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.warehouse.progress import Proof
from sync_pipeline.warehouse.statements import named, statement


@dataclass(frozen=True, slots=True)
class KnownList:
    """The rows of one contact's list that are stored with all that their source says of them.

    ``newest_at`` is the latest creation time among them; ``swept_at`` when the whole list was
    last read, and ``proof`` how that was proven.
    """

    ids: frozenset[str] = frozenset()
    newest_at: datetime | None = None
    swept_at: datetime | None = None
    proof: Proof = Proof.INCOMPLETE


def known_lists(
    connection: Connection, stream: Stream, contact_ids: Sequence[str]
) -> dict[str, KnownList]:
    """Return what is known of these contacts' lists (communications), by contact."""
    parameters = named(stream) | {"contact_ids": list(contact_ids)}
    return {
        row.contact_id: KnownList(
            frozenset(row.ids),
            row.newest_at,
            row.swept_at,
            Proof(row.proof),
        )
        for row in connection.execute(statement("known_lists"), parameters)
    }
