"""What the database says of columns and marts, read where it is written: `sql`.

For those who show the tables without a database at hand.
"""

from __future__ import annotations

import re
from functools import cache

from sync_pipeline.entities import Entity
from sync_pipeline.warehouse.migrations import shipped_migrations
from sync_pipeline.warehouse.views import shipped_views

_COMMENT = re.compile(r"COMMENT ON COLUMN\s+warehouse\.(\w+)\.(\w+)\s+IS\s+'((?:[^']|'')*)'")
_VIEW_COMMENT = re.compile(r"COMMENT ON VIEW\s+:mart\.(\w+)\s+IS\s+'((?:[^']|'')*)'")


def column_descriptions(entity: Entity) -> dict[str, str]:
    """Return the comment of each column of the entity's table, by name."""
    return {column: said for (table, column), said in _comments().items() if table == entity.name}


@cache
def mart_descriptions() -> dict[str, str]:
    """Return the comment of each view of `mart`, by name."""
    return {
        view: said.replace("''", "'")
        for file in shipped_views()
        for view, said in _VIEW_COMMENT.findall(file.content)
    }


@cache
def _comments() -> dict[tuple[str, str], str]:
    files = (migration.path.read_text(encoding="utf-8") for migration in shipped_migrations())
    return {
        (table, column): said.replace("''", "'")
        for text in files
        for table, column, said in _COMMENT.findall(text)
    }
