"""Make everything ready that a command needs: sources, warehouse, schema, Dagster's home.

Each step looks first and does only what is missing, so that a second call is cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.errors import SetupError, WarehouseError
from sync_pipeline.mapping.pushable import json_of_rocs
from sync_pipeline.operate.disk import scarcity
from sync_pipeline.operate.home import Home, write_whole
from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.sandbox import sandbox_environment, start_sandbox
from sync_pipeline.operate.webhook_key import generated_key
from sync_pipeline.settings import Settings, environment, read_settings
from sync_pipeline.shipped import shipped_path
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.push_fields import note_api_versions, note_configured

DAGSTER_DATABASE = "dagster"


@dataclass(frozen=True, slots=True)
class Ready:
    """What commands work with. ``environ`` makes child processes see the same."""

    settings: Settings
    home: Home
    warehouse_url: str
    environ: dict[str, str]
    sandbox_url: str | None = None

    def engine(self) -> AbstractContextManager[Engine]:
        """Open an engine on the warehouse, disposed of at the end."""
        return engine_on(self.warehouse_url)


def make_ready(environ: Mapping[str, str] | None = None) -> Ready:
    """Bring up whatever is not up yet; raise SettingsError, SetupError or WarehouseError.

    Without a real source the sandbox stands in for all of them.
    """
    environ = dict(environment() if environ is None else environ)
    settings = read_settings(environ)
    home = Home(settings.sync_home)
    home.make()
    if settings.warehouse_url is None and (scarce := home_scarcity(settings)):
        # A server that runs out of space while it works needs its crash recovered.
        raise SetupError(scarce)
    sandbox_url = None
    if not settings.is_any_source_on:
        sandbox_url = start_sandbox(settings, home)
        environ |= sandbox_environment(sandbox_url)
        environ.setdefault("WEBHOOK_API_KEY", generated_key(home))
        settings = read_settings(environ)
    url = start_warehouse(settings)
    open_warehouse(url, settings)
    environ |= {"SYNC_HOME": str(home.root), "WAREHOUSE_URL": url}
    environ |= _dagster_environment(settings, home, url)
    return Ready(settings, home, url, environ, sandbox_url)


def start_warehouse(settings: Settings) -> str:
    """Return the warehouse's DSN, starting the embedded server where that is the warehouse."""
    if settings.warehouse_url is not None:
        return settings.warehouse_url.get_secret_value()
    return EmbeddedPostgres(settings.sync_home, bin_dir=settings.postgres_bin).start()


def home_scarcity(settings: Settings) -> str | None:
    """Return one line when the disk of SYNC_HOME, or of the embedded server's data, is full."""
    return scarcity(EmbeddedPostgres(settings.sync_home).folders)


def open_warehouse(url: str, settings: Settings) -> list[str]:
    """Bring the schema up to date; return the migrations applied."""
    with engine_on(url) as engine:
        applied = migrate(engine)
        # A source that these settings do not know may be known to others: the sandbox's.
        if settings.crmcom is not None:
            note_api_versions(engine, {"crmcom": settings.crmcom.version})
        if settings.rocs is not None:
            note_configured(engine, json_of_rocs(settings.rocs.push_fields))
        return applied


@contextmanager
def warehouse_opened(settings: Settings) -> Iterator[Engine]:
    """Start the warehouse if need be, bring its schema up to date, and yield an engine on it."""
    url = start_warehouse(settings)
    open_warehouse(url, settings)
    with engine_on(url) as engine:
        yield engine


def _dagster_environment(settings: Settings, home: Home, warehouse_url: str) -> dict[str, str]:
    """Return the variables that `dagster.yaml` reads; make its database if it is missing."""
    if settings.dagster_pg_url is not None:
        url = make_url(settings.dagster_pg_url.get_secret_value())
    else:
        url = make_url(warehouse_url).set(database=DAGSTER_DATABASE)
        _make_database(make_url(warehouse_url))
    _keep_instance_file(home)
    return {
        "DAGSTER_HOME": str(home.dagster),
        # Dagster puts it into a URL.
        "DAGSTER_PG_HOST": f"[{url.host}]" if ":" in (url.host or "") else url.host or "localhost",
        "DAGSTER_PG_PORT": str(url.port or 5432),
        "DAGSTER_PG_USER": url.username or "",
        "DAGSTER_PG_PASSWORD": url.password or "",
        "DAGSTER_PG_DB": url.database or DAGSTER_DATABASE,
        "DAGSTER_COMPUTE_LOG_DIR": str(home.logs / "compute"),
    }


def _keep_instance_file(home: Home) -> None:
    due = shipped_path("dagster.yaml").read_text(encoding="utf-8")
    path = home.dagster / "dagster.yaml"
    # Only when it differs: other processes read it at any moment.
    if not path.is_file() or path.read_text(encoding="utf-8") != due:
        write_whole(path, due)


def _make_database(warehouse: URL) -> None:
    engine = create_engine(
        warehouse.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    known = text("SELECT 1 FROM pg_database WHERE datname = :name")
    try:
        with engine.connect() as connection:
            if connection.execute(known, {"name": DAGSTER_DATABASE}).scalar() is None:
                connection.execute(text(f"CREATE DATABASE {DAGSTER_DATABASE}"))
    except DBAPIError as exc:
        raise WarehouseError(
            f"the database {DAGSTER_DATABASE!r} for Dagster's own storage cannot be made on the "
            "warehouse's server: make it, or set DAGSTER_PG_URL"
        ) from exc
    finally:
        engine.dispose()
