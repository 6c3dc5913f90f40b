"""The data dictionary `sql/README.md`, written from a migrated database.

`python -m sync_pipeline_tests.dictionary` writes it anew; a test compares it with the database.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sqlalchemy import Engine, text

from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.shipped import shipped_path
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate

PAGE = "README.md"
# What has the columns of something else is said once: in `HEAD`, and in the third column.
LISTED = ("warehouse", "ops", "push", "mart", "masking")
HEAD = """\
# Data dictionary

Written from the comments in the database by `python -m sync_pipeline_tests.dictionary`; a test
compares it with the database. In `psql`: `\\d+ mart.customer_360`.

- `warehouse`: the synced tables. Each has a `<table>_history` of superseded versions (the same
  columns without `raw_hash` and `observed_at`, with `valid_from` and `valid_to`) and a
  `<table>_versions` with all of them.
- `masked`: the same tables, histories and versions with persons masked; the third column of the
  tables of `warehouse` says how (`masking.rules`): *pseudonym* (keyed, stable, of one field);
  *address* (one kind of pseudonym for e-mail addresses and phone numbers, wherever they stand);
  *other_id* (shown where it is the id of a contact of the other system, else a pseudonym);
  *year* (its first day); *document* (every text and number in it a pseudonym, but for the members
  named); *digest* (hashed again with the key).
- `mart`: ready answers on `masked`; `mart_pii`: the same on `warehouse`, with personal data.
- `ops`: the pipeline's own records.
- `push`: updates on their way back to the sources.
"""

_RELATIONS = text("""
    SELECT
        n.nspname AS schema,
        c.relname AS relation,
        obj_description(c.oid, 'pg_class') AS about,
        a.attname AS name,
        format_type(a.atttypid, a.atttypmod) AS type,
        col_description(c.oid, a.attnum) AS meaning,
        r.treatment,
        array_to_string(r.plain_paths, ', ') AS plain_paths
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN masking.rules AS r
        ON
            n.nspname = 'warehouse'
            AND r.column_name = a.attname
            AND r.table_name IN ('*', c.relname)
    WHERE
        n.nspname = ANY(:schemas)
        AND c.relkind IN ('r', 'v')
        AND c.relname !~ '_(history|versions)$'
    ORDER BY array_position(CAST(:schemas AS text []), n.nspname), c.relname, a.attnum
""")
_SCHEMA = text("SELECT obj_description(CAST(:schema AS regnamespace), 'pg_namespace')")


def dictionary(engine: Engine) -> str:
    """Return the page for the database as it is."""
    with engine.connect() as connection:
        columns = connection.execute(_RELATIONS, {"schemas": list(LISTED)}).mappings().all()
        lines = [HEAD]
        for schema, of_schema in groupby(columns, key=lambda column: column["schema"]):
            about = connection.execute(_SCHEMA, {"schema": schema}).scalar_one()
            lines += [f"## {schema}", "", f"{about}.", ""]
            for relation, group in groupby(of_schema, key=lambda column: column["relation"]):
                described = [{key: value or "" for key, value in row.items()} for row in group]
                lines += [f"### {schema}.{relation}", "", f"{described[0]['about']}.", ""]
                lines += [*_table(described), ""]
        return "\n".join(lines)


def _table(columns: list[dict[str, str]]) -> Iterator[str]:
    is_masked = any(column["treatment"] for column in columns)
    yield "| column | type | meaning |" + (" in `masked` |" if is_masked else "")
    yield "|---|---|---|" + ("---|" if is_masked else "")
    for column in columns:
        row = f"| `{column['name']}` | {column['type']} | {column['meaning']} |"
        shown = column["treatment"]
        if column["plain_paths"]:
            shown += f", but for `{column['plain_paths']}`"
        yield row + (f" {shown} |" if is_masked else "")


def write_dictionary() -> None:
    """Write the page of this checkout from a new database."""
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-dictionary-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "home", state_dir=folder / "state")
    try:
        with engine_on(server.start()) as engine:
            migrate(engine)
            page = dictionary(engine)
        (shipped_path("sql") / PAGE).write_text(page, encoding="utf-8")
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    write_dictionary()
