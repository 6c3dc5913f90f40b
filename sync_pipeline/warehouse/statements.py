"""The named statements of `sql/queries`: fixed SQL lives in files, by the name of its act."""

from __future__ import annotations

from functools import cache

from sqlalchemy import TextClause, text

from sync_pipeline.entities import Stream
from sync_pipeline.shipped import shipped_path


@cache
def statement(name: str) -> TextClause:
    """Return the statement of ``sql/queries/<name>.sql``; parameters are written ``:name``."""
    return text((shipped_path("sql") / "queries" / f"{name}.sql").read_text(encoding="utf-8"))


def named(stream: Stream) -> dict[str, object]:
    """Return the parameters by which a statement names a stream."""
    return {"source": stream.source, "entity": stream.entity.name}
