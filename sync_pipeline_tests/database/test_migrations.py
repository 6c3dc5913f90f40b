"""Migrations: each once, in order, all or nothing, whoever else migrates at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.errors import SchemaTooNewError, SetupError, WarehouseError
from sync_pipeline.warehouse import migrations
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.migrations import Migration, migrate, shipped_migrations
from sync_pipeline_tests.database.readings import rows

SHIPPED = [
    "0001_operations",
    "0002_warehouse",
    "0003_more_streams",
    "0004_views",
    "0005_absences",
    "0006_budget",
    "0007_due",
    "0008_backfills",
    "0009_drift",
    "0010_proofs",
    "0011_corrections",
    "0012_push",
    "0013_webhooks",
    "0014_confirmations",
    "0015_push_json",
    "0016_refusals",
    "0017_creations",
    "0018_due_rules",
    "0019_creations_and_superseded",
]
NEXT = len(SHIPPED) + 1
APPLIED = "SELECT number, name FROM ops.schema_migrations ORDER BY applied_at"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname IN ('ops', 'warehouse')"


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def test_the_shipped_migrations_keep_their_names() -> None:
    assert [f"{m.number:04d}_{m.name}" for m in shipped_migrations()] == SHIPPED


def test_each_migration_is_applied_once_and_in_order(empty: Engine) -> None:
    assert migrate(empty) == SHIPPED
    assert migrate(empty) == []
    assert [f"{number:04d}_{name}" for number, name in rows(empty, APPLIED)] == SHIPPED


def test_a_database_that_cannot_hold_every_name_is_refused(empty: Engine) -> None:
    url = empty.url.set(database="latin")
    with empty.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        )
    latin = open_engine(url.render_as_string(hide_password=False))
    try:
        with pytest.raises(WarehouseError, match="not in UTF8"):
            migrate(latin)
        assert rows(latin, SCHEMAS) == []
    finally:
        latin.dispose()
        with empty.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("DROP DATABASE latin"))


def test_only_what_is_missing_is_applied(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Migration(NEXT, "added", tmp_path / "added.sql")
    added.path.write_text("CREATE TABLE ops.added (percent text); -- 100 %s :x", encoding="utf-8")
    monkeypatch.setattr(migrations, "shipped_migrations", lambda: [*shipped_migrations(), added])
    assert migrate(engine) == [f"{NEXT:04d}_added"]
    assert rows(engine, "SELECT count(*) FROM ops.added") == [(0,)]


def migrate_to(number: int, empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring a database to where the release with this migration would have left it."""
    known = shipped_migrations()
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "shipped_migrations", lambda: known[:number])
        earlier.setattr(migrations, "publish_views", lambda _connection: None)
        earlier.setattr(migrations, "publish_fields", lambda _connection: None)
        migrate(empty)


def test_what_was_loaded_before_details_were_read_is_asked_for_again(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_to(2, empty, monkeypatch)
    with empty.begin() as connection:
        connection.exec_driver_sql("""
            INSERT INTO warehouse.communications (
                source, communication_id, source_created_at, attributes, raw_hash, content_hash,
                observed_at, cause, run_id, loaded_at
            )
            SELECT 'crmcom', id, created_at, '{}', 'raw', 'content', now(), 'source', 'run', now()
            FROM (VALUES ('bare', NULL), ('whole', now())) AS old (id, created_at)
        """)
    migrate(empty)
    stored = "SELECT communication_id, raw_hash IS NULL FROM warehouse.communications ORDER BY 1"
    assert rows(empty, stored) == [("bare", True), ("whole", False)]


def test_updates_in_every_state_stay_as_they_are_and_creations_of_one_external_id_become_one_record(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_to(17, empty, monkeypatch)
    with empty.begin() as connection:
        connection.exec_driver_sql("""
            ALTER TABLE push.updates DISABLE TRIGGER USER;
            INSERT INTO push.updates (
                source, entity, entity_id, changes, base, base_at, requested_by, status,
                superseded_by
            )
            SELECT
                'rocs', 'contacts', id,
                CASE WHEN s.status = 'superseded' THEN '{}' ELSE changes END,
                '{}', now(), 'x', s.status,
                CASE WHEN s.status = 'superseded' THEN jsonb '{"first_name": 1}' ELSE '{}' END
            FROM push.states AS s
            CROSS JOIN (VALUES
                ('7', jsonb '{"first_name": "A"}'),
                ('new', '{"first_name": "A"}'),
                ('new', '{"external_id": "x-1"}'),
                ('new', '{"external_id": "\\u00a0x-1 "}'),
                -- Longer than what an index can hold.
                ('new', jsonb_build_object('external_id', (
                    SELECT string_agg(md5(number::text), '')
                    FROM generate_series(1, 400) AS number
                )))
            ) AS asked (id, changes);
            ALTER TABLE push.updates ENABLE TRIGGER USER;
        """)
    columns = ", ".join(
        str(name)
        for (name,) in rows(
            empty,
            "SELECT attname FROM pg_attribute WHERE attrelid = 'push.updates'::regclass "
            "AND attnum > 0 AND attname <> 'record'",
        )
    )
    asked = f"SELECT {columns} FROM push.updates ORDER BY id"
    before = rows(empty, asked)
    migrate(empty)
    assert rows(empty, asked) == before
    records = """
        SELECT entity_id, count(*), count(DISTINCT record) FROM push.updates
        WHERE status <> 'superseded'
        GROUP BY entity_id, changes ? 'external_id' ORDER BY 1, 2
    """
    states = len(before) // 5 - 1
    assert rows(empty, records) == [
        ("7", states, 1),
        ("new", states, states),
        ("new", 3 * states, 2),
    ]


def test_one_broken_migration_undoes_all_that_came_with_it(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration(NEXT, "broken", tmp_path / "broken.sql")
    broken.path.write_text("CREATE TABLE ops.half (); SELECT nonsense", encoding="utf-8")
    monkeypatch.setattr(migrations, "shipped_migrations", lambda: [*shipped_migrations(), broken])
    with pytest.raises(WarehouseError, match='column "nonsense" does not exist'):
        migrate(empty)
    assert rows(empty, SCHEMAS) == []


def test_of_processes_that_migrate_at_the_same_time_one_does_it(empty_url: str) -> None:
    applied: list[list[str]] = []
    start = threading.Barrier(4)

    def migrate_from_here() -> None:
        engine = open_engine(empty_url)
        start.wait()
        applied.append(migrate(engine))
        engine.dispose()

    threads = [threading.Thread(target=migrate_from_here) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], [], SHIPPED]


def test_a_stricter_default_of_the_server_changes_nothing(empty_url: str) -> None:
    strict = open_engine(empty_url)
    with strict.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        isolation = "SET default_transaction_isolation = 'serializable'"
        connection.execute(text(f"ALTER DATABASE {name} {isolation}"))
    strict.dispose()
    test_of_processes_that_migrate_at_the_same_time_one_does_it(empty_url)


def test_a_schema_newer_than_the_code_is_refused_in_words(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO ops.schema_migrations (number, name) VALUES (:next, 'later')"),
            {"next": NEXT},
        )
    with pytest.raises(SchemaTooNewError) as refusal:
        migrate(engine)
    assert str(refusal.value) == (
        f"the warehouse's schema has {NEXT} migrations and this release knows {len(SHIPPED)}: "
        "a newer sync-pipeline made it, use that one"
    )


def test_a_server_that_is_too_old_is_refused_in_words(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As old a server as the rule would have to be new.
    monkeypatch.setattr(migrations, "OLDEST_SERVER", 1_000_000)
    with pytest.raises(WarehouseError, match="needs PostgreSQL 14 or newer"):
        migrate(empty)
    assert rows(empty, SCHEMAS) == []


@pytest.mark.parametrize(
    "names", [["0001_a.sql", "0003_c.sql"], ["1_a.sql"], ["0001_a.sql", "b.sql"]]
)
def test_a_damaged_installation_is_found(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "migrations").mkdir()
    for name in names:
        (tmp_path / "migrations" / name).touch()
    monkeypatch.setattr(migrations, "shipped_path", lambda _name: tmp_path)
    with pytest.raises(SetupError, match="sql/migrations is damaged"):
        shipped_migrations()
