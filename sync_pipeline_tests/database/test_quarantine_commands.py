"""`sync-pipeline quarantine`: what it shows of a record, and what its exit code says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from sync_pipeline.cli import app
from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.errors import NotInQuarantineError
from sync_pipeline.records import Reject
from sync_pipeline.settings import known_variables
from sync_pipeline.warehouse.quarantine import quarantine

Run = Callable[..., Result]
READ_AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def run(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return what runs the command on a warehouse with three open rows."""
    monkeypatch.chdir(tmp_path)
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAREHOUSE_URL", _url(engine))
    monkeypatch.setenv("SYNC_HOME", str(tmp_path / "home"))
    # A source that is never asked: without one, the sandbox would be started.
    monkeypatch.setenv("ROSAAS_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ROSAAS_CLIENT_ID", "client")
    monkeypatch.setenv("ROSAAS_CLIENT_SECRET", "client-secret")
    with engine.begin() as connection:
        ada = b'{"id": "a", "first_name": "Ada\xff\x1b[2J\xc3\xa9"'
        quarantine(connection, CRMCOM_CONTACTS, [_reject("a", ada, "bad_json")])
        quarantine(connection, CRMCOM_CONTACTS, [_reject("b", b'{"no": 1}', "unrecognised")])
        quarantine(connection, ROCS_CONTACTS, [_reject(None, b'{"name": "Bob"}', "no_id")])
    return lambda *arguments: CliRunner().invoke(app, ["quarantine", *arguments])


def test_the_list_says_which_and_why_and_shows_no_value(run: Run) -> None:
    done = run("list", "--json")
    found = json.loads(done.stdout)
    kept = ("stream", "scope", "record_id", "code", "reason")
    assert [{name: row[name] for name in kept} for row in found] == [
        _line("crmcom/contacts", "a", "bad_json"),
        _line("crmcom/contacts", "b", "unrecognised"),
        _line("rocs/contacts", None, "no_id"),
    ]
    assert {name for row in found for name in row} == {*kept, "id", "first_seen_at", "last_seen_at"}
    assert "Ada" not in done.output
    assert "Bob" not in done.output
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (("rocs/contacts",), ["no_id"]),
        (("crmcom/contacts", "rocs/contacts"), ["bad_json", "unrecognised", "no_id"]),
        (("--code", "unrecognised"), ["unrecognised"]),
        (("rocs/contacts", "--code", "bad_json"), []),
        (("--limit", "2"), ["bad_json", "unrecognised"]),
    ],
)
def test_the_list_is_narrowed_by_stream_code_and_number(
    run: Run, asked: tuple[str, ...], codes: list[str]
) -> None:
    done = run("list", *asked, "--json")
    assert [row["code"] for row in json.loads(done.stdout)] == codes
    assert ("of 3 open rows" in done.stderr) is ("--limit" in asked)


def test_one_row_is_shown_with_its_bytes_in_which_nothing_steers_the_terminal(run: Run) -> None:
    (first, *_) = json.loads(run("list", "--json").stdout)
    shown = json.loads(run("show", str(first["id"]), "--json").stdout)
    assert shown["payload_raw"] == r'{"id": "a", "first_name": "Ada\xff\x1b[2Jé"'
    assert (shown["code"], shown["resolution"]) == ("bad_json", None)
    plain = run("show", str(first["id"]))
    assert r'payload_raw    {"id": "a", "first_name": "Ada\xff\x1b[2Jé"' in plain.stdout
    assert (plain.exit_code, "\x1b" in plain.stdout) == (0, False)


def test_a_discarded_row_leaves_the_list_and_can_still_be_shown(run: Run) -> None:
    (first, *others) = json.loads(run("list", "--json").stdout)
    assert run("discard", str(first["id"]), "--reason", " their test ").exit_code == 0
    assert json.loads(run("list", "--json").stdout) == others
    shown = json.loads(run("show", str(first["id"]), "--json").stdout)
    assert shown["resolution"] == "discarded: their test"


@pytest.mark.parametrize(
    "asked", [("show", "99"), ("replay", "99"), ("discard", "99", "--reason", "r")]
)
def test_an_id_that_no_open_row_has_is_told_in_words(run: Run, asked: tuple[str, ...]) -> None:
    assert isinstance(run(*asked).exception, NotInQuarantineError)


def _reject(record_id: str | None, payload: bytes, code: str) -> Reject:
    return Reject(record_id, payload, code, f"reason of {code}", READ_AT, record_id or "")


def _line(stream: str, record_id: str | None, code: str) -> dict[str, object]:
    return {
        "stream": stream,
        "scope": record_id or "",
        "record_id": record_id,
        "code": code,
        "reason": f"reason of {code}",
    }


def _url(engine: Engine) -> str:
    url = engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
