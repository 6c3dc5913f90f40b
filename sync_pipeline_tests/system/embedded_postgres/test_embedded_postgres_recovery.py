"""What the embedded PostgreSQL survives: kills, stale files, taken ports, broken programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.postgres import binaries
from sync_pipeline.operate.postgres.account import server_account
from sync_pipeline.operate.postgres.processes import find_postmaster
from sync_pipeline_tests.system.embedded_postgres.homes import (
    Homes,
    ask,
    await_true,
    kill,
    put_note,
    read_notes,
)


def test_starts_again_after_a_kill_of_the_first_process_alone(homes: Homes) -> None:
    server = homes.server()
    dsn = server.start()
    put_note(dsn, "committed")
    busy = threading.Thread(target=spin, args=[dsn])
    busy.start()
    await_true(lambda: ask(dsn, "select count(*) from pg_stat_activity where query like 'do %'"))
    postmaster = find_postmaster(homes.data())
    assert postmaster is not None

    kill(postmaster.pid)

    assert server.start() == dsn
    assert read_notes(dsn) == ["committed"]
    busy.join()


def spin(dsn: str) -> None:
    """Keep a backend too busy to notice that its server is gone."""
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.OperationalError):
        connection.execute("do 'begin loop end loop; end'")


def test_starts_again_after_a_kill_of_everything(homes: Homes) -> None:
    server = homes.server()
    dsn = server.start()
    put_note(dsn, "committed")

    kill(*homes.processes())

    assert not server.is_running()
    assert server.start() == dsn
    assert read_notes(dsn) == ["committed"]


def test_attaches_to_a_server_that_is_still_recovering(homes: Homes) -> None:
    """The one who started it may be killed before it was ready."""
    server = homes.server()
    dsn = server.start()
    postmaster = find_postmaster(homes.data())
    assert postmaster is not None
    file = homes.data() / "postmaster.pid"
    ready = file.read_text()
    file.write_text(ready.replace("ready", "starting"))
    assert not server.is_running()
    back = threading.Timer(0.3, file.write_text, [ready])
    back.start()

    assert server.start() == dsn
    assert find_postmaster(homes.data()) == postmaster
    back.join()


def test_a_stale_pid_file_that_names_a_foreign_process(homes: Homes) -> None:
    server = homes.server()
    dsn = server.start()
    put_note(dsn, "kept")
    file = homes.data() / "postmaster.pid"
    lines = file.read_text().split("\n")
    kill(*homes.processes())
    with Path(os.devnull).open("wb") as nowhere:
        foreign = server_account().detach(["sleep", "600"], nowhere)
    file.write_text("\n".join([str(foreign), *lines[1:]]))
    try:
        assert server.stop() is False
        assert server.start() == dsn
        assert read_notes(dsn) == ["kept"]
        assert psutil.pid_exists(foreign)
    finally:
        kill(foreign)


def test_a_copied_home_gets_a_server_of_its_own(homes: Homes) -> None:
    server = homes.server()
    server.start()
    server.stop()
    subprocess.run(["cp", "-a", homes.path(), homes.path("copy")], check=True)  # noqa: S607 -- the system's
    dsn = server.start()
    shutil.copy2(homes.data() / "postmaster.pid", homes.data("copy") / "postmaster.pid")

    copy = homes.server("copy")

    assert not copy.is_running()
    assert copy.start() != dsn
    assert copy.stop() is True
    assert server.is_running()


def test_a_taken_port_is_left_and_the_new_one_remembered(homes: Homes) -> None:
    server = homes.server()
    before = server.start()
    server.stop()
    port = int(str(psycopg.conninfo.conninfo_to_dict(before)["port"]))
    with socket.create_server(("127.0.0.1", port)):
        after = server.start()
        assert ask(after, "select 1") == 1
        server.stop()

    assert after != before
    assert server.start() == after


def test_a_half_done_initialisation_is_redone(homes: Homes) -> None:
    """Killed in the middle, with the orphaned initdb even still alive."""
    half = homes.path("half")
    half.mkdir()
    (half / "postgres").symlink_to(homes.binaries().folder / "postgres")
    script(
        half / "initdb",
        '[ "$1" = --version ] || { echo 18 > "${1#--pgdata=}/PG_VERSION"; exec sleep 600; }',
    )
    starter = homes.start_elsewhere(bin_dir=half)
    await_true(lambda: list(homes.path().glob("postgres/staging-*/data/PG_VERSION")))
    orphans = psutil.Process(starter.pid).children(recursive=True)
    starter.kill()
    starter.communicate()
    try:
        assert ask(homes.server().start(), "select 1") == 1
        assert list(homes.path().glob("postgres/staging-*")) == []
    finally:
        kill(*(orphan.pid for orphan in orphans))


def test_a_server_that_does_not_start_is_quoted(homes: Homes) -> None:
    server = homes.server()
    server.start()
    server.stop()
    (homes.data() / "global" / "pg_control").unlink()

    with pytest.raises(SetupError, match=r"(?s)does not start.*could not.*pg_control"):
        server.start()


def test_a_lost_password_is_said(homes: Homes) -> None:
    server = homes.server()
    server.start()
    server.stop()
    (homes.path() / "postgres" / "password").unlink()

    with pytest.raises(SetupError, match=r"password of the PostgreSQL in .* is gone"):
        server.start()


def test_an_impossible_home_is_named(homes: Homes) -> None:
    homes.path("file").touch()

    with pytest.raises(SetupError, match=r"a file stands where a folder should be.*file"):
        homes.server("file/home").start()


def test_without_programs_the_way_out_is_said(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "candidates", lambda _: [])

    with pytest.raises(SetupError, match=r"no programs found.*WAREHOUSE_URL"):
        homes.server().start()


def test_programs_for_another_system_are_said_not_to_execute(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = homes.path("foreign")
    foreign.mkdir()
    for program in ("postgres", "initdb"):
        (foreign / program).write_text("#!/lib/ld-of-another-libc.so.1\n")
        (foreign / program).chmod(0o755)
    monkeypatch.setattr(binaries, "candidates", lambda setting: [setting])

    with pytest.raises(SetupError, match=r"foreign/postgres does not execute.*WAREHOUSE_URL"):
        homes.server(bin_dir=foreign).start()


def test_programs_of_another_major_version_are_passed_over(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = homes.server()
    dsn = server.start()
    server.stop()
    newer = homes.path("newer")
    newer.mkdir()
    script(newer / "postgres", "echo 'postgres (PostgreSQL) 99.1'")
    script(newer / "initdb", "exit 1")

    assert homes.server(bin_dir=newer).start() == dsn

    server.stop()
    monkeypatch.setattr(binaries, "candidates", lambda setting: [setting])
    with pytest.raises(SetupError, match=r"no usable PostgreSQL \d+ .*newer is PostgreSQL 99.1"):
        homes.server(bin_dir=newer).start()


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
