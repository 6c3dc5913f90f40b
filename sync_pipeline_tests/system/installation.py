"""An installation of the pipeline for tests: one SYNC_HOME, its commands, processes and database.

Every command is the real one, as a process of its own, with an environment that holds nothing of
the developer's. What is asked of the database or of Dagster is asked beside it.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from unittest import mock

import httpx
import psutil
import psycopg
from dagster import DagsterInstance
from sqlalchemy import make_url

from sync_pipeline.errors import SyncError
from sync_pipeline.operate.home import Home, find_noted
from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.places import Places
from sync_pipeline.operate.postgres.processes import cluster_name, find_postmaster
from sync_pipeline.operate.postgres.server import STATE
from sync_pipeline.operate.stack import stop_all
from sync_pipeline.settings import read_settings

T = TypeVar("T")
PROGRAM = Path(sys.executable).with_name("sync-pipeline")
KEPT_VARIABLES = ("HOME", "LD_LIBRARY_PATH", "TMPDIR")
# Below the range of outgoing connections, and away from the embedded server's own.
PORTS = range(10_000, 20_000)
LONGEST_S = 180.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def succeeded(self) -> Self:
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


def awaited(look: Callable[[], T | None], what: str, *, timeout_s: float = LONGEST_S) -> T:
    """Poll until ``look`` gives something true, with a bound that only a broken test reaches."""
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain: {what}"
        time.sleep(0.05)
    return seen


def free_port() -> int:
    """Return a port on which nothing listens."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs commands; ``prefix`` is the command that makes another user of us."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def can_run_the_program(self) -> bool:
        """Whether that user can execute the project's commands here at all."""
        again = "import subprocess, sys, sync_pipeline; subprocess.run([sys.executable, '-V'])"
        tried = subprocess.run(
            [*self.prefix, sys.executable, "-c", again], cwd="/", capture_output=True, check=False
        )
        return tried.returncode == 0


OURSELVES = Account(os.geteuid(), os.getegid())


class Installation:
    """One SYNC_HOME. Leaving the `with` block stops everything in it and removes it."""

    def __init__(
        self, name: str = "home", *, account: Account = OURSELVES, program: Path = PROGRAM
    ) -> None:
        # Not below pytest's own folder: the account that runs PostgreSQL for root cannot enter it.
        self._folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-system-"))
        self._folder.chmod(0o755)
        self._account = account
        self._program = program
        self.home = self._folder / name
        self.workplace = self._folder / "workplace"
        self.workplace.mkdir()
        for folder in (self._folder, self.workplace):
            os.chown(folder, account.uid, account.gid)
        self.ui_port, self.sandbox_port = free_port(), free_port()
        self.webhook_port = free_port()
        self.environ = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | {
            "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "LC_ALL": "C.UTF-8",
            "SYNC_HOME": str(self.home),
            "UI_PORT": str(self.ui_port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "WEBHOOK_PORT": str(self.webhook_port),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # In this process, as the command takes as long to start as many a test; what it cannot
        # stop is killed below.
        with suppress(SyncError):
            stop_all(read_settings(self.environ), Home(self.home))
        self.kill_everything()
        pointer = self._places.pointer
        if pointer.exists():
            shutil.rmtree(pointer.read_text(encoding="utf-8").strip(), ignore_errors=True)
        shutil.rmtree(self._folder)

    # Commands

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Done:
        """Run `sync-pipeline` to its end, with ``environ`` over the usual variables."""
        process = self.start(*arguments, environ=environ)
        try:
            out, err = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{shlex.join(arguments)} does not end\n{out}\n{err}") from None
        return Done(process.returncode, out, err)

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start `sync-pipeline` in a process group of its own."""
        return subprocess.Popen(
            [*self._account.prefix, self._program, *arguments],
            env=self.environ | dict(environ or {}),
            cwd=self.workplace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def start_sandbox(
        self, *, contacts: int, latency_ms: float = 0, seed: int = 1, crmcom_version: str = "v1"
    ) -> None:
        """Serve a world of that size in the background, until it answers."""
        size = ("--contacts", str(contacts), "--seed", str(seed), "--latency-ms", str(latency_ms))
        world = (*size, "--crmcom-version", crmcom_version)
        output = (self._folder / "sandbox.txt").open("w")
        with output:
            process = subprocess.Popen(
                [*self._account.prefix, self._program, "sandbox", *world],
                env=self.environ,
                cwd=self.workplace,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

        def is_answering() -> bool:
            said = Path(output.name).read_text(encoding="utf-8")
            assert process.poll() is None, f"the sandbox ended: {said}"
            return f"sandbox: http://127.0.0.1:{self.sandbox_port}" in said

        awaited(is_answering, "the sandbox says its address")

    # Processes

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this home."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            command = " ".join(process.cmdline())
            if str(self.home) in command or self._cluster_name in command:
                return True
            return process.environ().get("SYNC_HOME") == str(self.home)
        except psutil.Error:
            return False

    def kill_everything(self) -> int:
        """End every process of this home by SIGKILL; return how many there were."""
        killed = 0
        while left := self.processes():
            for process in left:
                try:
                    process.kill()
                    killed += 1
                except psutil.NoSuchProcess:
                    continue
            psutil.wait_procs(left, timeout=5)
        return killed

    def postmaster_pid(self) -> int:
        """Return the first process of the PostgreSQL of this home."""
        server = find_postmaster(self._places.data)
        assert server is not None, "PostgreSQL does not run"
        return server.pid

    def noted_pid(self, name: str) -> int:
        """Return the process that this home's notes name so."""
        noted = find_noted(Home(self.home), name)
        assert noted is not None, f"nothing is noted of {name}"
        return noted.pid

    @property
    def _places(self) -> Places:
        return Places(self.home, STATE)

    @property
    def _cluster_name(self) -> str:
        try:
            return cluster_name(self._places.data)
        except OSError:
            return str(self.home)

    # What it holds

    @property
    def sandbox_url(self) -> str:
        noted = find_noted(Home(self.home), "sandbox")
        assert noted is not None, "no sandbox was started"
        return str(noted.facts["url"])

    def world(
        self, entity: str, *, source: str | None = None, crmcom_version: str = "v1"
    ) -> list[dict[str, object]]:
        """Return the sandbox's own rows of an entity (of one source), in canonical form."""
        answer = httpx.get(
            f"{self.sandbox_url}/_sandbox/world/{entity}",
            params={"version": crmcom_version},
            timeout=LONGEST_S,
            trust_env=False,
        )
        rows: list[dict[str, object]] = answer.raise_for_status().json()
        return [row for row in rows if source in (None, row["source"])]

    def dsn(self, database: str = "warehouse") -> str:
        return EmbeddedPostgres(self.home).dsn(database)

    def ask(
        self,
        question: str,
        *values: object,
        database: str = "warehouse",
    ) -> list[tuple[object, ...]]:
        """Return the rows that answer an SQL question."""
        with psycopg.connect(
            self.dsn(database), autocommit=True, options="-c timezone=UTC"
        ) as connection:
            return connection.execute(question.encode(), values or None).fetchall()

    def asked_early(self, question: str, *, database: str = "warehouse") -> object:
        """Return the first value of an answer; None while there is nothing to ask, or no answer."""
        try:
            rows = self.ask(question, database=database)
        except Exception:  # noqa: BLE001 -- not there yet: no server, no database, no table
            return None
        return rows[0][0] if rows else None

    def log_files(self) -> Iterator[tuple[Path, str]]:
        """Yield what the processes of this home wrote, and Dagster's files."""
        for folder in (self.home / "logs", self.home / "dagster"):
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    yield path, path.read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def dagster(self) -> Iterator[DagsterInstance]:
        """Yield the Dagster instance of this home."""
        url = make_url(self.dsn("dagster"))
        variables = {
            "DAGSTER_HOME": str(self.home / "dagster"),
            "DAGSTER_PG_HOST": str(url.host),
            "DAGSTER_PG_PORT": str(url.port),
            "DAGSTER_PG_USER": str(url.username),
            "DAGSTER_PG_PASSWORD": str(url.password),
            "DAGSTER_PG_DB": str(url.database),
            "DAGSTER_COMPUTE_LOG_DIR": str(self.home / "logs" / "compute"),
        }
        with mock.patch.dict(os.environ, variables), DagsterInstance.get() as instance:
            yield instance


def interrupt(process: subprocess.Popen[str]) -> Done:
    """Press Ctrl-C once, as a terminal does, and wait for the end."""
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=LONGEST_S)
    return Done(process.returncode, out, err)


def lines(text: str) -> Sequence[str]:
    """Return the lines that say something."""
    return [line for line in text.splitlines() if line.strip()]
