"""A dry run: what it tells is what the cycle after it does, and it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.pushing import Pushed, push_once
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import change, sandbox

MODEL = "rocs_corrections:crmcom/contacts"
TAKEN = "conflict: the API has a record with this external_id"
TABLES = """
    SELECT
        format('SELECT %L || t::text AS row FROM %I.%I t', c.relname, n.nspname, c.relname) AS one
    FROM pg_class AS c INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
    WHERE c.relkind = 'r' AND n.nspname IN ('push', 'warehouse')
"""


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "25", "--crmcom-version", "v2") as client:
        yield client


@pytest.fixture
def rounds(engine: Engine, client: httpx.Client) -> Rounds:
    """Return rounds whose warehouse has read both sides."""
    rounds = Rounds(engine, client, settings_of(client, PUSH_MODELS="none", PUSH_MAX_SHARE="1"))
    rounds.pull(ROCS_CONTACTS, CRMCOM_CONTACTS)
    return rounds


def everything(rounds: Rounds) -> list[str]:
    """Return every row of the outbox and of the warehouse."""
    queries = [str(row["one"]) for row in rounds.rows(TABLES)]
    return sorted(str(row["row"]) for row in rounds.rows(" UNION ALL ".join(queries)))


def dry(rounds: Rounds, **environ: str) -> Pushed:
    """Make a dry run; nothing is sent or noted by it."""
    before = everything(rounds)
    told = {"PUSH_MODELS": "none", "PUSH_MAX_SHARE": "1"} | environ
    found = push_once(rounds.engine, settings_of(rounds.client, **told), is_dry=True)
    assert everything(rounds) == before
    assert rounds.writes() == []
    return found


def test_a_dry_run_shows_each_field_and_sends_nothing(rounds: Rounds) -> None:
    contact_id = min(rounds.world(CRMCOM_CONTACTS))
    was = rounds.world(CRMCOM_CONTACTS)[contact_id]
    made = rounds.request(
        CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë", "last_name": was["last_name"]}
    )
    change(
        rounds.client,
        {"entity": "contacts", "source": "crmcom", "action": "update", "id": contact_id}
        | {"fields": {"company_name": "Theirs"}},
    )
    conflicting = rounds.request(CRMCOM_CONTACTS, contact_id, {"company_name": "Ours"})
    settings = settings_of(rounds.client, PUSH_MODELS="none")
    dry = push_once(rounds.engine, settings, is_dry=True)
    record = f"crmcom/contacts/{contact_id}"
    facts = {"update": made, "record": record}
    assert sorted(dry.rows, key=lambda row: str(row["field"])) == [
        {"update": conflicting, "record": record}
        | {"field": "company_name", "there": "Theirs", "wanted": "Ours"}
        | {"plan": f"after update {made}: conflict: it waits for a person"},
        facts
        | {"field": "first_name", "there": was["first_name"], "wanted": "Zoë"}
        | {"plan": "write"},
        facts
        | {"field": "last_name", "there": was["last_name"], "wanted": was["last_name"]}
        | {"plan": "there"},
    ]
    assert rounds.states() == {made: "pending", conflicting: "pending"}
    assert rounds.writes() == []
    off = push_once(
        rounds.engine, settings_of(rounds.client, PUSH_MODELS="none", PUSH_ENABLED="off")
    )
    assert "PUSH_ENABLED is off for crmcom: a dry run, nothing is sent" in off.said
    assert off.rows == dry.rows
    assert rounds.writes() == []


def test_a_dry_run_over_many_updates_says_that_it_shows_the_first(engine: Engine) -> None:
    with sandbox("--contacts", "105", "--crmcom-version", "v2") as client:
        rounds = Rounds(engine, client, settings_of(client, PUSH_MODELS="none", PUSH_MAX_SHARE="1"))
        rounds.pull(CRMCOM_CONTACTS)
        for contact_id in rounds.world(CRMCOM_CONTACTS):
            rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
        dry = push_once(engine, rounds.settings, is_dry=True)
        said = ["crmcom: the first 100 updates are shown, more with --limit"]
        assert (len(dry.rows), dry.said) == (100, said)
        whole = push_once(engine, rounds.settings, is_dry=True, limit=200)
        assert (len(whole.rows), whole.said) == (105, [])


def test_what_waits_behind_an_older_update_is_compared_with_what_that_one_leaves(
    rounds: Rounds,
) -> None:
    contact_id = min(rounds.world(CRMCOM_CONTACTS))
    was = rounds.world(CRMCOM_CONTACTS)[contact_id]["first_name"]
    older = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    # As one that a worker was sending when it died: it keeps its field.
    rounds.execute("UPDATE push.updates SET status = 'sending', claimed_by = 'gone'")
    fresher = rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Eva"})
    facts = {"record": f"crmcom/contacts/{contact_id}", "field": "first_name"}
    assert dry(rounds).rows == [
        {"update": older, **facts, "there": was, "wanted": "Zoë", "plan": "write"},
        {"update": fresher, **facts, "there": "Zoë", "wanted": "Eva"}
        | {"plan": f"after update {older}: write"},
    ]
    # What is not due keeps back what is behind it.
    rounds.execute(
        "UPDATE push.updates SET next_attempt_at = now() + interval '1 hour' WHERE id = :id",
        id=older,
    )
    assert dry(rounds).rows == []


def test_what_models_would_ask_for_is_shown_and_not_noted(rounds: Rounds) -> None:
    there = rounds.world(CRMCOM_CONTACTS)
    key, row = next(
        (key, row)
        for key, row in sorted(rounds.world(ROCS_CONTACTS).items())
        if row["external_id"] in there and row["email"]
    )
    asked = {"entity": "contacts", "source": "rocs", "action": "update", "id": key}
    change(rounds.client, asked | {"fields": {"email": "moved@example.org"}})
    rounds.pull(ROCS_CONTACTS)
    held = dry(rounds, PUSH_MODELS=MODEL)
    assert held.rows == []
    automatic = dry(rounds, PUSH_MODELS=f"{MODEL}=automatic")
    contact_id = row["external_id"]
    assert {
        "update": None,
        "record": f"crmcom/contacts/{contact_id}",
        "field": "email",
        "there": there[contact_id]["email"],
        "wanted": "moved@example.org",
        "plan": "push model rocs_corrections: write",
    } in automatic.rows
    records = {one["record"] for one in automatic.rows}
    said = f"would be: push model rocs_corrections: {len(records)} asked for as "
    assert (held.said, automatic.said) == ([f"{said}held"], [f"{said}pending"])
    done = push_once(
        rounds.engine,
        settings_of(rounds.client, PUSH_MODELS=f"{MODEL}=automatic", PUSH_MAX_SHARE="1"),
    )
    assert done.updates == len(records)


def test_a_dry_run_says_that_the_push_would_stop_and_ends_as_it(rounds: Rounds) -> None:
    for contact_id in rounds.world(CRMCOM_CONTACTS):
        rounds.request(CRMCOM_CONTACTS, contact_id, {"first_name": "Zoë"})
    told = dry(rounds, PUSH_MAX_SHARE="0.2")
    done = push_once(rounds.engine, settings_of(rounds.client, PUSH_MODELS="none"))
    assert (told.said, told.has_failed) == (done.said, True)
    assert len(told.rows) == 25
    assert done.has_failed


def test_a_creation_is_looked_up_by_its_external_id(rounds: Rounds) -> None:
    there = next(row for row in rounds.world(ROCS_CONTACTS).values() if row["external_id"])
    taken = {"external_id": there["external_id"], "first_name": "Nobody's"}
    conflicting = rounds.request(ROCS_CONTACTS, "new", taken)
    made = rounds.request(ROCS_CONTACTS, "new", {"first_name": "Eva", "external_id": "x-1"})
    plans = {(row["update"], row["field"]): row["plan"] for row in dry(rounds).rows}
    assert plans == {
        (conflicting, "external_id"): "there",
        (conflicting, "first_name"): TAKEN,
        (made, "external_id"): "create",
        (made, "first_name"): "create",
    }
    rounds.push()
    assert rounds.states() == {conflicting: "conflict", made: "confirmed"}


def test_of_creations_with_one_external_id_the_first_makes_the_contact_and_the_others_find_it(
    rounds: Rounds,
) -> None:
    ours = {"external_id": "x-1", "first_name": "Eva"}
    made = rounds.request(ROCS_CONTACTS, "new", ours)
    equal = rounds.request(ROCS_CONTACTS, "new", ours)
    other = rounds.request(ROCS_CONTACTS, "new", {"external_id": " x-1 ", "first_name": "Zoë"})
    alone = rounds.request(ROCS_CONTACTS, "new", {"first_name": "Eva"})
    there = len(rounds.world(ROCS_CONTACTS))
    shown = {(row["update"], row["field"]): (row["there"], row["plan"]) for row in dry(rounds).rows}
    assert shown == {
        (made, "external_id"): (None, "create"),
        (made, "first_name"): (None, "create"),
        (equal, "external_id"): ("x-1", f"after update {made}: there"),
        (equal, "first_name"): ("Eva", f"after update {made}: there"),
        (other, "external_id"): ("x-1", f"after update {equal}: there"),
        (other, "first_name"): ("Eva", f"after update {equal}: {TAKEN}"),
        (alone, "first_name"): (None, "create"),
    }
    rounds.push()
    assert rounds.states() == {
        made: "confirmed", equal: "confirmed", other: "conflict", alone: "confirmed",
    }  # fmt: skip
    assert len(rounds.world(ROCS_CONTACTS)) == there + 2


def test_a_limit_is_that_of_the_push_the_oldest_updates_of_all_sources(rounds: Rounds) -> None:
    crmcom = sorted(rounds.world(CRMCOM_CONTACTS))
    rocs = sorted(rounds.world(ROCS_CONTACTS))
    asked = [
        rounds.request(stream, contact_id, {"first_name": "Zoë"})
        for stream, contact_id in (
            (ROCS_CONTACTS, rocs[0]),
            (CRMCOM_CONTACTS, crmcom[0]),
            (CRMCOM_CONTACTS, crmcom[1]),
            (ROCS_CONTACTS, rocs[1]),
            (ROCS_CONTACTS, rocs[2]),
        )
    ]
    for limit in (1, 3, 4):
        told = {"PUSH_MODELS": "none", "PUSH_MAX_SHARE": "1"}
        settings = settings_of(rounds.client, **told)
        shown = push_once(rounds.engine, settings, limit=limit, is_dry=True)
        assert {row["update"] for row in shown.rows} == {*asked[:limit]}
    push_once(rounds.engine, settings, limit=3)
    states = rounds.states()
    assert [states[update_id] for update_id in asked] == ["confirmed"] * 3 + ["pending"] * 2
