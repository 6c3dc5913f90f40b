"""Checks of the warehouse's server and of Dagster's storage. They read; they never write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, make_url, text

from sync_pipeline.errors import SetupError, SyncError, WarehouseError
from sync_pipeline.operate.doctor.findings import Finding, failed, ok, warning
from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.binaries import find_binaries
from sync_pipeline.operate.ready import DAGSTER_DATABASE
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse.engine import engine_on, transaction
from sync_pipeline.warehouse.migrations import OLDEST_SERVER, count_applied, shipped_migrations

CLOCK_WARNING = timedelta(seconds=5)
CLOCK_FAILURE = timedelta(minutes=5)
_RIGHTS = """
    SELECT has_database_privilege(current_database(), 'CREATE') AS may_create,
           (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
             AS may_create_roles,
           (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user)
             AS may_create_databases
"""


def check_server(settings: Settings) -> Iterator[Finding]:
    """Yield the findings about the warehouse; a stopped server of ours runs only meanwhile."""
    if settings.warehouse_url is not None:
        yield from _check_at(settings, settings.warehouse_url.get_secret_value(), "WAREHOUSE_URL")
        return
    server = EmbeddedPostgres(settings.sync_home, bin_dir=settings.postgres_bin)
    if not server.has_cluster():
        yield _embedded_to_come(settings)
        return
    try:
        with _running(server) as how:
            yield from _check_at(settings, server.dsn(), f"embedded, {how}")
    except SetupError as exc:
        yield failed("warehouse", str(exc), "see the message; `sync-pipeline url` starts it")


def _embedded_to_come(settings: Settings) -> Finding:
    try:
        binaries = find_binaries(settings.postgres_bin, major=None)
    except SetupError as exc:
        return failed("warehouse", str(exc), "install PostgreSQL, or set WAREHOUSE_URL")
    return ok("warehouse", f"embedded PostgreSQL {binaries.version}, made by the first command")


@contextmanager
def _running(server: EmbeddedPostgres) -> Iterator[str]:
    if server.is_running():
        yield "running"
        return
    server.start()
    try:
        yield "started for this check only"
    finally:
        server.stop()


def _check_at(settings: Settings, url: str, origin: str) -> Iterator[Finding]:
    try:
        with engine_on(url) as engine, transaction(engine) as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            findings = [
                ok("warehouse", f"{_shown(url)} ({origin}) lets us in"),
                *_facts(connection, settings),
            ]
    except WarehouseError as exc:
        remedy = "start PostgreSQL, or correct WAREHOUSE_URL (address, user, password, database)"
        yield failed("warehouse", f"{_shown(url)} ({origin}): {exc}", remedy)
        return
    yield from findings
    yield _dagster_storage(settings, url, to_come=_storage_to_come(findings))


def _facts(connection: Connection, settings: Settings) -> Iterator[Finding]:
    version = str(connection.execute(text("SHOW server_version_num")).scalar_one())
    yield version_finding(int(version))
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    yield encoding_finding(str(encoding))
    asked_at = datetime.now(UTC)
    shown = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    yield clock_finding(shown - (asked_at + (datetime.now(UTC) - asked_at) / 2))
    applied, known = count_applied(connection), len(shipped_migrations())
    yield schema_finding(applied, known)
    rights = connection.execute(text(_RIGHTS)).mappings().one()
    yield rights_finding(
        may_create=bool(rights["may_create"]),
        may_create_roles=bool(rights["may_create_roles"]),
        is_needed=applied < known,
    )
    if settings.dagster_pg_url is None:
        is_there = connection.execute(
            text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DAGSTER_DATABASE}
        ).scalar()
        if not is_there:
            yield dagster_database_finding(may_create=bool(rights["may_create_databases"]))


def version_finding(number: int) -> Finding:
    """Judge the server's version (`server_version_num`)."""
    shown = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < OLDEST_SERVER:
        return failed("server version", shown, "use PostgreSQL 14 or newer (WAREHOUSE_URL)")
    return ok("server version", shown)


def encoding_finding(encoding: str) -> Finding:
    """Judge the database's encoding."""
    if encoding != "UTF8":
        remedy = "make a database with ENCODING 'UTF8' and name it in WAREHOUSE_URL"
        return failed("encoding", f"{encoding}, which cannot hold every name", remedy)
    return ok("encoding", encoding)


def clock_finding(skew: timedelta) -> Finding:
    """Judge how far the server's clock is ahead of ours."""
    shown = f"the server's clock differs by {abs(skew).total_seconds():.1f} s"
    remedy = "set both clocks by NTP: times of observation and due times depend on them"
    if abs(skew) >= CLOCK_FAILURE:
        return failed("clock", shown, remedy)
    return warning("clock", shown, remedy) if abs(skew) >= CLOCK_WARNING else ok("clock", shown)


def schema_finding(applied: int, known: int) -> Finding:
    """Judge how many of this release's migrations are applied."""
    shown = f"{applied} of {known} migrations applied"
    if applied > known:
        remedy = "a newer sync-pipeline made it: use that one"
        return failed("schema", f"{applied} migrations, this release knows {known}", remedy)
    if applied < known:
        return warning("schema", shown, "`sync-pipeline migrate`, or the next run, applies them")
    return ok("schema", shown)


def rights_finding(*, may_create: bool, may_create_roles: bool, is_needed: bool) -> Finding:
    """Judge what the user may do in the database; ``is_needed``: migrations are to come."""
    if not may_create and is_needed:
        remedy = "GRANT CREATE ON DATABASE … TO the user of WAREHOUSE_URL"
        return failed("rights", "may not create schemas", remedy)
    if not may_create_roles:
        found = "may create schemas, but no roles" if may_create else "may create neither"
        return warning("rights", found, "ALTER ROLE … CREATEROLE, or make the roles by hand")
    return ok("rights", "may create schemas and roles")


def dagster_database_finding(*, may_create: bool) -> Finding:
    """Judge a database for Dagster's storage that is not there yet."""
    if may_create:
        return ok("dagster storage", f"database {DAGSTER_DATABASE}, made by the first command")
    remedy = f"CREATE DATABASE {DAGSTER_DATABASE} as another user, or set DAGSTER_PG_URL"
    return failed("dagster storage", f"no database {DAGSTER_DATABASE}, no right to make it", remedy)


def _storage_to_come(findings: list[Finding]) -> Finding | None:
    return next((one for one in findings if one.check == "dagster storage"), None)


def _dagster_storage(settings: Settings, url: str, *, to_come: Finding | None) -> Finding:
    if to_come is not None:
        return to_come
    own = settings.dagster_pg_url
    at = own.get_secret_value() if own else _on(url, DAGSTER_DATABASE)
    try:
        with engine_on(at) as engine, transaction(engine) as connection:
            connection.execute(text("SELECT 1"))
    except SyncError as exc:
        return failed("dagster storage", f"{_shown(at)}: {exc}", "correct DAGSTER_PG_URL")
    return ok("dagster storage", f"{_shown(at)} lets us in")


def _on(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _shown(url: str) -> str:
    # Only what is no secret: a password may also stand in the query.
    parts = make_url(url)
    return f"{parts.host}:{parts.port or 5432}/{parts.database}"
