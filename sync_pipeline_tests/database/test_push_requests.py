"""Asking for an update: what is taken, what is refused and with which words, who sees it."""

from __future__ import annotations

import re
import sys
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.errors import UndecidableError, UpdateRefusedError
from sync_pipeline.mapping.pushable import PUSHABLE
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.outbox import Delivery, Ending, desk_opened
from sync_pipeline.warehouse.push_fields import note_api_versions
from sync_pipeline.warehouse.push_requests import APPROVE, DISCARD, RETRY, decide
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.database.readings import START, at, rows
from sync_pipeline_tests.database.view_rows import put, session_of

CONTACT = (
    "title (text), first_name (text), middle_name (text), last_name (text), company_name (text), "
    "email (an e-mail address), phone (a phone number like +4791234567), "
    "language (a language of ISO 639-1 like en), gender (MALE or FEMALE or OTHER), "
    "birth_on (a date like 1980-05-17), email_opt_out (true or false), "
    "sms_opt_out (true or false), consent_state (text), attributes.custom_fields.* (text)"
)

NO_OBJECT = "changes should be a JSON object of fields with their new values; allowed: "


@pytest.fixture
def warehouse(engine: Engine) -> Engine:
    """Return an engine on a warehouse with a record of each stream that can be updated."""
    put_contacts(engine, "c1", "c2")
    put(engine, "contacts", {"source": "rocs", "contact_id": "7"})
    gone = {"source": "crmcom", "contact_id": "gone", "deleted_at": START}
    put(engine, "contacts", gone)
    message = {"source": "crmcom", "communication_id": "m1", "is_viewed": False}
    put(engine, "communications", message)
    put(engine, "approval_requests", {"source": "crmcom", "approval_request_id": "a1"})
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "acme", "metadata": {"a": 1}})
    return engine


@pytest.mark.parametrize(
    ("stream", "record_id", "changes"),
    [
        (
            "crmcom/contacts",
            "c1",
            (
                '{"title": null, "birth_on": "1980-02-29", "gender": "OTHER", '
                '"phone": "+4791234567", "email_opt_out": true, '
                '"attributes.custom_fields.shoe size": "42"}'
            ),
        ),
        ("crmcom/communications", "m1", '{"is_viewed": true}'),
        ("crmcom/approval_requests", "a1", '{"state": "APPROVED"}'),
        ("rocs/contacts", "7", '{"external_id": "c1", "type": "PROSPECT"}'),
        ("rocs/contacts", "new", '{"first_name": "Zoë", "email": "zoe@example.com"}'),
        ("rosaas/tenants", "acme", '{"metadata": {"b": [1, {"c": null}]}}'),
        ("rosaas/tenants", "acme", '{"status": "CreatedAsActive", "upgrade_applied": true}'),
    ],
)
def test_what_can_be_written_back_can_be_asked_for(
    warehouse: Engine, stream: str, record_id: str, changes: str
) -> None:
    assert ask(warehouse, changes, record_id, stream=stream) > 0


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ('{"email": 5}', f"email should be an e-mail address or null; allowed: {CONTACT}"),
        ('{"nosuch": "x"}', f"nosuch cannot be written in crmcom contacts; allowed: {CONTACT}"),
        ('{"Email": "a@b.c"}', f"Email cannot be written in crmcom contacts; allowed: {CONTACT}"),
        ('{"email_opt_out": null}', "email_opt_out should be true or false; allowed: "),
        ('{"email_opt_out": "true"}', "email_opt_out should be true or false; allowed: "),
        ('{"birth_on": "1981-02-29"}', "birth_on should be a date like 1980-05-17 or null; "),
        ('{"birth_on": "0000-01-01"}', "birth_on should be a date like 1980-05-17 or null; "),
        ('{"phone": "91234567"}', "phone should be a phone number like +4791234567 or null; "),
        ('{"gender": "male"}', "gender should be MALE or FEMALE or OTHER or null; allowed: "),
        (
            '{"language": "zz"}',
            "language should be a language of ISO 639-1 like en or null; allowed",
        ),
        (
            '{"language": "NO"}',
            "language should be a language of ISO 639-1 like en or null; allowed",
        ),
        ('{"first_name": " "}', "first_name should be text or null; allowed: "),
        ('{"attributes.custom_fields.": "x"}', "attributes.custom_fields. cannot be written in "),
        ('{"attributes.custom_fields.*": 1}', "attributes.custom_fields.* should be text or null"),
        ('{"attributes": {}}', "attributes cannot be written in crmcom contacts; allowed: "),
        (
            "{}",
            f"changes should be a JSON object of fields with their new values; allowed: {CONTACT}",
        ),
        ("[]", NO_OBJECT),
        ("null", NO_OBJECT),
        (
            '{"first_name": "' + "x" * 100_000 + '"}',
            "changes should be less than 100 kB",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_what_cannot_be_written_is_refused_with_what_can(
    warehouse: Engine, changes: str, refusal: str
) -> None:
    with pytest.raises(UpdateRefusedError, match=f"^{re.escape(refusal)}"):
        ask(warehouse, changes)
    assert rows(warehouse, "SELECT count(*) FROM push.updates") == [(0,)]


@pytest.mark.parametrize(
    ("stream", "record_id", "said"),
    [
        ("crmcom/contacts", "nobody", "crmcom contacts has no record 'nobody' in the warehouse"),
        ("crmcom/contacts", "gone", "crmcom contacts has no record 'gone' in the warehouse"),
        ("crmcom/contacts", "new", "crmcom contacts has no record 'new' in the warehouse"),
        ("crmcom/contacts", "7", "crmcom contacts has no record '7' in the warehouse"),
        ("rocs/contacts", "c1", "the key of one that it has, or new"),
        (
            "rosaas/plans",
            "x",
            (
                "'rosaas' 'plans' cannot be updated; these can: crmcom approval_requests, crmcom "
                "communications, crmcom contacts, rocs contacts, rosaas tenants"
            ),
        ),
    ],
)
def test_a_record_that_is_not_there_is_refused(
    warehouse: Engine, stream: str, record_id: str, said: str
) -> None:
    with pytest.raises(UpdateRefusedError, match=re.escape(said)):
        ask(warehouse, {"first_name": "x"}, record_id, stream=stream)


def test_a_refusal_is_an_invalid_parameter_for_every_client(warehouse: Engine) -> None:
    query = "SELECT push.request_update('crmcom', 'contacts', 'c1', '{\"x\": 1}')"
    with pytest.raises(DBAPIError) as refusal:
        rows(warehouse, query)
    assert getattr(refusal.value.orig, "sqlstate", None) == "22023"


@pytest.mark.parametrize(
    ("version", "field", "value"),
    [("v1", "phone", "+4791234567"), ("v2", "title", "Dr"), ("v2", "consent_state", "ACCEPTED")],
)
def test_a_version_of_the_api_that_lacks_a_field_refuses_it(
    warehouse: Engine, version: str, field: str, value: str
) -> None:
    note_api_versions(warehouse, {"crmcom": version})
    refusal = f"{field} cannot be written in crmcom contacts ({version}); allowed: "
    with pytest.raises(UpdateRefusedError, match=re.escape(refusal)) as refused:
        ask(warehouse, {field: value})
    assert f" {field} (" not in str(refused.value)
    other = {"v1": "v2", "v2": "v1"}[version]
    note_api_versions(warehouse, {"crmcom": other})
    ask(warehouse, {field: value})


def test_the_base_is_what_the_warehouse_holds_unless_it_is_told(warehouse: Engine) -> None:
    own = {"custom_fields": [{"key": "size", "value": "41"}, {"key": "size", "value": "2"}]}
    row = {"birth_on": date(1980, 5, 17), "email": "b@example.com", "attributes": own}
    put(warehouse, "contacts", {"source": "crmcom", "contact_id": "c3", **row})
    changes = {
        "birth_on": "1981-01-01",
        "email": "x@example.com",
        "title": "Dr",
        "attributes.custom_fields.size": "42",
        "attributes.custom_fields.hat": "L",
    }
    known = {
        "birth_on": "1980-05-17",
        "email": "b@example.com",
        "title": None,
        "attributes.custom_fields.size": "41",
        "attributes.custom_fields.hat": None,
    }
    first = ask(warehouse, changes, "c3")
    second = ask(warehouse, changes, "c3", base={"email": "told@example.com"})
    new = ask(warehouse, {"email": "n@example.com"}, "new", stream="rocs/contacts")
    query = "SELECT superseded_by, base, base_at = :seen FROM push.updates WHERE id = :id"
    taken = dict.fromkeys(changes, second)
    assert rows(warehouse, query, id=first, seen=START) == [(taken, {}, True)]
    told = known | {"email": "told@example.com"}
    assert rows(warehouse, query, id=second, seen=START) == [({}, told, False)]
    assert rows(warehouse, query, id=new, seen=START) == [({}, {"email": None}, False)]


@pytest.mark.parametrize("base", ["[]", '"x"', '{"first_name": "x"}'])
def test_a_base_of_other_fields_is_refused(warehouse: Engine, base: str) -> None:
    query = (
        "SELECT push.request_update('crmcom', 'contacts', 'c1', '{\"email\": \"a@b.c\"}', :base)"
    )
    with pytest.raises(DBAPIError, match="allowed: email"):
        rows(warehouse, query, base=base)


def test_a_creation_can_be_asked_for_with_an_external_id_of_any_length(warehouse: Engine) -> None:
    # Such that nothing makes it short.
    long = "".join(f"{number:x}" for number in range(20_000))
    first, second, other = (
        ask(warehouse, {"external_id": asked}, "new", stream="rocs/contacts")
        for asked in (long, f" {long}\n", f"{long}x")
    )
    with desk_opened(warehouse) as desk:
        claims = desk.claim(now=at(0), most=5)
        assert [claim.update.id for claim in claims] == [first, other]
        desk.settle([Ending(claim, "confirmed") for claim in claims])
        assert [claim.update.id for claim in desk.claim(now=at(0), most=5)] == [second]


def test_creations_whose_external_ids_differ_in_spaces_alone_follow_one_another(
    warehouse: Engine,
) -> None:
    spaces = [sign for sign in map(chr, range(1, sys.maxunicode + 1)) if sign.isspace()]
    first, *_ = [
        ask(warehouse, {"external_id": f"{space}x-1{space}"}, "new", stream="rocs/contacts")
        for space in spaces
    ]
    with desk_opened(warehouse) as desk:
        assert [claim.update.id for claim in desk.claim(now=at(0), most=len(spaces))] == [first]


def test_each_contact_to_be_created_is_one_of_its_own(warehouse: Engine) -> None:
    for name in ("Ann", "Bob"):
        ask(warehouse, {"first_name": name}, "new", stream="rocs/contacts")
    assert rows(warehouse, "SELECT changes, status FROM push.updates ORDER BY id") == [
        ({"first_name": "Ann"}, "pending"),
        ({"first_name": "Bob"}, "pending"),
    ]
    with desk_opened(warehouse) as desk:
        assert len(desk.claim(now=at(0), most=5)) == 2


def test_a_contact_is_not_created_of_nulls_alone(warehouse: Engine) -> None:
    refusal = "a record cannot be created of nulls alone; allowed: "
    with pytest.raises(UpdateRefusedError, match=refusal):
        ask(warehouse, {"first_name": None}, "new", stream="rocs/contacts")
    ask(warehouse, {"first_name": None, "last_name": "Ann"}, "new", stream="rocs/contacts")


def test_the_list_of_fields_is_renewed_when_a_release_changes_it(engine: Engine) -> None:
    query = "SELECT count(*) FROM push.fields"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM push.fields WHERE field = 'email'"))
        connection.execute(text("UPDATE push.fields SET said = 'x' WHERE field = 'phone'"))
    migrate(engine)
    assert rows(engine, f"{query} WHERE said <> 'x'") == [(len(PUSHABLE),)]


def hold(engine: Engine, update_id: int) -> None:
    """As if a model had planned the update."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE push.updates DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE push.updates SET status = 'held' WHERE id = :id"), {"id": update_id}
        )
        connection.execute(text("ALTER TABLE push.updates ENABLE TRIGGER USER"))


def test_approving_an_update_that_a_fresher_one_overtook_sends_no_older_value(
    warehouse: Engine,
) -> None:
    held = ask(warehouse, {"email": "held@example.com", "first_name": "Held"})
    hold(warehouse, held)
    ask(warehouse, {"email": "fresh@example.com"})
    with desk_opened(warehouse) as desk:
        (claim,) = desk.claim(now=at(0))
        desk.settle([Ending(claim, "confirmed", deliveries=[Delivery("ok", sent_at=at(0))])])
    with transaction(warehouse) as connection:
        assert decide(connection, [held], APPROVE, by="ann") == {held: "pending"}
    decided = "SELECT changes, decided_by, decided_at IS NULL FROM push.updates WHERE id = :id"
    assert rows(warehouse, decided, id=held) == [({"first_name": "Held"}, "ann", False)]


def test_a_conflict_that_is_retried_is_sent_over_the_value_that_was_seen(
    warehouse: Engine,
) -> None:
    made = ask(warehouse, {"email": "x@example.com"})
    with desk_opened(warehouse) as desk:
        (claim,) = desk.claim(now=at(0))
        seen = {"email": "theirs@example.com", "first_name": "not asked"}
        desk.settle([Ending(claim, "conflict", deliveries=[Delivery("conflict", before=seen)])])
    with transaction(warehouse) as connection:
        decide(connection, [made], RETRY, by="ann")
    query = "SELECT status, base FROM push.updates"
    assert rows(warehouse, query) == [("pending", {"email": "theirs@example.com"})]


def test_what_is_decided_cannot_be_decided_again(warehouse: Engine) -> None:
    first, second = ask(warehouse, {"email": "a@b.c"}), ask(warehouse, {"first_name": "x"})
    with transaction(warehouse) as connection:
        decide(connection, [first], DISCARD, by="ann")
    with pytest.raises(UndecidableError) as refusal, transaction(warehouse) as connection:
        decide(connection, [second, first], DISCARD, by="ann")
    assert str(refusal.value) == (
        f"update {first}: it is discarded; discard takes one that is pending or rejected or held "
        "or conflict or uncertain or dead"
    )
    assert rows(warehouse, "SELECT status FROM push.updates ORDER BY id") == [
        ("discarded",),
        ("pending",),
    ]


ASK = "SELECT push.request_update('crmcom', 'contacts', 'c1', '{\"email\": \"zoe@example.com\"}')"
# Of a warehouse in which the contact is ann@example.com, and another requester asked for bob@….
TRACES = ("ann", "bob")
REFUSED = r"permission denied|must be owner|would be affected"


def test_a_requester_asks_and_sees_what_came_of_it(warehouse: Engine) -> None:
    with session_of(warehouse, "sync_requester") as requester:
        with requester.begin() as connection:
            made = connection.execute(text(ASK)).scalar_one()
        ask(warehouse, {"email": "bob@example.com"}, "c2")
        query = "SELECT id, changes, status, requested_by = current_user FROM push.updates"
        changes = {"email": "zoe@example.com"}
        assert rows(requester, query) == [(made, changes, "pending", True)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM push.updates",
        "SELECT base FROM push.updates",
        "SELECT u FROM push.updates AS u",
        "SELECT row_to_json(u) FROM push.updates AS u",
        "SELECT record FROM push.updates WHERE base::text LIKE '%a%'",
        "SELECT id FROM push.updates ORDER BY base",
        "SELECT * FROM push.deliveries",
        "SELECT * FROM push.ledger",
        "SELECT push.stored_record('crmcom', 'contacts', 'c1')",
        "SELECT push.refusal('crmcom', 'contacts', 'c1', '{}')",
        "SELECT email FROM warehouse.contacts",
        "UPDATE push.updates SET status = 'discarded'",
        "DELETE FROM push.updates",
        "INSERT INTO push.updates (source) VALUES ('crmcom')",
        "UPDATE push.fields SET pattern = NULL",
        "SET row_security = off; SELECT id, changes FROM push.updates",
        "SET ROLE sync_writer; SELECT * FROM push.updates",
        "SET SESSION AUTHORIZATION sync_writer; SELECT * FROM push.updates",
        "ALTER TABLE push.updates DISABLE ROW LEVEL SECURITY",
        "COPY push.updates TO STDOUT",
        "CREATE FUNCTION push.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_requester_finds_no_way_round(warehouse: Engine, statement: str) -> None:
    ask(warehouse, {"email": "bob@example.com"}, "c2")
    with session_of(warehouse, "sync_requester") as requester:
        rows(requester, ASK)
        with pytest.raises(DBAPIError, match=REFUSED) as refusal:
            rows(requester, statement)
        assert [trace for trace in TRACES if trace in str(refusal.value.orig)] == []


def test_a_requester_sees_nothing_of_others_whatever_it_asks_in_a_where(warehouse: Engine) -> None:
    ask(warehouse, {"email": "bob@example.com"}, "c2")
    leak = (
        "CREATE FUNCTION pg_temp.leak(x text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 "
        "AS $$ BEGIN RAISE EXCEPTION 'leaked %', x; END $$"
    )
    with session_of(warehouse, "sync_requester") as requester, requester.begin() as connection:
        connection.execute(text(leak))
        query = "SELECT id FROM push.updates WHERE pg_temp.leak(changes::text)"
        assert connection.execute(text(query)).all() == []


def test_what_a_requester_names_like_a_built_in_thing_is_not_used(warehouse: Engine) -> None:
    spies = (
        (
            "CREATE FUNCTION pg_temp.jsonb_typeof(x jsonb) RETURNS text LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE EXCEPTION 'spied %', x; END $$"
        ),
        "CREATE TEMP TABLE updates (id bigint)",
        "CREATE TEMP TABLE fields (LIKE push.fields)",
        "SET search_path = pg_temp, push, pg_catalog",
    )
    with session_of(warehouse, "sync_requester") as requester, requester.begin() as connection:
        for spy in spies:
            connection.execute(text(spy))
        assert connection.execute(text(ASK)).scalar_one() > 0


@pytest.mark.parametrize("role", ["sync_analyst", "sync_analyst_pii"])
@pytest.mark.parametrize("statement", [ASK, "SELECT id FROM push.updates", "TABLE push.deliveries"])
def test_an_analyst_has_nothing_to_do_with_updates(
    warehouse: Engine, role: str, statement: str
) -> None:
    with session_of(warehouse, role) as session, pytest.raises(DBAPIError, match="permission"):
        rows(session, statement)


def test_the_pipeline_works_as_the_writer(warehouse: Engine) -> None:
    with session_of(warehouse, "sync_writer") as session:
        note_api_versions(session, {"crmcom": "v1"})
        made = ask(session, {"email": "zoe@example.com"})
        with desk_opened(session) as desk:
            (claim,) = desk.claim(now=at(0))
            written = {"email": "zoe@example.com"}
            ending = Ending(claim, "confirmed", deliveries=[Delivery("ok")], written=written)
            assert desk.settle([ending]) == ["confirmed"]
    assert rows(warehouse, "SELECT update_id FROM push.ledger") == [(made,)]
