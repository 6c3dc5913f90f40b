"""What one scope's reading brought, and the request that a run works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sync_pipeline.errors import SyncError
from sync_pipeline.pull.backfill_windows import Backfill
from sync_pipeline.pull.seen import Seen
from sync_pipeline.records import Record, Reject
from sync_pipeline.warehouse.progress import Coverage, Due, Proof, Reason, ScopeProgress


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a run is asked for.

    ``due`` says what counts as due; ``only`` names contacts or tenants, for a targeted pull;
    ``is_full`` disregards stored hashes; after ``slice_s`` seconds of reading no further scope is
    begun. ``patience_s`` is how long to wait for another run of the stream; by default as long as
    one takes. ``allow_deletes`` lifts the cap on deletions. A ``backfill`` asks for
    what was created in its windows, whatever is due.
    """

    due: Due
    slice_s: float
    only: tuple[str, ...] = ()
    is_full: bool = False
    cause: str = "pull"
    patience_s: float | None = None
    allow_deletes: bool = False
    backfill: Backfill | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One scope, read to its end or given up for ``reason``.

    ``read_at`` is when its first request was sent. ``access`` is what the API said about
    reading the contact, where it said something; ``setback`` is the error that it was given up
    for. ``repeats`` are records that came before in the same reading, counted as ``duplicates``
    and loaded all the same, as they may be newer. Without ``is_progress`` its rows count, but it
    says nothing about the scope as a whole; without ``is_scope`` it is none of those that the run
    set out to read. ``backfill_id`` is the backfill whose progress the scope is noted in instead.
    ``seen`` are the keys of a whole list whose absence elsewhere means something; ``missing`` are
    the ids of records of the stream that the API was asked for and does not know.
    """

    scope: str
    proof: Proof
    reason: Reason | None
    read_at: datetime
    due_at: datetime
    records: list[Record] = field(default_factory=list)
    repeats: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    duplicates: int = 0
    unchanged: int = 0
    ignored: int = 0
    access: str | None = None
    setback: SyncError | None = None
    is_progress: bool = True
    is_scope: bool = True
    coverage: Coverage = Coverage.WHOLE
    backfill_id: int | None = None
    seen: Seen | None = None
    missing: tuple[str, ...] = ()

    @property
    def progress(self) -> ScopeProgress:
        """What is stored of the scope."""
        return ScopeProgress(
            self.scope,
            self.proof,
            self.reason,
            self.read_at,
            self.due_at,
            self.coverage,
        )

    @property
    def backfilled(self) -> tuple[int, str] | None:
        """The backfill and the contact that is done with; none for what is to be read again."""
        if self.backfill_id is None or self.coverage is Coverage.GIVEN_UP:
            return None
        return self.backfill_id, self.scope


def part(scope: str, read_at: datetime) -> Reading:
    """Return the reading of a part of a list; the scope's own comes when the list is read."""
    return Reading(
        scope,
        Proof.INCOMPLETE,
        None,
        read_at,
        read_at,
        is_progress=False,
        is_scope=False,
    )
