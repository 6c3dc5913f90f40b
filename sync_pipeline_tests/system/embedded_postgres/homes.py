"""Homes of embedded servers for one test, and questions to ask them."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.account import Account, server_account
from sync_pipeline.operate.postgres.binaries import Binaries, find_binaries, within_reach
from sync_pipeline.operate.postgres.places import Places
from sync_pipeline.operate.postgres.processes import cluster_name, members

START = """
import sys
from pathlib import Path
from sync_pipeline.operate.postgres import EmbeddedPostgres
home, state, bin_dir = map(Path, sys.argv[1:])
print(EmbeddedPostgres(home, state_dir=state, bin_dir=bin_dir).start())
"""


class Homes:
    """Servers below one folder; `end` leaves none of their processes behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[EmbeddedPostgres] = []
        self._remembered: list[int] = []
        self.state = folder / "state"

    def path(self, name: str = "home") -> Path:
        return self._folder / name

    def data(self, name: str = "home") -> Path:
        return Places(self.path(name), self.state).data

    def server(self, name: str = "home", *, bin_dir: Path | None = None) -> EmbeddedPostgres:
        server = EmbeddedPostgres(self.path(name), bin_dir=bin_dir, state_dir=self.state)
        self._servers.append(server)
        return server

    def start_elsewhere(self, bin_dir: Path | None = None) -> subprocess.Popen[str]:
        """Start the server of `home` from another process, which prints its address."""
        programs = bin_dir or self.binaries().folder
        return subprocess.Popen(
            [sys.executable, "-c", START, self.path(), self.state, programs],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def binaries(self) -> Binaries:
        """Programs that any account can execute."""
        reachable = self._folder / "programs"
        reachable.mkdir(mode=0o711, exist_ok=True)
        return within_reach(find_binaries(None, major=None), server_account(), reachable)

    def processes(self, name: str = "home") -> list[int]:
        return members(cluster_name(self.data(name)))

    def remember_processes(self, name: str) -> None:
        """End these too: their home is going to be removed."""
        self._remembered += self.processes(name)

    def as_unprivileged_user(self, act: Callable[[EmbeddedPostgres], list[str]]) -> list[str]:
        """Act on a server as a normal user: as ourselves, or for root as `nobody`."""
        programs = self.binaries().folder
        server = self.server("unprivileged", bin_dir=programs)
        if os.geteuid() != 0:
            return act(server)
        nobody = pwd.getpwnam("nobody")
        self.path("unprivileged").mkdir(mode=0o700)
        Account("nobody", nobody.pw_uid, nobody.pw_gid).own(self.path("unprivileged"))
        ours, theirs = multiprocessing.Pipe()

        def drop_privileges_and_act() -> None:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            theirs.send(act(server))

        # Forked, for nobody may be unable to read the interpreter's own folder.
        child = multiprocessing.get_context("fork").Process(target=drop_privileges_and_act)
        child.start()
        theirs.close()
        answer: list[str] = ours.recv()
        child.join()
        return answer

    def end(self) -> None:
        for server in self._servers:
            server.stop()
        kill(*self._remembered)


def kill(*pids: int) -> None:
    """SIGKILL each that is still there: a server's workers come and go by themselves."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def put_note(dsn: str, text: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create table if not exists note (text text)")
        connection.execute("insert into note values (%s)", [text])


def read_notes(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("select text from note")]


def await_true(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Poll, with a bound that only a broken test reaches."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
