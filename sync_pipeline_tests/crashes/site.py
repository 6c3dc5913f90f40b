"""Where it happens: a PostgreSQL, the sandboxes of two states of a world, a gate before each."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
from psycopg import sql
from sqlalchemy import make_url

from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.places import Places
from sync_pipeline.operate.postgres.processes import find_postmaster
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.crashes.gate import Gate, open_gate
from sync_pipeline_tests.crashes.worlds import CONTACTS, settle_first, settle_second
from sync_pipeline_tests.sandbox_process import sandbox

_TEMPLATE = "crashes_template"
# Several pages a list; few requests at a time, so that a strike finds some done and some not.
_PACE = {
    "CRMCOM_PAGE_SIZE": "3",
    "ROCS_PAGE_SIZE": "20",
    "CRMCOM_MAX_IN_FLIGHT": "4",
    "ROCS_MAX_IN_FLIGHT": "4",
    "ROSAAS_MAX_IN_FLIGHT": "4",
}


@dataclass(slots=True)
class Site:
    """Made by `open_site`."""

    postgres: EmbeddedPostgres
    places: Places
    api: Gate
    database: Gate
    environ: Mapping[str, str]
    worlds: Sequence[tuple[str, int]]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def show(self, state: int) -> None:
        """Have the API be that state of the world."""
        self.api.target = self.worlds[state]

    def new_warehouse(self) -> str:
        """Return the name of a new database with the schema in it."""
        name = f"crashes_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._command(statement.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        return name

    def drop(self, name: str) -> None:
        """Remove a database."""
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        self._command(drop)

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return self.postgres.dsn(name)

    def gated_url(self, name: str) -> str:
        """Return the address of a database behind its gate."""
        url = make_url(self.url(name)).set(port=self.database.port)
        return url.render_as_string(hide_password=False)

    def start_postgres(self) -> None:
        """Have PostgreSQL running, after a kill as well."""
        self.postgres.start()
        address = urlsplit(self.url("postgres"))
        self.database.target = (str(address.hostname), int(address.port or 0))

    def kill_postgres(self) -> None:
        """Kill every process of PostgreSQL at once."""
        found = find_postmaster(self.places.data)
        if found is None:
            return
        first = psutil.Process(found.pid)
        # Stopped first, so that it starts nothing new and tells nobody.
        first.suspend()
        family = [*first.children(recursive=True), first]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=10)

    def prepare(self) -> None:
        """Make the database that others are copied from."""
        # What a crash of the machine would lose is nothing here; kills are survived all the same.
        self._command(sql.SQL("ALTER SYSTEM SET fsync = off"))
        self._command(sql.SQL("SELECT pg_reload_conf()"))
        self._command(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        with engine_on(self.url(_TEMPLATE)) as engine:
            migrate(engine)

    def _command(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def open_site() -> Iterator[Site]:
    """Start it all, and end it."""
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-crashes-"))
    # The account that runs the server has to enter it.
    folder.chmod(0o711)
    home, state = folder / "home", folder / "state"
    postgres = EmbeddedPostgres(home, state_dir=state)
    try:
        with ExitStack() as stack:
            before, after = (
                stack.enter_context(sandbox("--contacts", str(CONTACTS))) for _ in range(2)
            )
            settle_first(before)
            settle_second(after)
            api, database = stack.enter_context(open_gate()), stack.enter_context(open_gate())
            worlds = [_address(client) for client in (before, after)]
            environ = _environ(before, api)
            site = Site(postgres, Places(home, state), api, database, environ, worlds)
            site.start_postgres()
            site.prepare()
            yield site
    finally:
        postgres.stop()
        shutil.rmtree(folder)


def _address(client: httpx.Client) -> tuple[str, int]:
    return client.base_url.host, int(client.base_url.port or 0)


def _environ(client: httpx.Client, gate: Gate) -> Mapping[str, str]:
    host, port = _address(client)
    text = client.get("/_sandbox/env").raise_for_status().text
    named: dict[str, str] = httpx.Response(
        200, text=text.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    ).json()
    return named | _PACE
