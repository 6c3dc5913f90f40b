"""The migrated database against the code's tables, and its descriptions."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, MetaData, Table, inspect

from sync_pipeline.entities import ENTITIES
from sync_pipeline.warehouse.deletion import ABSENCES
from sync_pipeline.warehouse.upsert import WATERMARKS
from sync_pipeline_tests.database.readings import rows

Shape = dict[str, tuple[str, bool, bool]]


def shape(engine: Engine, table: Table) -> Shape:
    """Return each column's type, whether it may be null, and whether it is in the key."""
    return {
        c.name: (c.type.compile(engine.dialect), bool(c.nullable), c.primary_key)
        for c in table.columns
    }


def found_shape(engine: Engine, name: str, schema: str = "warehouse") -> Shape:
    return shape(engine, Table(name, MetaData(schema=schema), autoload_with=engine))


@pytest.mark.parametrize("name", ENTITIES)
def test_the_tables_of_the_code_are_those_of_the_database(engine: Engine, name: str) -> None:
    # In any order: a column that is added later stands last in the database.
    assert found_shape(engine, name) == shape(engine, ENTITIES[name].table)


@pytest.mark.parametrize("name", ENTITIES)
def test_the_code_says_of_a_table_what_the_database_says(engine: Engine, name: str) -> None:
    said = inspect(engine).get_table_comment(name, schema="warehouse")
    assert said == {"text": ENTITIES[name].about}


@pytest.mark.parametrize("name", ENTITIES)
def test_the_histories_of_the_code_are_those_of_the_database(engine: Engine, name: str) -> None:
    assert found_shape(engine, f"{name}_history") == shape(engine, ENTITIES[name].history)


@pytest.mark.parametrize("name", ENTITIES)
def test_a_version_has_the_columns_of_the_history(engine: Engine, name: str) -> None:
    versions = found_shape(engine, f"{name}_versions")
    history = found_shape(engine, f"{name}_history")
    assert {c: kind for c, (kind, *_) in versions.items()} == {
        c: kind for c, (kind, *_) in history.items()
    }


@pytest.mark.parametrize("name", ENTITIES)
def test_the_end_of_every_history_is_found_by_an_index(engine: Engine, name: str) -> None:
    query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'warehouse' AND indexname = :index"
    assert rows(engine, query, index=f"{name}_history_by_end") == [
        (f"CREATE INDEX {name}_history_by_end ON warehouse.{name}_history USING brin (valid_to)",)
    ]


@pytest.mark.parametrize("name", ENTITIES)
def test_a_column_means_the_same_in_every_version(engine: Engine, name: str) -> None:
    shared = """
        SELECT count(*) FILTER (
            WHERE
            col_description(older.attrelid, older.attnum)
            <> col_description(a.attrelid, a.attnum)
        )
        FROM pg_attribute AS a
        INNER JOIN pg_attribute AS older ON older.attname = a.attname AND older.attnum > 0
        WHERE
            a.attrelid = to_regclass('warehouse.' || :name)
            AND a.attnum > 0
            AND older.attrelid IN (
                to_regclass('warehouse.' || :name || '_history'),
                to_regclass('warehouse.' || :name || '_versions')
            )
    """
    assert rows(engine, shared, name=name) == [(0,)]


def test_every_table_of_the_schema_is_known_to_the_code(engine: Engine) -> None:
    tables = {f"{name}{suffix}" for name in ENTITIES for suffix in ("", "_history")}
    inspector = inspect(engine)
    assert set(inspector.get_table_names("warehouse")) == tables
    assert set(inspector.get_view_names("warehouse")) == {
        "tenant_events",
        *(f"{name}_versions" for name in ENTITIES),
    }


def test_what_loads_read_of_the_watermarks_is_there(engine: Engine) -> None:
    found = {c: kind for c, (kind, *_) in found_shape(engine, "watermarks", "ops").items()}
    expected = {c: kind for c, (kind, *_) in shape(engine, WATERMARKS).items()}
    assert expected.items() <= found.items()


def test_what_deletions_read_of_the_absences_is_there(engine: Engine) -> None:
    found = {c: kind for c, (kind, *_) in found_shape(engine, "absences", "ops").items()}
    expected = {c: kind for c, (kind, *_) in shape(engine, ABSENCES).items()}
    assert expected.items() <= found.items()


def test_every_table_and_every_column_is_described(engine: Engine) -> None:
    query = """
        SELECT c.oid::regclass::text, a.attname
        FROM pg_class AS c
        LEFT JOIN pg_attribute AS a
            ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE
            c.relnamespace = ANY (CAST('{ops,push,warehouse}' AS regnamespace []))
            AND c.relkind IN ('r', 'v')
            AND (
                obj_description(c.oid, 'pg_class') IS NULL
                OR col_description(c.oid, a.attnum) IS NULL
            )
    """
    assert rows(engine, query) == []


@pytest.mark.parametrize("name", ["ops", "push", "warehouse"])
def test_a_schema_is_described(engine: Engine, name: str) -> None:
    query = (
        "SELECT obj_description(oid, 'pg_namespace') IS NULL FROM pg_namespace WHERE nspname = :n"
    )
    assert rows(engine, query, n=name) == [(False,)]
