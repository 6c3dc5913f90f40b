"""Records that break the contract (`ops.quarantine`): kept with their bytes, settled when sound."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.records import Reject
from sync_pipeline.warehouse.statements import statement


def quarantine(connection: Connection, stream: Stream, rejects: Sequence[Reject]) -> None:
    """Keep ``rejects``; the same defect of the same record, met again, renews its row."""
    # One statement cannot touch a row twice: of equal defects the last one stays.
    latest = {(r.record_id, r.code, None if r.record_id else r.payload): r for r in rejects}
    kept = list(latest.values())
    if not kept:
        return
    connection.execute(
        statement("quarantine_records"),
        {
            "source": stream.source,
            "entity": stream.entity.name,
            "record_ids": [_storable(r.record_id) for r in kept],
            "payloads_raw": [r.payload for r in kept],
            "payloads": [_as_jsonb(r.payload) for r in kept],
            "reasons": [r.reason for r in kept],
            "error_codes": [r.code for r in kept],
            "observed_at": [r.observed_at for r in kept],
        },
    )


def resolve_quarantine(connection: Connection, stream: Stream, record_ids: Sequence[str]) -> None:
    """Settle the open rows of records of which a later reading was sound."""
    if record_ids:
        connection.execute(
            statement("resolve_quarantine"),
            {
                "source": stream.source,
                "entity": stream.entity.name,
                "record_ids": list(record_ids),
            },
        )


def _storable(record_id: str | None) -> str | None:
    return None if record_id is None or "\x00" in record_id else record_id


def _as_jsonb(payload: bytes) -> str | None:
    """Return the payload as JSON that jsonb takes for certain, or null."""
    try:
        decoded = json.loads(payload)
        text = json.dumps(decoded, allow_nan=False, ensure_ascii=True)
    except (ValueError, RecursionError):
        return None
    return None if r"\u0000" in text or r"\ud" in text else text
