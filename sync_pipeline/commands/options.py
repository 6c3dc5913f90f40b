"""What several commands are given in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.pull.backfill_windows import Window

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]


def streams_named(names: Sequence[str]) -> list[Stream]:
    """Return the streams by their names; raise BadParameter for one that there is not."""
    unknown = [name for name in names if name not in STREAMS]
    if unknown:
        raise typer.BadParameter(f"unknown stream {unknown[0]!r}; there are {', '.join(STREAMS)}")
    return [STREAMS[name] for name in names]


def span_of(streams: Sequence[Stream], since: str | None, until: str | None) -> Window | None:
    """Return the span of creation time that is asked of ``streams``, if one is.

    Raises BadParameter where one of them has none, and for what is no span.
    """
    if since is None and until is None:
        return None
    without = [stream for stream in streams if not stream.has_creation_time]
    if without:
        those = ", ".join(name for name, one in STREAMS.items() if one.has_creation_time)
        raise typer.BadParameter(
            f"{without[0]} cannot be read by the time of creation (--since, --until); "
            f"these can: {those}"
        )
    window = Window(_instant("--since", since), _instant("--until", until))
    if window.since and window.until and window.until <= window.since:
        raise typer.BadParameter("--until is not after --since")
    return window


def _instant(option: str, written: str | None) -> datetime | None:
    """Return a time written as ISO 8601; UTC where it does not say."""
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(
            f"{option} {written!r} is no time like 2026-03-31 or 2026-03-31T18:00:00Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
