"""Interests and dynamic fields of ROCS on their way back: as the settings name them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from sync_pipeline.entities import ROCS_CONTACTS
from sync_pipeline.mapping.pushable import json_of_rocs
from sync_pipeline.push.cycle import push
from sync_pipeline.settings import RocsSettings, Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.push_fields import note_configured
from sync_pipeline.warehouse.push_requests import DISCARD, decide
from sync_pipeline_tests.database.outbox_rows import ask
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.database.view_rows import put
from sync_pipeline_tests.push_rounds import Rounds, settings_of
from sync_pipeline_tests.sandbox_process import Json, change, sandbox
from sync_pipeline_tests.scripted_server import Scripted, ScriptedServer

INTERESTS = "attributes.contactInterests"
TIER, SIZE = "attributes.dynamic_fields.loyaltyTier", "attributes.dynamic_fields.shoeSize"
TYPES = {INTERESTS: "array", TIER: "string", SIZE: "number"}
FIELDS = ",".join(f"{name}={json_type}" for name, json_type in TYPES.items())
ALLOWED = (
    "email_opt_out (true or false), attributes.contactInterests (a JSON array), "
    "attributes.dynamic_fields.loyaltyTier (text), attributes.dynamic_fields.shoeSize (a number)"
)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "30") as client:
        yield client


@pytest.fixture
def rounds(engine: Engine, client: httpx.Client) -> Rounds:
    """Return rounds whose warehouse has read the contacts, and knows the fields."""
    rounds = Rounds(engine, client, settings_of(client, ROCS_PUSH_FIELDS=FIELDS))
    note_configured(engine, json_of_rocs(TYPES))
    rounds.pull(ROCS_CONTACTS)
    return rounds


@pytest.fixture
def contact_id(rounds: Rounds) -> str:
    """Return a contact with known interests and dynamic fields."""
    key = min(rounds.world(ROCS_CONTACTS))
    has(rounds, key, interests=["Ski", {"id": 3}], dynamic={"loyaltyTier": "Blue", "other": [1]})
    rounds.pull(ROCS_CONTACTS)
    return key


def has(rounds: Rounds, key: str, *, interests: object, dynamic: object) -> None:
    """Have somebody at ROCS change a contact."""
    attributes = {"contactInterests": interests, "dynamic_fields": dynamic}
    asked = {"entity": "contacts", "source": "rocs", "action": "update", "id": key}
    change(rounds.client, asked | {"fields": {"attributes": attributes}})


def at_rocs(rounds: Rounds, key: str) -> tuple[object, object]:
    """Return the interests and the dynamic fields of a contact."""
    attributes = rounds.world(ROCS_CONTACTS)[key]["attributes"]
    return attributes["contactInterests"], attributes["dynamic_fields"]


def test_json_arrives_is_read_back_and_is_our_own(rounds: Rounds, contact_id: str) -> None:
    wanted: Json = {INTERESTS: ["Ski", {"id": 4, "tags": [None]}], TIER: "Gold", SIZE: 41.5}
    made = rounds.request(ROCS_CONTACTS, contact_id, wanted | {"first_name": "Åse"})
    base = rounds.update(made, "base")[0]
    assert isinstance(base, dict)
    known = {INTERESTS: ["Ski", {"id": 3}], TIER: "Blue", SIZE: None}
    assert {name: base[name] for name in known} == known
    rounds.push()
    assert rounds.update(made, "status", "error") == ("confirmed", None)
    dynamic = {"loyaltyTier": "Gold", "other": [1], "shoeSize": 41.5}
    assert at_rocs(rounds, contact_id) == (wanted[INTERESTS], dynamic)
    stored = "SELECT attributes, cause FROM warehouse.contacts WHERE contact_id = :id"
    (row,) = rounds.rows(stored, id=contact_id)
    assert row["cause"] == "push"
    rounds.pull(ROCS_CONTACTS)
    assert rounds.rows(stored, id=contact_id) == [row]
    sent = "SELECT request ->> 'path' AS path FROM push.deliveries ORDER BY id"
    path = "/CustomerAPI/v1/"
    assert [str(one["path"]).removeprefix(path) for one in rounds.rows(sent)] == [
        "Contacts",
        f"DynamicFields?id={contact_id}",
    ]


def test_what_somebody_else_adds_to_an_array_or_removes_stays_so(
    rounds: Rounds, contact_id: str
) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {INTERESTS: [{"id": 3}, "Musikk"]})
    has(rounds, contact_id, interests=["Theirs", "Ski"], dynamic={})
    rounds.push()
    assert rounds.update(made, "status") == ("confirmed",)
    assert at_rocs(rounds, contact_id) == (["Theirs", "Musikk"], {})


def test_an_item_that_both_sides_changed_is_a_conflict(rounds: Rounds, contact_id: str) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {INTERESTS: ["Ski", {"id": 3, "level": 2}]})
    has(rounds, contact_id, interests=["Ski", {"id": 3, "level": 1}], dynamic={})
    rounds.push()
    assert rounds.update(made, "status") == ("conflict",)
    assert rounds.writes() == []


def test_another_dynamic_field_that_changed_meanwhile_is_kept(
    rounds: Rounds, contact_id: str
) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {TIER: None})
    has(rounds, contact_id, interests=[], dynamic={"loyaltyTier": "Blue", "new": {"a": 1}})
    rounds.push()
    assert rounds.update(made, "status") == ("confirmed",)
    assert at_rocs(rounds, contact_id) == ([], {"loyaltyTier": None, "new": {"a": 1}})


def test_what_was_to_follow_a_call_without_an_answer_is_sent_next(
    rounds: Rounds, contact_id: str
) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {"first_name": "Åse", TIER: "Gold"})
    rounds.client.post("/_sandbox/faults", content="applied_500=1").raise_for_status()
    rounds.push()
    # The first attempt found what it had written, and left the rest to the second.
    assert rounds.update(made, "status", "error", "attempts") == ("confirmed", None, 2)
    assert rounds.world(ROCS_CONTACTS)[contact_id]["first_name"] == "Åse"
    assert at_rocs(rounds, contact_id)[1] == {"loyaltyTier": "Gold", "other": [1]}
    paths = [entry["path"].partition("?")[0].rpartition("/")[2] for entry in rounds.writes()]
    assert paths == ["Contacts", "DynamicFields"]


def test_a_contact_is_created_with_interests(rounds: Rounds) -> None:
    made = rounds.request(ROCS_CONTACTS, "new", {"external_id": "x-1", INTERESTS: ["Ski"]})
    rounds.push()
    assert rounds.update(made, "status") == ("confirmed",)
    assert at_rocs(rounds, str(rounds.update(made, "created_id")[0])) == (["Ski"], {})


@pytest.mark.parametrize(
    ("record_id", "changes", "said"),
    [
        ("some", {SIZE: "41"}, f"{SIZE} should be a number or null; allowed: "),
        ("some", {TIER: ["Gold"]}, f"{TIER} should be text or null; allowed: "),
        ("some", {INTERESTS: {"id": 1}}, f"{INTERESTS} should be a JSON array or null; allowed: "),
        ("some", {"attributes.dynamic_fields.other": 1}, "cannot be written in rocs contacts; "),
        ("some", {"attributes.dynamic_fields": {}}, "cannot be written in rocs contacts; allowed"),
        ("some", {"attributes.contactAddresses": []}, "cannot be written in rocs contacts; allow"),
        ("new", {"email": "a@b.org", SIZE: 41}, f"a record cannot be created with {SIZE}; "),
        ("new", {"email": "a@b.org", TIER: "x", "type": "x"}, "cannot be created with"),
    ],
)
def test_what_is_not_configured_or_of_another_type_is_refused_with_what_is_allowed(
    rounds: Rounds, contact_id: str, record_id: str, changes: Json, said: str
) -> None:
    with pytest.raises(DBAPIError, match=re.escape(said)) as refused:
        rounds.request(ROCS_CONTACTS, record_id.replace("some", contact_id), changes)
    allowed = ALLOWED if record_id == "some" else ALLOWED.partition(", attributes.dynamic")[0]
    assert str(refused.value.orig).partition("\n")[0].endswith(allowed)


def test_a_field_that_is_configured_no_more_is_asked_for_and_sent_no_more(
    rounds: Rounds, contact_id: str
) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {TIER: "Gold"})
    note_configured(rounds.engine, json_of_rocs({SIZE: "number"}))
    with pytest.raises(DBAPIError, match="cannot be written"):
        rounds.request(ROCS_CONTACTS, contact_id, {TIER: "Gold"})
    rounds.push(ROCS_PUSH_FIELDS=f"{SIZE}=number")
    said = f"ROCS_PUSH_FIELDS does not name {TIER}"
    assert rounds.update(made, "status", "error") == ("dead", said)
    assert rounds.writes() == []


def test_what_cannot_be_read_back_is_delivered_as_it_was_asked_for(
    rounds: Rounds, contact_id: str
) -> None:
    made = rounds.request(ROCS_CONTACTS, contact_id, {TIER: "Gold", "first_name": "Åse"})
    path = rounds.settings.rocs.dynamic_path if rounds.settings.rocs else None
    environ = {"ROCS_DYNAMIC_PATH": "", "ROCS_DYNAMIC_UPDATE_PATH": str(path)}
    rounds.push(ROCS_PUSH_FIELDS=FIELDS, **environ)
    assert rounds.update(made, "status") == ("delivered",)
    # What is there cannot be merged with what is asked for: this API replaces it.
    assert at_rocs(rounds, contact_id)[1] == {"loyaltyTier": "Gold"}


def test_dynamic_fields_that_cannot_be_read_now_are_not_taken_for_missing(engine: Engine) -> None:
    contact = {"id": 7, "firstname": "Ann", "contactInterests": []}
    put(engine, "contacts", {"source": "rocs", "contact_id": "7", "first_name": "Ann"})
    note_configured(engine, json_of_rocs(TYPES))
    with ScriptedServer() as server:
        server.script("POST", "/login", Scripted.json({"access_token": "t"}))
        server.script("GET", "/Contacts", Scripted.json(contact))
        server.script("GET", "/Dynamic", Scripted.json({}, 403))
        settings = Settings(
            rocs=RocsSettings(
                base_url=server.url,
                token_url=f"{server.url}/login",
                client_id="a",
                client_secret=SecretStr("b"),
                resource="c",
                contacts_path="/Contacts",
                dynamic_path="/Dynamic",
                push_fields={TIER: "string"},
            ),
            push_models=(),
        )
        made = ask(engine, {TIER: "Gold"}, "7", stream="rocs/contacts")
        push(engine, settings)
        assert {one.method for one in server.received if one.path != "/login"} == {"GET"}
        (state,) = rows(engine, "SELECT status, error FROM push.updates WHERE id = :id", id=made)
        assert state[0] == "rejected"
        assert "403" in str(state[1])
        # Where none of them is in question they are no matter.
        with transaction(engine) as connection:
            decide(connection, [made], DISCARD, by="ann")
        server.script("PUT", "/Contacts", Scripted.json(contact))
        ask(engine, {"first_name": "Zoë"}, "7", stream="rocs/contacts")
        push(engine, settings)
        assert server.count("PUT", "/Contacts") == 1
        assert server.count("PUT", "/Dynamic") == 0


def test_the_list_of_the_release_and_that_of_the_settings_are_kept_apart(engine: Engine) -> None:
    listed = "SELECT field, is_configured FROM push.fields ORDER BY position"
    before = rows(engine, listed)
    note_configured(engine, json_of_rocs({TIER: "any"}))
    migrate(engine)
    assert rows(engine, listed) == [*before, (TIER, True)]
    note_configured(engine, ())
    assert rows(engine, listed) == before
