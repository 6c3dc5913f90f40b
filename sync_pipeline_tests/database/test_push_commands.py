"""`sync-pipeline push` and `request-update`: what they show, what they decide, their exit codes."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from sync_pipeline.cli import app
from sync_pipeline.errors import UndecidableError
from sync_pipeline.settings import known_variables
from sync_pipeline.warehouse.outbox import Delivery, Ending, desk_opened
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import at, rows
from sync_pipeline_tests.database.view_rows import put

Run = Callable[..., Result]
ZOE = {"email": "zoe@example.com"}


@pytest.fixture
def run(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the command line on a warehouse with two contacts."""
    monkeypatch.chdir(tmp_path)
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("WAREHOUSE_URL", url)
    monkeypatch.setenv("SYNC_HOME", str(tmp_path / "home"))
    put_contacts(engine, "c1", "c2")
    return lambda *arguments: CliRunner().invoke(app, arguments)


def held(engine: Engine, record_id: str) -> int:
    """As if a model had planned an update of the e-mail address."""
    query = (
        "INSERT INTO push.updates (source, entity, entity_id, changes, base, base_at, "
        "requested_by, status, model) VALUES ('crmcom', 'contacts', :id, :changes, '{}', now(), "
        "'sync', 'held', 'm') RETURNING id"
    )
    with engine.begin() as connection:
        made = connection.exec_driver_sql(
            query.replace(":id", "%s").replace(":changes", "%s"), (record_id, json.dumps(ZOE))
        )
        return int(made.scalar_one())


def test_an_update_is_asked_for_and_then_listed_without_its_value(run: Run) -> None:
    done = run("request-update", "crmcom", "contacts", "c1", json.dumps(ZOE))
    made = int(done.stdout)
    shown = run("push", "list", "--json")
    (row,) = json.loads(shown.stdout)
    kept = ("id", "stream", "entity_id", "fields", "status", "attempts", "model", "reason")
    assert {name: row[name] for name in kept} == {
        "id": made,
        "stream": "crmcom/contacts",
        "entity_id": "c1",
        "fields": "email",
        "status": "pending",
        "attempts": 0,
        "model": None,
        "reason": None,
    }
    assert "example.com" not in shown.output + run("push", "list").output


def test_what_the_settings_let_be_written_can_be_asked_for_by_commands_that_know_no_source(
    run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, "contacts", {"source": "rocs", "contact_id": "7"})
    asked = ("request-update", "rocs", "contacts", "7", '{"attributes.contactInterests": ["Ski"]}')
    assert "cannot be written" in " ".join(run(*asked).stderr.split())
    with monkeypatch.context() as configured:
        for name in ("BASE_URL", "TOKEN_URL"):
            configured.setenv(f"ROCS_{name}", "https://rocs.invalid")
        for name in ("CLIENT_ID", "CLIENT_SECRET", "RESOURCE"):
            configured.setenv(f"ROCS_{name}", "x")
        configured.setenv("ROCS_PUSH_FIELDS", "attributes.contactInterests=array")
        assert run(*asked).exit_code == 0
    # As those of the sandbox, which are known only where it stands in.
    assert run(*asked).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("crmcom", "contacts", "c1", '{"nosuch": 1}'), "allowed: title"),
        (("crmcom", "contacts", "nobody", '{"email": "a@b.c"}'), "has no record"),
        (("rosaas", "plans", "x", '{"email": "a@b.c"}'), "cannot be updated"),
        (("crmcom", "nosuch", "x", "{}"), "unknown stream"),
        (("crmcom", "contacts", "c1", "email"), "JSON object"),
        (("crmcom", "contacts", "c1", "[1]"), "JSON object"),
        (("crmcom", "contacts", "c1", '{"email": NaN}'), "JSON object"),
        (("crmcom", "contacts", "c1", '{"email": "\\ud800"}'), "JSON object"),
        (("crmcom", "contacts", "c1", '{"first_name": "a\\u0000b"}'), "no text with a NUL"),
        (("crmcom", "contacts", "c1", '{"email": "a@b.c"}', "--base", "x"), "--base"),
    ],
)
def test_what_cannot_be_asked_for_is_told_with_exit_code_2(
    run: Run, engine: Engine, arguments: tuple[str, ...], said: str
) -> None:
    done = run("request-update", *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", "").split())
    assert rows(engine, "SELECT count(*) FROM push.updates") == [(0,)]


def test_the_list_shows_what_is_open_unless_it_is_told_otherwise(run: Run, engine: Engine) -> None:
    waiting, dropped = ask(engine, ZOE, "c1"), ask(engine, ZOE, "c2")
    run("push", "discard", str(dropped))

    def ids(*arguments: str) -> list[int]:
        return [row["id"] for row in json.loads(run("push", "list", "--json", *arguments).stdout)]

    assert ids() == [waiting]
    assert ids("--all") == [dropped, waiting]
    assert ids("--status", "discarded", "--status", "dead") == [dropped]
    assert ids("--model", "m") == []
    refused = run("push", "list", "--status", "nope")
    assert refused.exit_code == 2
    said = " ".join(refused.output.replace("│", "").split())
    assert "--status nope: there is no such state; there are confirmed, conflict, dead," in said
    assert "the last 1 of 2 updates" in run("push", "list", "--all", "--limit", "1").stderr


def test_one_update_is_shown_with_its_values_and_attempts(run: Run, engine: Engine) -> None:
    made = ask(engine, ZOE)
    with desk_opened(engine) as desk:
        (claim,) = desk.claim(now=at(0))
        sent = Delivery("refused", at(0), {"method": "PUT"}, 400, {"email": "ann@example.com"})
        desk.settle([Ending(claim, "dead", error="400", deliveries=[sent])])
    shown = json.loads(run("push", "show", str(made), "--json").stdout)
    kept = ("status", "waits_for", "changes", "base", "error")
    assert {name: shown[name] for name in kept} == {
        "status": "dead",
        "waits_for": "person",
        "changes": ZOE,
        "base": {"email": "ann@example.com"},
        "error": "400",
    }
    (delivery,) = shown["deliveries"]
    assert (delivery["request"], delivery["answer_status"]) == ({"method": "PUT"}, 400)
    assert '{"email": "zoe@example.com"}' in run("push", "show", str(made)).stdout


def test_a_superseded_update_is_shown_with_what_it_asked_for(run: Run, engine: Engine) -> None:
    made = ask(engine, ZOE)
    fresher = ask(engine, {"email": "eva@example.com"})
    shown = json.loads(run("push", "show", str(made), "--json").stdout)
    kept = ("status", "changes", "superseded_by", "superseded_changes")
    assert {name: shown[name] for name in kept} == {
        "status": "superseded",
        "changes": {},
        "superseded_by": {"email": fresher},
        "superseded_changes": ZOE,
    }
    assert (
        'superseded_changes {"email": "zoe@example.com"}' in run("push", "show", str(made)).stdout
    )


def test_a_person_decides_and_that_is_kept(run: Run, engine: Engine) -> None:
    first, second, third = held(engine, "c1"), held(engine, "c2"), ask(engine, {"first_name": "x"})
    assert json.loads(run("push", "approve", str(first), "--json").stdout) == [
        {"id": first, "status": "pending"}
    ]
    assert run("push", "decline", "--model", "m").exit_code == 0
    assert run("push", "discard", str(third)).exit_code == 0
    me = getpass.getuser()
    query = "SELECT id, status, decided_by, decided_at IS NULL FROM push.updates ORDER BY id"
    assert rows(engine, query) == [
        (first, "pending", me, False),
        (second, "declined", me, False),
        (third, "discarded", me, False),
    ]


@pytest.mark.parametrize("command", ["approve", "decline", "retry", "discard", "show"])
def test_what_is_not_there_is_told(run: Run, command: str) -> None:
    done = run("push", command, "4711")
    assert isinstance(done.exception, UndecidableError)
    assert "update 4711: there is none" in str(done.exception)


def test_a_model_or_ids_are_named_and_not_both(run: Run) -> None:
    assert run("push", "approve").exit_code == 2
    assert run("push", "approve", "1", "--model", "m").exit_code == 2
    mistyped = run("push", "approve", "--model", "rocs_correction")
    assert isinstance(mistyped.exception, UndecidableError)
    assert str(mistyped.exception) == "no update of the push model rocs_correction is held"
