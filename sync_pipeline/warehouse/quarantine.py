"""Records that break the contract (`ops.quarantine`): kept with their bytes, settled when sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.records import Reject, is_storable_id
from sync_pipeline.warehouse.statements import named, statement

_OPEN_AT_ONCE = 1_000


def quarantine(connection: Connection, stream: Stream, rejects: Sequence[Reject]) -> None:
    """Keep ``rejects``; the same defect of the same record, met again, renews its row."""
    # One statement cannot touch a row twice: of equal defects the latest reading stays. In one
    # order everywhere, so that two batches never wait for one another in a circle.
    latest = {_defect(r): r for r in sorted(rejects, key=lambda reject: reject.observed_at)}
    kept = [latest[defect] for defect in sorted(latest)]
    if not kept:
        return
    connection.execute(
        statement("quarantine_records"),
        named(stream)
        | {
            "record_ids": [_storable(r.record_id) for r in kept],
            "payloads_raw": [r.payload for r in kept],
            "payloads": [_as_jsonb(r.payload) for r in kept],
            "reasons": [r.reason for r in kept],
            "error_codes": [r.code for r in kept],
            "observed_at": [r.observed_at for r in kept],
            "scopes": [r.scope for r in kept],
        },
    )


def undiscarded(connection: Connection, stream: Stream, rejects: Sequence[Reject]) -> list[Reject]:
    """Return those that no person has discarded: with another defect or other bytes they count."""
    if not rejects:
        return []
    parameters = named(stream) | {
        "record_ids": [_storable(r.record_id) for r in rejects],
        "digests": [sha256(r.payload).digest() for r in rejects],
        "error_codes": [r.code for r in rejects],
    }
    places = set(connection.execute(statement("discarded_records"), parameters).scalars())
    return [reject for place, reject in enumerate(rejects, 1) if place not in places]


def resolve_quarantine(
    connection: Connection, stream: Stream, sound: Mapping[str, datetime]
) -> None:
    """Settle the open rows of records of which a later reading was ``sound`` (id → read at)."""
    # Few are open, and most records never were: to hand over each one's id would cost more than
    # all else that an unchanged record costs.
    query = statement("open_quarantine")
    broken = connection.execute(query, named(stream) | {"most": _OPEN_AT_ONCE}).scalars().all()
    settled = set(sound) if len(broken) == _OPEN_AT_ONCE else sound.keys() & set(broken)
    if settled:
        connection.execute(
            statement("resolve_quarantine"),
            named(stream)
            | {
                "record_ids": list(settled),
                "observed_at": [sound[record_id] for record_id in settled],
            },
        )


def _defect(reject: Reject) -> tuple[str, str, bytes]:
    record_id = _storable(reject.record_id)
    return (reject.code, record_id, b"") if record_id else (reject.code, "", reject.payload)


def _storable(record_id: str | None) -> str | None:
    return record_id if record_id and is_storable_id(record_id) else None


def _as_jsonb(payload: bytes) -> str | None:
    """Return the payload as JSON that jsonb takes for certain, or null."""
    try:
        text = json.dumps(json.loads(payload), allow_nan=False, ensure_ascii=False)
        # A lone surrogate cannot be encoded.
        text.encode()
    except (ValueError, RecursionError):
        return None
    # A backslash before the escape would make it plain text.
    return None if r"\u0000" in text.replace(r"\\", "") else text
