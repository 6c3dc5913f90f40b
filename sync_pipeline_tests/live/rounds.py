"""Rounds: every stream pulled in turn, and what is known of each scope after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import SourceError
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.progress import Due

READ = text(
    "SELECT proof, reason, count(*) FROM ops.watermarks "
    "WHERE source = :source AND entity = :entity AND read_at >= :began GROUP BY proof, reason"
)
LEAST_SHARE = 0.95
FEW = 20
_numbers = count(1)


@dataclass(slots=True)
class Figures:
    """How many scopes of one stream were read, proven how, and why some were not."""

    proofs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    """Rows that were inserted, updated or deleted."""
    left: int = 0
    """Scopes that were not read, and rows that may be gone."""

    @property
    def scopes(self) -> int:
        return self.proofs.total() + self.reasons.total()

    @property
    def share(self) -> float:
        """The share of the scopes that reached a proof."""
        return self.proofs.total() / self.scopes if self.scopes else 1.0

    def add(self, other: Figures) -> None:
        """Add what another round has come to."""
        self.proofs += other.proofs
        self.reasons += other.reasons
        self.changed += other.changed
        self.left = other.left

    def line(self) -> str:
        """Return it in one line."""
        said = ", ".join(f"{n:,} {name}" for name, n in self.proofs.most_common())
        gaps = "".join(f"; {n:,} {name}" for name, n in self.reasons.most_common())
        return f"{self.scopes:>8,} scopes {self.share:7.2%} proven: {said}{gaps}"


Round = dict[str, Figures]


def pull_round(engine: Engine, settings: Settings, *, is_full: bool = False) -> Round:
    """Read everything once, whatever is due.

    If ``is_full``, also what is else read again after a while: what changes without a trace in its
    list, and what the API did not know.
    """
    due = Due(datetime.now(UTC), as_of=datetime.now(UTC), is_forced=is_full)
    request = PullRequest(due, slice_s=float("inf"), is_full=is_full)
    return {name: _pull(stream, engine, settings, request) for name, stream in STREAMS.items()}


def unproven(figures: Round) -> list[str]:
    """Return what falls short of the share that has to reach a proof: streams, or all together.

    Of a stream with few scopes, one that is missed says little by itself.
    """
    everything = Figures()
    for one in figures.values():
        everything.add(one)
    judged = {name: one for name, one in figures.items() if one.scopes >= FEW}
    return [
        f"{name} {one.share:.2%}"
        for name, one in (judged | {"all": everything}).items()
        if one.share < LEAST_SHARE
    ]


def is_settled(figures: Round) -> bool:
    """Whether a round changed nothing, left nothing open and is proven as a whole."""
    return not any(one.changed or one.left or one.reasons for one in figures.values())


def _pull(stream: Stream, engine: Engine, settings: Settings, request: PullRequest) -> Figures:
    figures = Figures()
    run_id = f"live-{next(_numbers)}"
    try:
        row = pull_stream(stream, request, settings=settings, engine=engine, run_id=run_id).row
    except SourceError as exc:
        # The run as a whole: what it would have read is one list, or cannot be counted.
        figures.reasons[f"failed: {exc}"] += 1
    else:
        changes = ("rows_inserted", "rows_updated", "rows_deleted")
        figures.changed = sum(int(str(row[name] or 0)) for name in changes)
        figures.left = int(str(row["absences_left"]))
    values = {"source": stream.source, "entity": stream.entity.name, "began": request.due.as_of}
    with engine.connect() as connection:
        for proof, reason, scopes in connection.execute(READ, values):
            counted = figures.proofs if reason is None else figures.reasons
            counted[proof if reason is None else reason] += scopes
    return figures
