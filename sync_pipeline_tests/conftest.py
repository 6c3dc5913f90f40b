"""What any test may ask for: a PostgreSQL of its own, with a fresh database for each test.

One embedded server per test process; a database is a copy of one that was migrated once.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy import Engine, make_url

from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.memory_folder import is_wanted, memory_folder
from sync_pipeline_tests.scheduling import FilesTogether

# A busy machine is no failure.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")

TEMPLATE = "migrated_template"
NewDatabase = Callable[[str], str]


def pytest_configure(config: pytest.Config) -> None:
    """Have everything temporary in memory; processes that run tests inherit it."""
    if is_wanted():
        stack = ExitStack()
        config.add_cleanup(stack.close)
        os.environ["TMPDIR"] = tempfile.tempdir = str(stack.enter_context(memory_folder()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FilesTogether | None:
    """Where files are given to several processes, give some of them to the same."""
    return FilesTogether(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start the server of this test process; its address, with a database nobody changes."""
    # Not below pytest's own folder: the account that runs the server cannot enter that one.
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-tests-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "home", state_dir=folder / "state")
    try:
        server.start()
        _prefer_speed(server.dsn("postgres"))
        yield server.dsn("postgres")
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def create_database(postgres_url: str) -> NewDatabase:
    """Return a function that makes a database from a template and returns its address."""
    numbers = itertools.count(1)

    def create(template: str) -> str:
        name = f"test_{next(numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        _command(postgres_url, statement.format(sql.Identifier(name), sql.Identifier(template)))
        return _on_database(postgres_url, name)

    return create


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """Return the name of a database with the schema in it; copy it, never connect to it."""
    _command(postgres_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    engine = open_engine(_on_database(postgres_url, TEMPLATE))
    migrate(engine)
    engine.dispose()
    return TEMPLATE


@pytest.fixture
def empty_url(create_database: NewDatabase) -> Iterator[str]:
    """Return the address of a new database without anything in it."""
    url = create_database("template1")
    yield url
    _drop(url)


@pytest.fixture
def warehouse_url(create_database: NewDatabase, migrated_template: str) -> Iterator[str]:
    """Return the address of a new warehouse with its schema and no rows."""
    url = create_database(migrated_template)
    yield url
    _drop(url)


@pytest.fixture
def engine(warehouse_url: str) -> Iterator[Engine]:
    """Return an engine on a new warehouse."""
    engine = open_engine(warehouse_url)
    yield engine
    engine.dispose()


def _prefer_speed(url: str) -> None:
    # What a crash of the machine would lose is nothing here; kills are survived all the same.
    _command(url, sql.SQL("ALTER SYSTEM SET fsync = off"))
    _command(url, sql.SQL("SELECT pg_reload_conf()"))


def _command(url: str, statement: sql.SQL | sql.Composed) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(statement)


def _on_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _drop(url: str) -> None:
    name = str(make_url(url).database)
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    _command(_on_database(url, "postgres"), drop)
