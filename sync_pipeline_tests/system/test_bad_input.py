"""Bad settings, bad answers, things that are away: one clear message each, nothing half-written.

Exit 2 where the settings or the use are wrong, 1 where something failed.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import psutil
import pytest

from sync_pipeline.cli import main
from sync_pipeline.entities import ENTITIES
from sync_pipeline_tests.scripted_server import Scripted, ScriptedServer
from sync_pipeline_tests.system.installation import (
    Done,
    Installation,
    awaited,
    free_port,
    interrupt,
    lines,
)
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

SECRETS = {
    "CRMCOM_API_KEY": "key-0f9e8d7c6b",
    "CRMCOM_PASSWORD": "pass-5a4b3c2d1e",
    "ROSAAS_CLIENT_SECRET": "client-1122aabb33",
}
CRMCOM = SECRETS | {
    "CRMCOM_BASE_URL": "https://crm.invalid/self-service/v1",
    "CRMCOM_USERNAME": "reader@crm.invalid",
}
ROSAAS = SECRETS | {"ROSAAS_BASE_URL": "https://saas.invalid", "ROSAAS_CLIENT_ID": "client"}
PROGRESS = re.compile(r" …$|: [\d,]+ of [\d,]+ read, ")
LOGIN = "/self-service/v1/contacts/authenticate"
ROSAAS_LOGIN = "/api/identity/apps/v1/auth"
TENANTS = "/api/management/apps/v1/tenants"
TOKEN = Scripted.json({"data": {"token": {"accessToken": "t"}}, "metadata": {"errors": []}})


@pytest.fixture(scope="module")
def steady() -> Iterator[Installation]:
    """An installation with rows in its tables, none of which a refused command may change."""
    with Installation() as installation:
        installation.start_sandbox(contacts=8)
        installation.run("pull").succeeded()
        yield installation


@contextmanager
def nothing_written(installation: Installation) -> Iterator[None]:
    before = contents(installation)
    yield
    assert contents(installation) == before


def contents(installation: Installation) -> dict[str, object]:
    tables = [f"warehouse.{name}{part}" for name in ENTITIES for part in ("", "_history")]
    tables += ["ops.watermarks", "ops.quarantine", "ops.contact_registry"]
    return {
        table: installation.ask(f"SELECT xmin::text, t::text FROM {table} t ORDER BY 2")
        for table in tables
    }


def the_message(done: Done, *, code: int, secrets: Mapping[str, str] = SECRETS) -> str:
    """Return the one line that the command gave as its reason."""
    assert done.code == code, done
    assert "Traceback" not in done.err + done.out
    for secret in secrets.values():
        assert secret not in done.err + done.out
    (message,) = [line for line in lines(done.err) if not PROGRESS.search(line)]
    return message


# What settings are refused, and what the message names.
REFUSED_SETTINGS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "key missing": (CRMCOM | {"CRMCOM_API_KEY": ""}, ("CRMCOM_API_KEY", "missing")),
    "user missing": (CRMCOM | {"CRMCOM_USERNAME": ""}, ("CRMCOM_USERNAME", "missing")),
    "client id missing": (ROSAAS | {"ROSAAS_CLIENT_ID": ""}, ("ROSAAS_CLIENT_ID", "missing")),
    "no URL": (ROSAAS | {"ROSAAS_BASE_URL": "saas.invalid"}, ("ROSAAS_BASE_URL", "https://")),
    "broken URL": (ROSAAS | {"ROSAAS_BASE_URL": "https://[::1"}, ("ROSAAS_BASE_URL",)),
    "broken port": (ROSAAS | {"ROSAAS_BASE_URL": "https://a:b/"}, ("ROSAAS_BASE_URL",)),
    "http": (ROSAAS | {"ROSAAS_BASE_URL": "http://saas.invalid"}, ("ROSAAS_BASE_URL", "https://")),
    "password in the URL": (
        ROSAAS | {"ROSAAS_BASE_URL": "https://me:pass-5a4b3c2d1e@saas.invalid"},
        ("ROSAAS_BASE_URL", "password"),
    ),
    "unknown version": (
        CRMCOM | {"CRMCOM_BASE_URL": "https://crm.invalid/self-service/v3"},
        ("CRMCOM_BASE_URL", "/v1", "/v2"),
    ),
    "back office without its key": (
        CRMCOM | {"CRMCOM_BACKOFFICE_URL": "https://crm.invalid/backoffice/v1"},
        ("CRMCOM_SECRET_KEY",),
    ),
    "no such contacts file": (
        CRMCOM | {"CRMCOM_CONTACTS_FILE": "nowhere.csv"},
        ("CRMCOM_CONTACTS_FILE",),
    ),
    "unreadable secret file": (
        CRMCOM | {"CRMCOM_PASSWORD": "", "CRMCOM_PASSWORD_FILE": "nowhere"},
        ("CRMCOM_PASSWORD_FILE",),
    ),
    "scheme of the warehouse": (
        {"WAREHOUSE_URL": "mysql://me:pass-5a4b3c2d1e@127.0.0.1/w"},
        ("WAREHOUSE_URL", "postgresql://"),
    ),
    "broken URL of the warehouse": (
        {"WAREHOUSE_URL": "postgresql://me:pass-5a4b3c2d1e@[::1/w"},
        ("WAREHOUSE_URL",),
    ),
    "broken port of the warehouse": (
        {"WAREHOUSE_URL": "postgresql://me:pass-5a4b3c2d1e@127.0.0.1:port/w"},
        ("WAREHOUSE_URL",),
    ),
    "number": ({"RUN_SLICE_SECONDS": "soon"}, ("RUN_SLICE_SECONDS",)),
    "port": ({"UI_PORT": "70000"}, ("UI_PORT",)),
    "interval": (ROSAAS | {"ROSAAS_INTERVAL_MINUTES": "7"}, ("ROSAAS_INTERVAL_MINUTES",)),
}


@pytest.mark.parametrize("name", REFUSED_SETTINGS)
def test_a_refused_setting_is_named_and_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
) -> None:
    environ, words = REFUSED_SETTINGS[name]
    # In this process: there are many, and a process takes longer to start than to refuse.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sync-pipeline", "pull"])
    with (
        mock.patch.dict(os.environ, environ | {"SYNC_HOME": str(tmp_path / "home")}, clear=True),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert isinstance(ended.value.code, int)
    message = the_message(Done(ended.value.code, *capsys.readouterr()), code=2)
    assert message.startswith("sync-pipeline: ")
    for word in words:
        assert word in message
    assert list(tmp_path.iterdir()) == []


def test_dotenv_of_the_working_folder_is_read_and_the_environment_goes_first(
    installation: Installation,
) -> None:
    (installation.workplace / ".env").write_text(
        f"ROSAAS_BASE_URL=https://saas.invalid\nROSAAS_CLIENT_SECRET={SECRETS['CRMCOM_API_KEY']}\n"
    )
    message = the_message(installation.run("pull"), code=2)
    assert "ROSAAS_CLIENT_ID" in message
    over = installation.run("pull", environ={"ROSAAS_BASE_URL": "ftp://saas.invalid"})
    assert "ROSAAS_BASE_URL" in the_message(over, code=2)


def test_a_secret_comes_from_the_file_that_is_named(steady: Installation) -> None:
    file = steady.workplace / "secret"
    file.write_text("sandbox-client-secret\n")
    environ = {
        "ROSAAS_BASE_URL": steady.sandbox_url,
        "ROSAAS_CLIENT_ID": "sandbox-client",
        "ROSAAS_CLIENT_SECRET_FILE": str(file),
    }
    steady.run("pull", "rosaas/tenants", environ=environ).succeeded()


def test_a_warehouse_that_is_away_is_said_to_be_away(steady: Installation) -> None:
    away = f"postgresql://me:{SECRETS['CRMCOM_PASSWORD']}@127.0.0.1:{free_port()}/warehouse"
    for command in ("pull", "status", "migrate"):
        message = the_message(steady.run(command, environ={"WAREHOUSE_URL": away}), code=1)
        assert "WAREHOUSE_URL" in message


def test_a_wrong_password_of_the_warehouse_is_said_to_be_wrong(steady: Installation) -> None:
    server = steady.dsn().rpartition("@")[2]
    refused = f"postgresql://sync:{SECRETS['CRMCOM_PASSWORD']}@{server}"
    message = the_message(steady.run("migrate", environ={"WAREHOUSE_URL": refused}), code=1)
    assert "WAREHOUSE_URL" in message
    assert "password authentication failed" in message


def test_an_api_that_is_away_is_named_with_its_variable(steady: Installation) -> None:
    nobody = ROSAAS | {"ROSAAS_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    with nothing_written(steady):
        message = the_message(steady.run("pull", "rosaas/tenants", environ=nobody), code=1)
    assert message.startswith("rosaas/tenants failed: ")
    assert "unreachable" in message
    assert "ROSAAS_BASE_URL" in message


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script("POST", ROSAAS_LOGIN, TOKEN)
        yield server


def test_a_refused_credential_of_crmcom_is_named(
    steady: Installation, server: ScriptedServer
) -> None:
    refusal = {"status": 401, "error": "INVALID_CREDENTIALS", "message": "Invalid credentials"}
    server.script("POST", LOGIN, Scripted.json(refusal, 401))
    contacts = steady.workplace / "contacts.csv"
    contacts.write_text("contact_id\nc-1\n")
    environ = CRMCOM | {
        "CRMCOM_BASE_URL": f"{server.url}/self-service/v1",
        "CRMCOM_CONTACTS_FILE": str(contacts),
    }
    before = warehouse_rows(steady, ENTITIES["contacts"])
    message = the_message(steady.run("pull", "crmcom/contacts", environ=environ), code=1)
    assert warehouse_rows(steady, ENTITIES["contacts"]) == before
    assert message.startswith("crmcom/contacts failed: ")
    assert "CRMCOM_PASSWORD" in message
    assert server.count("POST", LOGIN) == 1


def test_a_refused_credential_of_rosaas_is_named(
    steady: Installation, server: ScriptedServer
) -> None:
    error = {"message": "The client credentials are not valid", "sysCode": "2002", "parameter": ""}
    refusal = {"metadata": {"errors": [error], "success": False}}
    server.script("POST", ROSAAS_LOGIN, Scripted.json(refusal, 400))
    with nothing_written(steady):
        environ = ROSAAS | {"ROSAAS_BASE_URL": server.url}
        message = the_message(steady.run("pull", "rosaas/tenants", environ=environ), code=1)
    assert message.startswith("rosaas/tenants failed: ")
    assert "ROSAAS_CLIENT_SECRET" in message


WRONG_ANSWERS = {
    "HTML": (Scripted(200, b"<!DOCTYPE html><html>Log in</html>"), "an HTML page came"),
    "truncated": (Scripted(200, b'{"data":[{"systemName":"acme"'), "breaks off"),
    "other shape": (Scripted.json([1, 2]), "came"),
    "empty": (Scripted(200, b""), "an empty body came"),
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_is_described_and_leaves_the_tables_alone(
    steady: Installation, server: ScriptedServer, name: str
) -> None:
    answer, said = WRONG_ANSWERS[name]
    server.script("GET", TENANTS, answer)
    with nothing_written(steady):
        environ = ROSAAS | {"ROSAAS_BASE_URL": server.url}
        message = the_message(steady.run("pull", "rosaas/tenants", environ=environ), code=1)
    assert message.startswith("rosaas/tenants failed: ")
    assert "tenants" in message
    assert said in message
    assert "acme" not in message


def test_a_home_that_cannot_be_written_is_named(installation: Installation) -> None:
    installation.home.write_text("a file stands where the folder should be")
    for command in (["pull"], ["up"], ["status"], ["migrate"], ["url"], ["sandbox"]):
        message = the_message(installation.run(*command), code=1)
        assert str(installation.home) in message
    installation.home.unlink()


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_taken_port_of_the_ui_is_named(steady: Installation) -> None:
    with taken(steady.ui_port):
        done = steady.run("up")
    assert "UI_PORT" in the_message(done, code=1)
    assert str(steady.ui_port) in done.err
    # What ran before keeps running.
    assert steady.ask("SELECT 1") == [(1,)]
    assert psutil.pid_exists(steady.noted_pid("sandbox"))


def test_a_taken_port_of_the_sandbox_is_named(installation: Installation) -> None:
    with taken(installation.sandbox_port):
        done = installation.run("pull")
        alone = installation.run("sandbox")
    assert "SANDBOX_PORT" in the_message(done, code=1)
    assert alone.code == 1
    assert str(installation.sandbox_port) in the_message(alone, code=1)


def test_a_database_killed_in_the_middle_of_a_pull_is_said_and_the_next_pull_completes() -> None:
    with Installation() as installation:
        installation.start_sandbox(contacts=24, latency_ms=200)
        slowly = {"CRMCOM_MAX_IN_FLIGHT": "2"}
        pull = installation.start("pull", "crmcom/contacts", environ=slowly)
        loaded = "SELECT count(*) FROM warehouse.contacts"
        awaited(lambda: installation.asked_early(loaded), "the first batch is in")
        os.kill(installation.postmaster_pid(), signal.SIGKILL)
        out, err = pull.communicate(timeout=180)
        assert pull.returncode == 1
        assert "Traceback" not in out + err
        last = lines(err)[-1]
        assert last.startswith("sync-pipeline: ")
        assert "WAREHOUSE_URL" in last
        installation.run("pull", "crmcom/contacts").succeeded()
        contacts = ENTITIES["contacts"]
        true = world_rows(installation, contacts, source="crmcom")
        assert warehouse_rows(installation, contacts) == true
        runs = "SELECT outcome, count(*) FROM ops.sync_runs GROUP BY outcome ORDER BY outcome"
        assert installation.ask(runs) == [("abandoned", 1), ("succeeded", 1)]


def test_ctrl_c_during_a_pull_leaves_no_traceback_and_no_open_run() -> None:
    with Installation() as installation:
        installation.start_sandbox(contacts=24, latency_ms=200)
        slowly = {"CRMCOM_MAX_IN_FLIGHT": "2"}
        streams = ("crmcom/contacts", "crmcom/communications")
        pull = installation.start("pull", *streams, environ=slowly)
        loaded = "SELECT count(*) FROM warehouse.contacts"
        awaited(lambda: installation.asked_early(loaded), "the first batch is in")
        done = interrupt(pull)
        assert done.code == 128 + signal.SIGINT
        assert "Traceback" not in done.out + done.err
        assert "crmcom/communications" not in done.err
        runs = installation.ask("SELECT entity, outcome FROM ops.sync_runs ORDER BY started_at")
        assert runs == [("contacts", "failed")]
        with installation.dagster() as instance:
            assert all(run.is_finished for run in instance.get_runs())
        installation.run("pull", "crmcom/contacts").succeeded()
        contacts = ENTITIES["contacts"]
        true = world_rows(installation, contacts, source="crmcom")
        assert warehouse_rows(installation, contacts) == true


def test_the_folder_of_the_tests_is_not_the_home_of_anything(steady: Installation) -> None:
    assert not Path(steady.workplace, ".sync").exists()
