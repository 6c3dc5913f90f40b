"""The views: made from `sql/views`, and made anew when their text or the roles change.

A file whose name says ``mart`` is used twice: for `mart` on `masked`, and for `mart_pii` on
`warehouse`; one whose name says ``push`` makes a push model. All of it happens in the caller's
transaction, under the lock of `migrate`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, text

from sync_pipeline.errors import SetupError, WarehouseError
from sync_pipeline.shipped import shipped_path
from sync_pipeline.warehouse.roles import present_roles
from sync_pipeline.warehouse.statements import statement

_NAME = re.compile(r"\d_(masking|masked|grants|mart_\w+|push_\w+)\.sql")
_SCHEMA = re.compile(r"(?<!:):(mart|tables)\b")
# Which schema stands for which word in a file of mart.
_MARTS = ({"mart": "mart", "tables": "masked"}, {"mart": "mart_pii", "tables": "warehouse"})


@dataclass(frozen=True, slots=True)
class ViewFile:
    """A file of `sql/views`."""

    name: str
    content: str

    def statements(self) -> list[str]:
        """Return what is to be executed, for each schema that the file is for."""
        if "_mart_" not in self.name:
            return [self.content]
        return [self._in_schemas(schemas) for schemas in _MARTS]

    def _in_schemas(self, schemas: dict[str, str]) -> str:
        return _SCHEMA.sub(lambda word: sql.Identifier(schemas[word[1]]).as_string(), self.content)


def shipped_views() -> list[ViewFile]:
    """Return the files of this release, in the order in which they are executed."""
    paths = sorted((shipped_path("sql") / "views").glob("*.sql"))
    if not paths or not all(_NAME.fullmatch(path.name) for path in paths):
        raise SetupError("sql/views is damaged: install sync-pipeline again")
    return [ViewFile(path.name, path.read_text(encoding="utf-8")) for path in paths]


def publish_views(connection: Connection) -> None:
    """Make the views and grant the roles their reading, unless that was done from the same text."""
    files = shipped_views()
    fingerprint = _fingerprint(connection, files)
    made = connection.execute(statement("published_views")).all()
    if made and all(row.fingerprint == fingerprint and row.is_there for row in made):
        return
    # No name that somebody planted elsewhere may get into a view that runs with our rights.
    connection.execute(text("SET LOCAL search_path = pg_catalog, pg_temp"))
    withdraw_views(connection)
    others = list(connection.execute(statement("views_there")).scalars())
    for file in files:
        for content in file.statements():
            # As it is: many statements, and signs that look like parameters.
            connection.exec_driver_sql(content, execution_options={"no_parameters": True})
    noted = {"fingerprint": fingerprint, "others": others}
    connection.execute(statement("note_views"), noted)


def withdraw_views(connection: Connection) -> None:
    """Drop the views that were made, so that their tables can change.

    Raises WarehouseError when somebody's own view hangs on one of them.
    """
    if connection.execute(text("SELECT to_regclass('ops.published_views')")).scalar() is None:
        return
    hanging = connection.execute(statement("hanging_on_views")).all()
    if hanging:
        named = "; ".join(f"{thing} on {view}" for thing, view in hanging)
        raise WarehouseError(
            "views of sync-pipeline have to be made anew, and what others built on them would be "
            f"lost: drop it, run `sync-pipeline migrate`, and make it again ({named})"
        )
    made = connection.execute(statement("published_views")).all()
    views = [sql.Identifier(row.schema_name, row.view_name) for row in made]
    if views:
        drop = sql.SQL("DROP VIEW IF EXISTS {}").format(sql.SQL(", ").join(views))
        connection.exec_driver_sql(drop.as_string())
        connection.execute(text("DELETE FROM ops.published_views"))


def _fingerprint(connection: Connection, files: list[ViewFile]) -> str:
    parts = [part for file in files for part in (file.name, file.content)]
    # A role that was dropped and made again has lost what it was granted.
    parts += [f"{name} {oid}" for name, oid in present_roles(connection)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
