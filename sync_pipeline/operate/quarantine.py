"""Replay what lies in quarantine: read each record again from its source, as any pull does.

Only where the source has it no more are the kept bytes loaded in its place.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Engine, func, select

from sync_pipeline.entities import Stream
from sync_pipeline.errors import SyncError
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import load_kept_bytes, pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.load import Loaded
from sync_pipeline.warehouse.progress import Due, Reason
from sync_pipeline.warehouse.quarantine_rows import (
    Chosen,
    Kept,
    Standing,
    find_rejects,
    list_open,
    require_open,
    settle,
    standing_of,
)
from sync_pipeline.webhooks.nameless import ERROR_CODE, settle_nameless

# Each is asked for by name, and locked by it.
AT_ONCE = 500
_ITS_LIST = ""


class Result(StrEnum):
    """What the replay of a row came to."""

    LOADED = "loaded"
    REJECTED = "still quarantined"
    UNREAD = "could not be read"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A row that was replayed; ``why`` is what a person should know of it."""

    kept: Kept
    result: Result
    why: str

    def row(self) -> dict[str, object]:
        """Return the line that a person reads."""
        return {
            "id": self.kept.id,
            "stream": str(self.kept.stream),
            "record_id": self.kept.record_id,
            "result": self.result.value,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class _Reread:
    """A reading: when it began, the scopes that it did not prove, and how it failed if it did."""

    since: datetime
    gaps: Mapping[str, Reason] = field(default_factory=dict)
    error: str | None = None


def replay(engine: Engine, settings: Settings, chosen: Chosen) -> Iterator[Replayed]:
    """Replay the open rows that are meant, stream by stream; yield what came of each.

    Raises NotInQuarantineError when an id that was named is not open, and reads nothing.
    """
    with transaction(engine) as connection:
        rows, _ = list_open(connection, chosen, most=None)
    require_open(chosen.ids, {kept.id for kept in rows})
    by_stream: dict[Stream, list[Kept]] = {}
    for kept in rows:
        by_stream.setdefault(kept.stream, []).append(kept)
    for stream, of_stream in by_stream.items():
        at_once = AT_ONCE if stream.has_single_reads else len(of_stream)
        for start in range(0, len(of_stream), at_once):
            some = of_stream[start : start + at_once]
            yield from _Replay(engine, settings, stream).run(some)


@dataclass(frozen=True, slots=True)
class _Replay:
    engine: Engine
    settings: Settings
    stream: Stream

    def run(self, rows: Sequence[Kept]) -> Iterator[Replayed]:
        """Read the records of ``rows`` again; yield what came of each."""
        events = [kept for kept in rows if kept.code == ERROR_CODE]
        records = [kept for kept in rows if kept.code != ERROR_CODE]
        yield from self._after_events(events)
        named = [kept for kept in records if _name(kept) is not None]
        yield from (Replayed(k, Result.UNREAD, _nameless(k)) for k in records if _name(k) is None)
        if named:
            yield from self._replay_records(named)

    def _after_events(self, rows: Sequence[Kept]) -> Iterator[Replayed]:
        """Read the whole list again: nothing tells of which tenant such an event speaks."""
        if not rows:
            return
        reread = self._read_again(())
        settle_nameless(self.engine)
        with transaction(self.engine) as connection:
            ids = [kept.id for kept in rows]
            settled = standing_of(connection, self.stream, ids, since=reread.since).settled
        unread = reread.error or "the list could not be read to its end"
        for kept in rows:
            if kept.id in settled:
                yield Replayed(kept, Result.LOADED, "the whole list was read again")
            else:
                yield Replayed(kept, Result.UNREAD, unread)

    def _replay_records(self, named: Sequence[Kept]) -> Iterator[Replayed]:
        reread = self._read_again([str(_name(kept)) for kept in named])
        with transaction(self.engine) as connection:
            ids = [kept.id for kept in named]
            stand = standing_of(connection, self.stream, ids, since=reread.since)
        gone: list[Kept] = []
        for kept in named:
            replayed = _judged(kept, reread, stand)
            if replayed is None:
                gone.append(kept)
            else:
                yield replayed
        yield from self._load_bytes(gone)

    def _read_again(self, names: Sequence[str]) -> _Reread:
        now = datetime.now(UTC)
        with transaction(self.engine) as connection:
            # By the clock that writes when a row was last seen.
            since = connection.execute(select(func.clock_timestamp())).scalar_one()
        only = tuple(dict.fromkeys(names)) if self.stream.has_single_reads else ()
        patience_s = self.settings.run_slice_seconds
        request = PullRequest(
            Due(now, as_of=now), math.inf, only=only, cause="replay", patience_s=patience_s
        )
        try:
            report = pull_stream(
                self.stream,
                request,
                settings=self.settings,
                engine=self.engine,
                run_id=str(uuid.uuid4()),
            )
        except SyncError as exc:
            return _Reread(since, error=str(exc))
        return _Reread(since, report.gaps)

    def _load_bytes(self, rows: Sequence[Kept]) -> Iterator[Replayed]:
        if not rows:
            return
        with transaction(self.engine) as connection:
            rejects = find_rejects(connection, [kept.id for kept in rows])
        loaded = load_kept_bytes(
            self.stream,
            [rejects[kept.id] for kept in rows],
            settings=self.settings,
            engine=self.engine,
            run_id=str(uuid.uuid4()),
        )
        for kept, outcome in zip(rows, loaded, strict=True):
            yield self._settled(kept, outcome)

    def _settled(self, kept: Kept, outcome: Loaded | str) -> Replayed:
        if isinstance(outcome, str):
            why = f"its source has it no more; the bytes that were kept: {outcome}"
            return Replayed(kept, Result.REJECTED, why)
        why = "its source has it no more"
        resolution = "loaded as kept"
        if outcome.outdated:
            resolution, why = "outdated", f"{why}; a later reading of it is stored"
        with transaction(self.engine) as connection:
            settle(connection, [kept.id], f"{resolution}: {why}")
        return Replayed(kept, Result.LOADED, f"{resolution}: {why}")


def _judged(kept: Kept, reread: _Reread, stand: Standing) -> Replayed | None:
    """Return what the reading made of a row; None where it did not bring the record."""
    if kept.id in stand.settled:
        return Replayed(kept, Result.LOADED, "")
    if kept.id in stand.rejected:
        return Replayed(kept, Result.REJECTED, stand.rejected[kept.id])
    if reread.error is not None:
        return Replayed(kept, Result.UNREAD, reread.error)
    name = _name(kept)
    gap = None if name is None else reread.gaps.get(name)
    if gap not in (None, Reason.NOT_FOUND):
        return Replayed(kept, Result.UNREAD, gap.value)
    return None


def _name(kept: Kept) -> str | None:
    """Return by what the record can be asked for."""
    if kept.stream.upstream is not None:
        return kept.scope
    return kept.record_id if kept.stream.has_single_reads else _ITS_LIST


def _nameless(kept: Kept) -> str:
    return f"nothing tells how to ask for it alone: `pull {kept.stream}` reads it again"
