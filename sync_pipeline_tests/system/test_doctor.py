"""`doctor`: what it finds on sound and on broken installations, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from sync_pipeline_tests.system.installation import Done, Installation, free_port

SECRET = "secret-5a4b3c2d1e"  # noqa: S105 -- a value that must not be shown
ROSAAS = {
    "ROSAAS_BASE_URL": "https://saas.invalid",
    "ROSAAS_CLIENT_ID": "client",
    "ROSAAS_CLIENT_SECRET": SECRET,
}


def states(done: Done) -> dict[str, str]:
    """Return the state of each check; nothing that was printed holds a secret."""
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.out + done.err
    found = {row["check"]: row["state"] for row in json.loads(done.out)}
    for row in json.loads(done.out):
        assert set(row) == {"check", "state", "found", "remedy"}
        assert bool(row["remedy"]) == (row["state"] != "ok")
    return found


@pytest.fixture(scope="module")
def steady() -> Iterator[Installation]:
    with Installation() as installation:
        installation.start_sandbox(contacts=5)
        installation.run("migrate").succeeded()
        yield installation


def printed(installation: Installation) -> dict[str, str]:
    out = installation.run("sandbox", "--print-env").succeeded().out
    return dict(line.split("=", 1) for line in out.splitlines())


def test_on_an_empty_machine_it_finds_what_is_there_and_makes_nothing(
    installation: Installation,
) -> None:
    found = states(installation.run("doctor", "--json").succeeded())
    assert found["warehouse"] == "ok"
    assert "schema" not in found
    assert not installation.home.exists()
    assert installation.processes() == []


def test_with_a_sound_set_up_every_check_is_well(steady: Installation) -> None:
    done = steady.run("doctor", "--json", environ=printed(steady)).succeeded()
    found = states(done)
    assert set(found.values()) <= {"ok", "warning"}
    expected = {"settings", "python", "sync_home", "disk", "ui_port", "warehouse", "encoding"}
    expected |= {"server version", "clock", "schema", "rights", "dagster storage"}
    expected |= {"crmcom", "crmcom contact ids", "crmcom login", "rosaas", "rosaas login"}
    assert expected <= set(found)


def test_for_people_each_check_is_a_line(steady: Installation) -> None:
    out = steady.run("doctor").succeeded().out
    assert "ok       encoding: UTF8\n" in out
    assert "ok       rosaas: off: ROSAAS_BASE_URL is not set" in out


def test_a_stopped_warehouse_runs_only_for_the_check(installation: Installation) -> None:
    installation.run("migrate").succeeded()
    installation.run("down").succeeded()
    done = installation.run("doctor", "--json").succeeded()
    assert states(done)["schema"] == "ok"
    assert "started for this check only" in done.out
    assert installation.processes() == []


def test_what_is_broken_fails_with_a_remedy_and_the_rest_is_checked(steady: Installation) -> None:
    refused = printed(steady) | {"CRMCOM_PASSWORD": SECRET, "ROSAAS_CLIENT_SECRET": SECRET}
    away = f"postgresql://me:{SECRET}@127.0.0.1:{free_port()}/w"
    done = steady.run("doctor", "--json", environ=refused | {"WAREHOUSE_URL": away})
    found = states(done)
    assert done.code == 1
    failing = {check for check, state in found.items() if state == "failed"}
    assert failing == {"warehouse", "crmcom login", "rosaas login"}
    assert "CRMCOM_PASSWORD" in done.out
    assert "ROSAAS_CLIENT_SECRET" in done.out


def test_a_name_that_dns_does_not_know_is_said_before_a_login_is_tried(
    installation: Installation,
) -> None:
    done = installation.run("doctor", "--json", environ=ROSAAS)
    found = states(done)
    assert done.code == 1
    assert found["rosaas_base_url reachable"] == "failed"
    assert "rosaas login" not in found


def test_wrong_settings_are_named_and_the_machine_is_checked_all_the_same(
    installation: Installation,
) -> None:
    done = installation.run("doctor", "--json", environ={"UI_PORT": "many"})
    found = states(done)
    assert done.code == 2
    assert (found["settings"], found["sync_home"]) == ("failed", "ok")
    assert "UI_PORT" in done.out
    assert str(installation.home) in done.out


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_in_another_encoding_is_named_by_doctor_and_by_migrate(
    steady: Installation, encoding: str
) -> None:
    name = f"other_{encoding.lower()}"
    make = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(steady.dsn("postgres"), autocommit=True) as connection:
        connection.execute(make.encode())
    url = make_url(steady.dsn()).set(database=name).render_as_string(hide_password=False)
    done = steady.run("doctor", "--json", environ={"WAREHOUSE_URL": url})
    assert (done.code, states(done)["encoding"]) == (1, "failed")
    refused = steady.run("migrate", environ={"WAREHOUSE_URL": url})
    assert refused.code == 1
    assert "ENCODING 'UTF8'" in refused.err


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONIOENCODING": "ascii", "PGCLIENTENCODING": "LATIN1"},
    ],
    ids=["C", "Turkish", "ASCII"],
)
def test_a_terminal_with_another_charset_stops_no_command(
    steady: Installation, locale: dict[str, str]
) -> None:
    for command in (["run"], ["status"], ["doctor"], ["pull", "--help"]):
        done = steady.run(*command, environ=locale).succeeded()
        assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "latin-1"])
def test_a_dotenv_in_another_charset_is_refused_in_one_line(
    installation: Installation, charset: str
) -> None:
    file = installation.workplace / ".env"
    file.write_bytes("UI_PORT=3000 # caf\u00e9\n".encode(charset))
    done = installation.run("pull")
    assert done.code == 2
    assert done.err == f"sync-pipeline: {file}: not readable as text in UTF-8\n"


def test_a_dotenv_with_a_byte_order_mark_is_read(installation: Installation) -> None:
    file = installation.workplace / ".env"
    file.write_text("ROSAAS_BASE_URL=ftp://saas.invalid\n", encoding="utf-8-sig")
    done = installation.run("pull")
    assert done.code == 2
    assert "ROSAAS_BASE_URL" in done.err
