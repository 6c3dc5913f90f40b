"""Load a rejected record from the bytes that were kept of it, when it can be read no more.

The one load that no request precedes. Its row is as old as the reading that brought the bytes, so
anything fresher wins.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.keys import key_of
from sync_pipeline.pull.recall import with_recalled
from sync_pipeline.records import Record, Reject
from sync_pipeline.warehouse.engine import UnstorableError, in_words
from sync_pipeline.warehouse.load import Loaded, load
from sync_pipeline.warehouse.progress import hold_scopes
from sync_pipeline.warehouse.runs import BatchCounts, RunKey, Traffic, count_batch

_TWO_FORMS = 2
_FORMS = msgspec.json.Decoder(list[msgspec.Raw])


def load_kept(connection: Connection, run: RunKey, kept: Reject) -> str | Loaded:
    """Commit the row that the bytes make, counted in ``run``; or return what is wrong with them.

    The proof of a list that no longer holds the record does not stand in its way: it says that
    the source has lost the record, which is why the kept bytes are all there is.
    """
    record = _record(run.stream, kept)
    if isinstance(record, str):
        return record
    try:
        with in_words(), connection.begin():
            hold_scopes(connection, run.stream, [record.scope])
            normalised = NORMALISERS[run.stream](with_recalled(connection, run.stream, [record]))
            if normalised.rejects:
                return normalised.rejects[0].reason
            scopes = normalised.frame["scope"]
            frame = normalised.frame.assign(scope=scopes.mask(scopes.notna()))
            loaded = load(connection, run.stream, frame, run_id=run.run_id)
            count_batch(connection, run, _counts(loaded), Traffic())
    except UnstorableError as exc:
        return str(exc)
    return loaded


def _record(stream: Stream, kept: Reject) -> Record | str:
    if kept.code == "no_detail":
        return kept.reason
    record_id = kept.record_id or key_of(stream)(kept.payload)
    if record_id is None:
        return kept.reason
    listed, detail = _forms(kept.payload)
    if not NORMALISERS[stream].recognises(listed):
        return kept.reason
    return Record(record_id, kept.scope, listed, detail, None, kept.observed_at)


def _forms(payload: bytes) -> tuple[bytes, bytes]:
    """Return the two forms of a record of which `Record.payload` made one array, or the one."""
    try:
        forms = _FORMS.decode(payload)
    except (msgspec.DecodeError, UnicodeError):
        return payload, b""
    if len(forms) != _TWO_FORMS:
        return payload, b""
    return bytes(forms[0]), bytes(forms[1])


def _counts(loaded: Loaded) -> BatchCounts:
    return BatchCounts(loaded.inserted, loaded.updated, loaded.unchanged, outdated=loaded.outdated)
