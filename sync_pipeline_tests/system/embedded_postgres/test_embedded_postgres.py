"""The embedded PostgreSQL on a real server: first start, attaching, stopping, access, logs."""

from __future__ import annotations

import os
import shutil

import psutil
import psycopg
import pytest

from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.binaries import copy_installation, installation_root
from sync_pipeline.operate.postgres.processes import find_postmaster
from sync_pipeline_tests.system.embedded_postgres.homes import Homes, ask, put_note, read_notes


@pytest.mark.parametrize("name", ["home", "a home with ünïcode и пробелом"])
def test_first_start_makes_a_cluster_that_answers(homes: Homes, name: str) -> None:
    server = homes.server(name)
    assert not server.is_running()

    dsn = server.start()

    assert server.is_running()
    assert dsn == server.dsn()
    assert dsn.startswith("postgresql://sync:")
    assert dsn.endswith("/warehouse")
    assert ask(server.dsn("dagster"), "select current_database()") == "dagster"
    assert ask(dsn, "show server_encoding") == "UTF8"
    assert ask(dsn, "show fsync") == "on"
    assert ask(dsn, "show timezone") == "UTC"
    assert ask(dsn, "select 'Ω' ilike 'ω' and 'Ж' ~ '[[:alpha:]]'") is True


def test_another_instance_attaches_to_the_running_server(homes: Homes) -> None:
    dsn = homes.server().start()
    started_at = ask(dsn, "select pg_postmaster_start_time()")

    other = homes.server()

    assert other.is_running()
    assert other.start() == dsn
    assert ask(dsn, "select pg_postmaster_start_time()") == started_at


def test_several_processes_starting_at_once_end_with_one_server(homes: Homes) -> None:
    starters = [homes.start_elsewhere() for _ in range(4)]
    addresses = {starter.communicate(timeout=120)[0].strip() for starter in starters}

    assert [starter.returncode for starter in starters] == [0, 0, 0, 0]
    assert addresses == {homes.server().dsn()}
    assert homes.server().is_running(), "the server must outlive the processes that started it"
    assert (homes.path() / "logs" / "postgres.log").read_text().count("starting PostgreSQL") == 1


def test_stop_ends_every_process_and_keeps_data_and_address(homes: Homes) -> None:
    server = homes.server()
    dsn = server.start()
    put_note(dsn, "kept")
    processes = homes.processes()

    assert server.stop() is True

    assert not server.is_running()
    assert processes
    assert homes.processes() == []
    assert server.stop() is False
    assert server.start() == dsn
    assert read_notes(dsn) == ["kept"]


def test_stop_without_a_home_creates_nothing(homes: Homes) -> None:
    assert homes.server("never").stop() is False
    assert not homes.path("never").exists()


def test_only_the_generated_password_lets_in(homes: Homes) -> None:
    dsn = homes.server().start()
    file = homes.path() / "postgres" / "password"
    password = file.read_text()

    assert file.stat().st_mode & 0o777 == 0o600
    assert len(password) >= 32
    for wrong in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(dsn.replace(password, wrong), passfile=os.devnull)
    assert ask(dsn, "select array_agg(distinct auth_method) from pg_hba_file_rules") == [
        "scram-sha-256"
    ]
    assert ask(dsn, "show listen_addresses") == "127.0.0.1"


def test_errors_leave_no_values_in_the_log(homes: Homes) -> None:
    dsn = homes.server().start()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table people (email text primary key, age integer)")
        connection.execute("insert into people values ('private@example.org', 1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into people values (%s, 2)", ["private@example.org"])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("select 'private@example.org'::integer")

    log = (homes.path() / "logs" / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "private" not in log


def test_the_server_inherits_no_credentials(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMCOM_API_KEY", "secret")
    homes.server().start()
    postmaster = find_postmaster(homes.data())
    assert postmaster is not None
    assert "CRMCOM_API_KEY" not in psutil.Process(postmaster.pid).environ()


def test_an_unprivileged_user_keeps_everything_at_home(homes: Homes) -> None:
    notes = homes.as_unprivileged_user(start_write_restart)

    assert notes == ["written without privileges"]
    assert homes.data("unprivileged").parent == homes.path("unprivileged") / "postgres"


def start_write_restart(server: EmbeddedPostgres) -> list[str]:
    put_note(server.start(), "written without privileges")
    server.stop()
    notes = read_notes(server.start())
    server.stop()
    return notes


def test_a_closed_folder_above_the_home_is_no_obstacle(homes: Homes) -> None:
    closed = homes.path("closed")
    closed.mkdir(mode=0o700)
    server = homes.server("closed/home")

    put_note(server.start(), "behind a closed door")
    server.stop()

    assert read_notes(server.start()) == ["behind a closed door"]
    lies_outside = not homes.data("closed/home").is_relative_to(closed)
    assert lies_outside is (os.geteuid() == 0)


def test_programs_in_a_closed_folder_are_copied_within_reach(homes: Homes) -> None:
    closed = homes.path("closed")
    closed.mkdir(mode=0o700)
    programs = homes.binaries().folder
    copy_installation(programs, closed / "venv")

    inside = programs.relative_to(installation_root(programs))
    server = homes.server(bin_dir=closed / "venv" / inside)

    assert ask(server.start(), "select 1") == 1
    copies = list(homes.state.glob("binaries-*"))
    assert len(copies) == (1 if os.geteuid() == 0 else 0)


def test_a_removed_home_starts_afresh(homes: Homes) -> None:
    closed = homes.path("closed")
    closed.mkdir(mode=0o700)
    server = homes.server("closed/home")
    put_note(server.start(), "of an earlier life")
    homes.remember_processes("closed/home")
    shutil.rmtree(closed / "home")

    dsn = server.start()

    assert ask(dsn, "select to_regclass('note')") is None
