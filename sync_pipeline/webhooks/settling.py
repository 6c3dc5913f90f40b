"""What a pull of named subjects comes to for the events that asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from sync_pipeline.entities import ROCS_CONTACTS, ROSAAS_TENANTS, Stream
from sync_pipeline.errors import SyncError
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.inbox import set_back_events, settle_events, settle_read_events
from sync_pipeline.warehouse.progress import Reason

# The stream that is read when a source tells of one of its subjects.
TOLD_STREAMS: Mapping[str, Stream] = {"rosaas": ROSAAS_TENANTS, "rocs": ROCS_CONTACTS}
# What another attempt may mend.
_PASSING = frozenset({Reason.UNAVAILABLE, Reason.WRONG_ANSWER})


def settle(
    engine: Engine,
    stream: Stream,
    subjects: Sequence[str],
    *,
    began_at: datetime,
    gaps: Mapping[str, Reason],
) -> None:
    """Mark what a reading that began at ``began_at`` answered; ``gaps`` is what it did not prove.

    A subject that the source does not know, or denies, is settled with that as its reason.
    """
    if stream not in TOLD_STREAMS.values() or not subjects:
        return
    passing = {name: str(gaps[name]) for name in subjects if gaps.get(name) in _PASSING}
    reasons = {name: reason.value for name, reason in gaps.items()}
    settled = [name for name in subjects if name not in passing]
    with transaction(engine) as connection:
        settle_events(connection, stream, settled, began_at=began_at, reasons=reasons)
        set_back_events(connection, stream, passing)


def set_back(engine: Engine, stream: Stream, subjects: Sequence[str], error: SyncError) -> None:
    """Note why a pull failed with the events that asked for it: they wait for the next attempt.

    Those whose contact had been read by then do not.
    """
    if stream not in TOLD_STREAMS.values():
        return
    with transaction(engine) as connection:
        # A tenant that was read is not done with before its work is confirmed.
        if stream == ROCS_CONTACTS:
            settle_read_events(connection, stream, subjects)
        set_back_events(connection, stream, dict.fromkeys(subjects, str(error)))
