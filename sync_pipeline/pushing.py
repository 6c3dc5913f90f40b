"""One push cycle as a person sees it: what came of each source, or what would come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from sync_pipeline.errors import SourceError
from sync_pipeline.push.crew import SourceReport
from sync_pipeline.push.cycle import SOURCES, push
from sync_pipeline.push.preview import MOST, preview
from sync_pipeline.settings import Settings

_COUNTED: tuple[str, ...]
_COUNTED = ("confirmed", "delivered", "pending", "sending", "rejected", "conflict", "uncertain")
_COUNTED += ("dead", "superseded", "discarded")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A table, lines beside it, and whether anything failed."""

    rows: Sequence[Mapping[str, object]]
    said: Sequence[str]
    has_failed: bool = False
    updates: int = 0


def push_once(
    engine: Engine, settings: Settings, *, limit: int | None = None, is_dry: bool = False
) -> Pushed:
    """Send what is due to the sources that may be written to; show what the others would get."""
    known = [source for source in SOURCES if settings.of_source(source) is not None]
    off = [source for source in known if not settings.may_write_to(source)]
    said = [f"PUSH_ENABLED is off for {source}: a dry run, nothing is sent" for source in off]
    if is_dry or off == known:
        return _dry(engine, settings, known, limit, said)
    report = push(engine, settings, limit=limit)
    rows = [_row(one) for one in report.sources]
    said += [f"{one.source}: {one.error}" for one in report.sources if one.error]
    said += [*report.models.said, *report.models.complaints]
    said += [
        f"{one.source}: {count:,} {status}: {why}"
        for one in report.sources
        for (status, why), count in one.reasons.most_common()
    ]
    updates = sum(one.statuses.total() for one in report.sources)
    has_failed = any(one.error for one in report.sources) or bool(report.models.complaints)
    return Pushed(rows, said, has_failed=has_failed, updates=updates)


def _dry(
    engine: Engine, settings: Settings, sources: Sequence[str], limit: int | None, said: list[str]
) -> Pushed:
    try:
        seen = preview(engine, settings, sources, limit=limit)
    except SourceError as exc:
        return Pushed([], [*said, str(exc)], has_failed=True)
    for source in sources:
        shown = {one.update.id for one in seen.planned if one.update.source == source}
        if limit is None and len(shown) >= MOST:
            said.append(f"{source}: the first {MOST} updates are shown, more with --limit")
    said += [f"would be: {line}" for line in seen.models.said]
    said += [*seen.models.complaints, *(f"{one}: {why}" for one, why in seen.stopped.items())]
    written_to = {source for source in sources if settings.may_write_to(source)}
    has_failed = bool((written_to and seen.models.complaints) or written_to & seen.stopped.keys())
    return Pushed([one.row() for one in seen.planned], said, has_failed=has_failed)


def _row(report: SourceReport) -> dict[str, object]:
    counts: dict[str, object] = {status: report.statuses[status] for status in _COUNTED}
    return {"source": report.source, **counts}
