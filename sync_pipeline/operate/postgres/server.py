"""The embedded server itself: start, attach, stop.

The server is a daemon of its own and outlives the process that started it. Whoever needs it calls
`start()`: under one lock per SYNC_HOME it is found again, or started, or made first.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from sync_pipeline.errors import SetupError
from sync_pipeline.operate import disk
from sync_pipeline.operate.postgres.account import Account, server_account
from sync_pipeline.operate.postgres.binaries import Binaries, find_binaries, within_reach
from sync_pipeline.operate.postgres.cluster import (
    SUPERUSER,
    initialise,
    server_command,
    write_settings,
)
from sync_pipeline.operate.postgres.places import Places
from sync_pipeline.operate.postgres.ports import HOST, PORT_ATTEMPTS, is_free, ports_to_try
from sync_pipeline.operate.postgres.processes import (
    Postmaster,
    end_members,
    find_postmaster,
    is_alive,
    stop_postmaster,
)

DATABASES: Final = ("warehouse", "dagster")
STATE: Final = Path("/var/lib/sync-pipeline")
LOG_TAIL_LINES: Final = 10


class ServerExitedError(Exception):
    """The server ended before it answered; the message is what it said."""


class EmbeddedPostgres:
    """The PostgreSQL of one SYNC_HOME. Building it touches nothing; each call looks afresh."""

    def __init__(
        self,
        home: Path,
        *,
        bin_dir: Path | None = None,
        state_dir: Path = STATE,
        timeout_s: float = 60.0,
    ) -> None:
        self._places = Places(home.absolute(), state_dir)
        self._bin_dir = bin_dir
        self._timeout_s = timeout_s

    def dsn(self, database: str = "warehouse") -> str:
        """Return a database's address on this server; raises SetupError before the first start."""
        with in_words(self._places.home):
            server = find_postmaster(self._places.data)
            port = server.port if server else self._places.port
            password = self._places.password
        if port is None or password is None:
            raise SetupError(f"there is no PostgreSQL in {self._places.home} yet: start it first")
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{port}/{database}"

    @property
    def folders(self) -> list[Path]:
        """Where the server writes."""
        return list(dict.fromkeys([self._places.home, self._places.root]))

    def has_cluster(self) -> bool:
        """Whether there is a cluster to start."""
        with in_words(self._places.home):
            return self._places.major is not None

    def is_running(self) -> bool:
        """Whether the server runs and answers."""
        with in_words(self._places.home):
            server = find_postmaster(self._places.data)
        if server is None or not server.is_ready:
            return False
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> str:
        """Have the server running with its databases, and return the DSN of `warehouse`."""
        places = self._places
        with in_words(places.home), places.locked(2 * self._timeout_s):
            if not self._attached():
                self._launch()
            self._create_missing_databases()
            return self.dsn()

    def stop(self) -> bool:
        """Shut the server down; True when something was stopped. Data stays."""
        places = self._places
        if not places.base.exists():
            return False
        with in_words(places.home), places.locked(2 * self._timeout_s):
            if not places.data.exists():
                return False
            server = find_postmaster(places.data)
            if server is not None:
                stop_postmaster(server.pid, timeout_s=self._timeout_s)
            return end_members(places.data) or server is not None

    def _attached(self) -> bool:
        """Whether a server was found and answers; waits for one that is still starting."""
        server = find_postmaster(self._places.data)
        if server is None:
            return False
        try:
            self._await_answer(server.pid)
        except ServerExitedError:  # it was about to end when we found it
            return False
        return True

    def _launch(self) -> None:
        places = self._places
        account = server_account()
        places.prepare(account)
        binaries = within_reach(
            find_binaries(self._bin_dir, major=places.major), account, places.state
        )
        if places.major is None:
            initialise(binaries, account, places.data, places.ensure_password())
        elif places.password is None:
            raise SetupError(
                f"the password of the PostgreSQL in {places.data} is gone: "
                f"put it back into {places.base / 'password'}"
            )
        end_members(places.data)
        # Its process is not ours, or there is none: PostgreSQL itself would trust the number.
        (places.data / "postmaster.pid").unlink(missing_ok=True)
        write_settings(places.data, account)
        self._start_on_free_port(binaries, account)

    def _start_on_free_port(self, binaries: Binaries, account: Account) -> None:
        places = self._places
        for port in ports_to_try(places.port):
            if not is_free(port):
                continue
            places.remember_port(port)
            with places.log.open("ab") as log:
                before = log.tell()
                pid = account.detach(server_command(binaries, places.data, port), log)
            try:
                self._await_answer(pid)
            except ServerExitedError:
                if not is_free(port):
                    continue  # somebody took it between our look and the server's
                said = log_tail(places.log, before)
                raise SetupError(
                    disk.in_words(disk.cause_in(said), places.data)
                    or disk.scarcity([places.data, places.log])
                    or f"PostgreSQL does not start on {places.data}; it says ({places.log}):\n"
                    f"{said}"
                ) from None
            return
        raise SetupError(f"none of {PORT_ATTEMPTS} ports on {HOST} is free for PostgreSQL")

    def _await_answer(self, pid: int) -> None:
        """Wait until the server accepts a connection; raises ServerExitedError when it ends."""
        deadline = time.monotonic() + self._timeout_s
        why = "it is not ready"
        while time.monotonic() < deadline:
            server = find_postmaster(self._places.data)
            if is_ready(server, pid):
                try:
                    self._connect().close()
                except psycopg.OperationalError as exc:
                    why = str(exc).strip()
                    if "password authentication failed" in why:
                        break
                else:
                    return
            elif not is_alive(pid):
                raise ServerExitedError
            time.sleep(0.02)
        raise SetupError(
            f"the PostgreSQL in {self._places.data} (pid {pid}) runs but does not let us in within "
            f"{self._timeout_s:.0f} s: {why}; its log is {self._places.log}"
        )

    def _create_missing_databases(self) -> None:
        with self._connect() as connection:
            rows = connection.execute("select datname from pg_database").fetchall()
            for name in sorted(set(DATABASES) - {row[0] for row in rows}):
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection[tuple[str, ...]]:
        return psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=5)


def is_ready(server: Postmaster | None, pid: int) -> bool:
    """Whether the server of that pid says that it takes connections."""
    return server is not None and server.pid == pid and server.is_ready


def log_tail(path: Path, offset: int) -> str:
    """Return the last lines that were written to the log after the offset."""
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])


@contextmanager
def in_words(home: Path) -> Iterator[None]:
    """Say in one sentence what the system or the server refused."""
    try:
        yield
    except OSError as exc:
        refused = disk.refusal(exc, home)
        raise SetupError(refused or f"the embedded PostgreSQL in {home}: {exc}") from exc
    except (subprocess.SubprocessError, psycopg.Error) as exc:
        refused = disk.in_words(disk.cause_in(str(exc)), home) or disk.scarcity([home])
        raise SetupError(refused or f"the embedded PostgreSQL in {home}: {exc}") from exc
