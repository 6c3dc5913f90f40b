"""What several commands are given in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from sync_pipeline.entities import STREAMS, Stream

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]


def streams_named(names: Sequence[str]) -> list[Stream]:
    """Return the streams by their names; raise BadParameter for one that there is not."""
    unknown = [name for name in names if name not in STREAMS]
    if unknown:
        raise typer.BadParameter(f"unknown stream {unknown[0]!r}; there are {', '.join(STREAMS)}")
    return [STREAMS[name] for name in names]
