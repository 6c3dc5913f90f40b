"""Views are made anew when they change, and nothing of somebody else's is lost by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS
from sync_pipeline.errors import SetupError, WarehouseError
from sync_pipeline.orchestration.marts import MARTS
from sync_pipeline.warehouse import migrations, views
from sync_pipeline.warehouse.descriptions import mart_descriptions
from sync_pipeline.warehouse.migrations import Migration, migrate, shipped_migrations
from sync_pipeline.warehouse.views import ViewFile, shipped_views
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.database.view_rows import session_of

PUBLISHED = "SELECT schema_name, view_name FROM ops.published_views ORDER BY 1, 2"
MADE_AT = "SELECT min(made_at), max(made_at) FROM ops.published_views"
THERE = """
    SELECT schemaname, viewname FROM pg_views
    WHERE schemaname IN ('masked', 'mart', 'mart_pii', 'push') ORDER BY 1, 2
"""


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def with_another(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """Ship one more view."""
    another = ViewFile("3_mart_another.sql", content)
    files = sorted([*shipped_views(), another], key=lambda file: file.name)
    monkeypatch.setattr(views, "shipped_views", lambda: files)


def test_what_was_made_is_what_is_there(engine: Engine) -> None:
    assert rows(engine, PUBLISHED) == rows(engine, THERE) != []


def test_dagster_shows_every_mart(engine: Engine) -> None:
    assert {name for schema, name in rows(engine, THERE) if schema == "mart"} == set(MARTS)


def test_a_mart_hangs_under_the_streams_whose_tables_it_reads(engine: Engine) -> None:
    query = """
        SELECT DISTINCT view.relname, regexp_replace(read.relname, '_(history|versions)$', '')
        FROM pg_class AS view
        INNER JOIN pg_rewrite AS w ON w.ev_class = view.oid
        INNER JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        INNER JOIN pg_class AS read ON read.oid = d.refobjid
        WHERE
            view.relnamespace = 'mart_pii'::regnamespace
            AND d.refclassid = 'pg_class'::regclass
            AND read.relnamespace = 'warehouse'::regnamespace
    """
    # The freshness of all streams is told by the pipeline's own records.
    told = {name: streams for name, streams in MARTS.items() if name != "data_freshness"}
    assert set(rows(engine, query)) == {
        (name, stream.entity.name) for name, streams in told.items() for stream in streams
    }
    assert MARTS["data_freshness"] == tuple(STREAMS.values())


def test_dagster_says_of_a_mart_what_the_database_says(engine: Engine) -> None:
    query = "SELECT obj_description(to_regclass('mart.' || :name), 'pg_class')"
    said = mart_descriptions()
    assert said == {name: rows(engine, query, name=name)[0][0] for name in MARTS}


def test_a_second_migrate_makes_nothing(engine: Engine) -> None:
    before = rows(engine, MADE_AT)
    assert migrate(engine) == []
    assert rows(engine, MADE_AT) == before


def test_a_later_view_is_made_for_both_marts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "CREATE VIEW :mart.another AS SELECT '%' || email::text AS x FROM :tables.contacts"
    with_another(monkeypatch, content)
    migrate(engine)
    assert {("mart", "another"), ("mart_pii", "another")} < set(rows(engine, PUBLISHED))
    # And one that is no longer shipped goes.
    monkeypatch.undo()
    migrate(engine)
    assert rows(engine, PUBLISHED) == rows(engine, THERE)
    assert ("mart", "another") not in rows(engine, THERE)


def test_a_later_view_can_be_read_by_those_who_may(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_another(monkeypatch, "CREATE VIEW :mart.another AS SELECT 1 AS x")
    migrate(engine)
    with session_of(engine, "sync_analyst") as session:
        assert rows(session, "SELECT * FROM mart.another") == [(1,)]


def test_a_view_that_was_dropped_comes_back(engine: Engine) -> None:
    before = rows(engine, THERE)
    execute(engine, "DROP VIEW mart.customer_360", "DROP VIEW masked.plans CASCADE")
    migrate(engine)
    assert rows(engine, THERE) == before


def test_the_function_of_an_earlier_release_goes(engine: Engine) -> None:
    execute(
        engine,
        "CREATE FUNCTION masking.mask_document(jsonb, bytea, text[], text) RETURNS jsonb "
        "LANGUAGE sql AS 'SELECT $1'",
        "DROP VIEW mart.customer_360",
    )
    migrate(engine)
    assert rows(
        engine, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'masking'::regnamespace"
    ) == [(1,)]
    assert rows(engine, "SELECT count(*) FROM masked.contacts") == [(0,)]


def test_a_migration_may_change_a_column_that_views_show(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = len(shipped_migrations()) + 1
    wider = Migration(number, "wider", tmp_path / "wider.sql")
    change = "ALTER TABLE ops.sync_runs ALTER COLUMN outcome TYPE varchar(20)"
    wider.path.write_text(change, encoding="utf-8")
    monkeypatch.setattr(migrations, "shipped_migrations", lambda: [*shipped_migrations(), wider])
    assert migrate(engine) == [f"{number:04d}_wider"]
    query = """
        SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'mart.data_freshness'::regclass AND attname = 'last_outcome'
    """
    assert rows(engine, query) == [("character varying(20)",)]


@pytest.mark.parametrize(
    ("statement", "thing", "view"),
    [
        (
            "CREATE VIEW reports.mine AS SELECT * FROM mart.customer_360",
            "view reports.mine",
            "mart.customer_360",
        ),
        (
            "CREATE MATERIALIZED VIEW reports.kept AS SELECT * FROM masked.plans",
            "materialized view reports.kept",
            "masked.plans",
        ),
        (
            (
                "CREATE FUNCTION reports.many() RETURNS bigint "
                "RETURN (SELECT count(*) FROM mart_pii.customer_360)"
            ),
            "function reports.many()",
            "mart_pii.customer_360",
        ),
        (
            "CREATE VIEW mart.mine AS SELECT * FROM mart.data_freshness",
            "view mart.mine",
            "mart.data_freshness",
        ),
    ],
)
def test_what_somebody_built_on_a_view_is_named_and_not_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, statement: str, thing: str, view: str
) -> None:
    execute(engine, "CREATE SCHEMA reports", statement)
    assert migrate(engine) == []
    before = rows(engine, THERE)
    with_another(monkeypatch, "CREATE VIEW :mart.another AS SELECT 1 AS x")
    with pytest.raises(WarehouseError) as refusal:
        migrate(engine)
    assert str(refusal.value) == (
        "views of sync-pipeline have to be made anew, and what others built on them would be "
        "lost: drop it, run `sync-pipeline migrate`, and make it again "
        f"({thing} on {view})"
    )
    assert rows(engine, THERE) == before


def test_a_view_that_somebody_put_beside_ours_stays(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(engine, "CREATE VIEW mart.theirs AS SELECT 1 AS x")
    with_another(monkeypatch, "CREATE VIEW :mart.another AS SELECT 1 AS x")
    migrate(engine)
    assert {("mart", "theirs"), ("mart", "another")} < set(rows(engine, THERE))
    assert ("mart", "theirs") not in rows(engine, PUBLISHED)


@pytest.mark.parametrize("names", [[], ["1_masking.sql", "notes.sql"]])
def test_a_damaged_installation_is_found(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "views").mkdir()
    for name in names:
        (tmp_path / "views" / name).touch()
    monkeypatch.setattr(views, "shipped_path", lambda _name: tmp_path)
    with pytest.raises(SetupError, match="sql/views is damaged"):
        shipped_views()


def test_every_view_and_every_column_is_described(engine: Engine) -> None:
    query = """
        SELECT c.oid::regclass::text, a.attname
        FROM pg_class AS c
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE
            c.relnamespace IN (
                'masking'::regnamespace, 'masked'::regnamespace,
                'mart'::regnamespace, 'mart_pii'::regnamespace
            )
            AND c.relkind IN ('r', 'v')
            AND (
                obj_description(c.oid, 'pg_class') IS NULL
                OR col_description(c.oid, a.attnum) IS NULL
            )
    """
    assert rows(engine, query) == []
    query = "SELECT nspname FROM pg_namespace WHERE obj_description(oid, 'pg_namespace') IS NULL"
    assert set(rows(engine, query)) & {("masking",), ("masked",), ("mart",), ("mart_pii",)} == set()
