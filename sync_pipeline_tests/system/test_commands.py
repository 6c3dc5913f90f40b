"""The commands around a pull: `url`, `status`, `migrate`, `sandbox`, `down`, and odd homes."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import subprocess

import psycopg

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline_tests.system.installation import (
    OURSELVES,
    Account,
    Installation,
    awaited,
    interrupt,
)
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

MIGRATIONS = "SELECT number, name, applied_at FROM ops.schema_migrations ORDER BY number"
LAST = """
    SELECT outcome, is_complete FROM ops.sync_runs WHERE source = %s AND entity = %s
    ORDER BY started_at DESC LIMIT 1
"""
SCOPES = """
    SELECT count(*), count(*) FILTER (WHERE proof = 'incomplete') FROM ops.watermarks
    WHERE source = %s AND entity = %s
"""


def test_status_tells_the_same_as_the_tables(small: Installation) -> None:
    told = json.loads(small.run("status", "--json").succeeded().out)
    assert [row["stream"] for row in told] == list(STREAMS)
    for row in told:
        source, _, entity = row["stream"].partition("/")
        assert row["rows"] == len(small.world(entity, source=source))
        assert (row["outcome"], row["complete"]) == small.ask(LAST, source, entity)[0]
        assert (row["scopes"], row["incomplete"]) == small.ask(SCOPES, source, entity)[0]
        assert (row["denied"], row["quarantined"], row["error"]) == (0, 0, None)


def test_status_is_a_table_for_people(small: Installation) -> None:
    out = small.run("status").succeeded().out
    for stream in STREAMS.values():
        (line,) = [line for line in out.splitlines() if str(stream) in line]
        rows = len(small.world(stream.entity.name, source=stream.source))
        assert f"{rows:,}" in line.split()
        assert "succeeded" in line


def test_migrate_finds_nothing_to_do_twice(small: Installation) -> None:
    before = small.ask(MIGRATIONS)
    assert small.run("migrate").succeeded().out == "Up to date.\n"
    assert small.ask(MIGRATIONS) == before


def test_the_printed_variables_make_a_shell_s_commands_use_the_sandbox(
    small: Installation,
) -> None:
    printed = small.run("sandbox", "--print-env").succeeded().out
    names = [line.partition("=")[0] for line in printed.splitlines()]
    assert {"CRMCOM_BASE_URL", "CRMCOM_API_KEY", "ROSAAS_BASE_URL"} <= set(names)
    shell = f'eval "$(sync-pipeline sandbox --print-env)"; export {" ".join(names)}; env'
    env = subprocess.run(  # the shell is what is tested
        ["/bin/sh", "-c", shell], env=small.environ, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    in_shell = dict(line.split("=", 1) for line in env if "=" in line)
    assert in_shell["CRMCOM_BASE_URL"].startswith(f"{small.sandbox_url}/")
    assert [f"{n}={shlex.quote(in_shell[n])}" for n in names] == printed.splitlines()
    done = small.run("pull", "rosaas/tenants", environ={n: in_shell[n] for n in names})
    assert "complete" in done.succeeded().out


def test_a_second_sandbox_over_the_same_home_is_refused_in_words(small: Installation) -> None:
    done = small.run("sandbox")
    assert done.code == 1
    assert done.err == (
        f"sync-pipeline: the sandbox of this SYNC_HOME runs at {small.sandbox_url}; "
        "`down` stops it\n"
    )


def test_from_nothing_url_migrate_status_and_down_work_alone(installation: Installation) -> None:
    assert installation.run("down").succeeded().out == "Nothing was running.\n"
    assert not installation.home.exists()
    dsn = installation.run("url").succeeded().out.strip()
    assert dsn == installation.dsn()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("warehouse",)
    applied = installation.run("migrate").succeeded().out
    names = [f"{number:04d}_{name}" for number, name, _ in installation.ask(MIGRATIONS)]
    assert applied == f"Applied: {', '.join(names)}\n"
    told = json.loads(installation.run("status", "--json").succeeded().out)
    assert [(row["stream"], row["rows"], row["outcome"]) for row in told] == [
        (stream, 0, None) for stream in STREAMS
    ]
    assert installation.run("down").succeeded().out == "Stopped: warehouse\n"
    assert installation.processes() == []
    assert installation.run("down").succeeded().out == "Nothing was running.\n"
    assert installation.run("url").succeeded().out.strip() == dsn


def test_a_sandbox_in_the_foreground_serves_a_pull_and_ends_with_ctrl_c(
    installation: Installation,
) -> None:
    installation.start_sandbox(contacts=3, seed=7)
    done = installation.run("pull", "crmcom/contacts")
    assert done.succeeded().err.count("sandbox") == 0
    assert installation.ask("SELECT count(*) FROM warehouse.contacts") == [(3,)]
    assert installation.run("down").succeeded().out == "Stopped: sandbox, warehouse\n"
    again = installation.start("sandbox", "--contacts", "3")
    assert again.stdout is not None
    assert again.stdout.readline() == f"sandbox: http://127.0.0.1:{installation.sandbox_port}\n"
    awaited(lambda: installation.world("tenants"), "the sandbox answers")
    ended = interrupt(again)
    assert (ended.code, ended.err) == (0, "")
    assert installation.processes() == []


def test_the_world_stays_the_same_when_its_sandbox_is_started_again(
    installation: Installation,
) -> None:
    installation.start_sandbox(contacts=5, seed=11)
    world = installation.world("contacts")
    installation.run("down").succeeded()
    installation.run("pull", "crmcom/contacts").succeeded()
    assert installation.world("contacts") == world
    assert installation.ask("SELECT count(*) FROM warehouse.contacts") == [(5,)]


def test_a_home_with_a_space_and_letters_of_other_scripts_works() -> None:
    with Installation("my sync ✓ данные é") as installation:
        installation.start_sandbox(contacts=10)
        installation.run("run").succeeded()
        for entity in ENTITIES.values():
            assert warehouse_rows(installation, entity) == world_rows(installation, entity)
        stopped = installation.run("down").succeeded().out
        assert stopped == "Stopped: sandbox, warehouse\n"
        assert installation.processes() == []


def test_a_normal_user_can_run_everything() -> None:
    account = ordinary_account()
    with Installation(account=account) as installation:
        installation.start_sandbox(contacts=10)
        installation.run("down").succeeded()
        # It starts the sandbox by itself, with the world that it had.
        installation.run("run").succeeded()
        running = installation.processes()
        assert {process.uids().real for process in running} == {account.uid}
        assert {path.stat().st_uid for path in installation.home.rglob("*")} == {account.uid}
        for entity in ENTITIES.values():
            assert warehouse_rows(installation, entity) == world_rows(installation, entity)
        assert installation.run("down").succeeded().out == "Stopped: sandbox, warehouse\n"
        assert installation.processes() == []


def ordinary_account() -> Account:
    """Return ourselves; in place of root `nobody`, who may read (only read) what is root's.

    The project or its interpreter may lie in a folder that only root can enter.
    """
    if os.geteuid() != 0:
        return OURSELVES
    nobody = pwd.getpwnam("nobody")
    ids = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    for options in (ids, (*ids, *reading)):
        account = Account(nobody.pw_uid, nobody.pw_gid, ("setpriv", *options))
        if account.can_run_the_program():
            return account
    raise AssertionError("root has no way here to run the project as another user")
