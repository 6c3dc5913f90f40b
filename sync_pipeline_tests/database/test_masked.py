"""What stands in `masked` in place of persons: nothing of theirs, and what still joins."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline_tests.database.readings import START, at, rows, rows_by_name
from sync_pipeline_tests.database.view_rows import pseudonym, put, put_version, secret

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class AS c
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'v')
    ORDER BY c.relname, a.attnum
"""


def test_masked_has_every_table_with_its_history_and_versions_column_by_column(
    engine: Engine,
) -> None:
    assert rows(engine, COLUMNS, schema="masked") == rows(engine, COLUMNS, schema="warehouse")


def test_a_person_is_masked_whole(engine: Engine) -> None:
    put(
        engine,
        "contacts",
        {
            "source": "crmcom",
            "contact_id": "c1",
            "code": "0042",
            "type": "PERSON",
            "status": "ACTIVE",
            "title": "Dr.",
            "first_name": "Zoë",
            "middle_name": "Ann",
            "last_name": "Ωmega",
            "company_name": "Ωmega & Co",
            "email": "zoe@example.com",
            "phone": "+35799123456",
            "phone_country": "CY",
            "language": "el",
            "gender": "FEMALE",
            "birth_on": date(1980, 5, 17),
            "country": "CY",
            "email_opt_out": True,
            "sms_opt_out": None,
            "consent_state": "ACCEPTED",
            "external_id": "KUNDE-7",
            "organisation_id": "o1",
            "source_created_at": at(-5),
            "source_updated_at": at(-4),
        },
    )
    mask = partial(pseudonym, engine)
    assert rows_by_name(engine, "SELECT * FROM masked.contacts") == [
        {
            "source": "crmcom",
            "contact_id": "c1",
            "code": mask("code", "0042"),
            "type": "PERSON",
            "status": "ACTIVE",
            "title": mask("title", "Dr."),
            "first_name": mask("first_name", "Zoë"),
            "middle_name": mask("middle_name", "Ann"),
            "last_name": mask("last_name", "Ωmega"),
            "company_name": mask("company_name", "Ωmega & Co"),
            "email": mask("address", "zoe@example.com"),
            "phone": mask("address", "+35799123456"),
            "phone_country": "CY",
            "language": "el",
            "gender": "FEMALE",
            "birth_on": date(1980, 1, 1),
            "country": "CY",
            "email_opt_out": True,
            "sms_opt_out": None,
            "consent_state": "ACCEPTED",
            "external_id": mask("external_id", "KUNDE-7"),
            "organisation_id": "o1",
            "source_created_at": at(-5),
            "source_updated_at": at(-4),
            "attributes": {},
            "raw_hash": sha256(secret(engine) + b"raw").digest(),
            "content_hash": sha256(secret(engine) + b"content").digest(),
            "observed_at": START,
            "cause": "source",
            "deleted_at": None,
            "run_id": "run",
            "loaded_at": START,
        }
    ]


def test_what_is_not_known_stays_unknown(engine: Engine) -> None:
    put(engine, "contacts", {"source": "crmcom", "contact_id": "c1", "raw_hash": None})
    ((shown,),) = rows(
        engine,
        "SELECT array_agg(key ORDER BY key) FROM masked.contacts AS c, "
        "jsonb_each(to_jsonb(c)) WHERE value <> 'null'",
    )
    kept = ["attributes", "cause", "contact_id", "content_hash", "loaded_at", "observed_at"]
    assert shown == [*kept, "run_id", "source"]


def test_an_address_is_the_same_pseudonym_wherever_it_stands(engine: Engine) -> None:
    put(
        engine,
        "contacts",
        {"source": "crmcom", "contact_id": "c1", "email": "zoe@example.com"},
        {"source": "rocs", "contact_id": "7", "email": "zoe@example.com", "phone": "+4712345678"},
    )
    put(
        engine,
        "communications",
        {"source": "crmcom", "communication_id": "m1", "recipient": " Zoe@Example.com "},
        {"source": "rocs", "communication_id": "9", "recipient": "+4712345678"},
    )
    admin = [{"value": "ZOE@example.com", "phones": ["+4712345678"]}]
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "t", "specifications": admin})
    found = rows(
        engine,
        """
        SELECT
            c.source,
            m.communication_id,
            t.tenant_name,
            t.specifications #>> '{0,phones,0}' = c.phone AS has_phone
        FROM masked.contacts AS c
        INNER JOIN masked.communications AS m ON m.recipient IN (c.email, c.phone)
        LEFT JOIN masked.tenants AS t ON t.specifications -> 0 ->> 'value' = c.email
        ORDER BY 1, 2
        """,
    )
    assert found == [
        ("crmcom", "m1", "t", None),
        ("rocs", "9", "t", True),
        ("rocs", "m1", "t", True),
    ]


def test_the_same_text_in_two_kinds_of_field_is_two_pseudonyms(engine: Engine) -> None:
    same = dict.fromkeys(("first_name", "last_name", "code", "email", "phone"), "iris")
    put(engine, "contacts", {"source": "crmcom", "contact_id": "c1", **same})
    columns = "ARRAY[first_name, last_name, code, email]"
    ((shown,),) = rows(engine, f"SELECT {columns} FROM masked.contacts")
    assert isinstance(shown, list)
    assert len(set(shown)) == 4


def test_an_external_id_is_shown_where_it_is_a_contact_of_the_other_system(engine: Engine) -> None:
    put(
        engine,
        "contacts",
        {"source": "crmcom", "contact_id": "c1", "external_id": "7"},
        {"source": "crmcom", "contact_id": "c2", "external_id": "c1"},
        {"source": "rocs", "contact_id": "7", "external_id": "c1"},
        {"source": "rocs", "contact_id": "8", "external_id": "zoe@example.com"},
    )
    shown = rows(engine, "SELECT contact_id, external_id FROM masked.contacts ORDER BY 1")
    assert shown == [
        ("7", "c1"),
        ("8", pseudonym(engine, "external_id", "zoe@example.com")),
        ("c1", "7"),
        ("c2", pseudonym(engine, "external_id", "c1")),
    ]


def test_a_document_keeps_its_shape_and_loses_its_texts_and_numbers(engine: Engine) -> None:
    put(
        engine,
        "contacts",
        {
            "source": "rocs",
            "contact_id": "7",
            "attributes": {
                "sourceType": "Api",
                "phone": {"type": "MOBILE", "number": "99 123456", "type.number": "99"},
                "custom_fields": [{"key": "shoe_size", "value": "42"}],
                "dynamic_fields": {"shoe": 42, "key": "x", "is_vip": True, "zoe@x.org": None},
                "nested": [["a", None], {"sourceType": "Zoë"}, "", [], {}],
                "mail": " Zoe@Example.com",
            },
        },
    )
    mask = partial(pseudonym, engine)
    assert rows(engine, "SELECT attributes FROM masked.contacts") == [
        (
            {
                "sourceType": "Api",
                "phone": {
                    "type": "MOBILE",
                    "number": mask("document", "99 123456"),
                    "type.number": mask("document", "99"),
                },
                "custom_fields": [{"key": "shoe_size", "value": mask("document", "42")}],
                "dynamic_fields": {
                    "shoe": mask("document", "42"),
                    "key": mask("document", "x"),
                    "is_vip": True,
                    mask("address", "zoe@x.org"): None,
                },
                "nested": [
                    [mask("document", "a"), None],
                    {"sourceType": mask("document", "Zoë")},
                    "",
                    [],
                    {},
                ],
                "mail": mask("address", "zoe@example.com"),
            },
        )
    ]


def test_a_document_of_any_depth_is_masked(engine: Engine) -> None:
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "deep"})
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "flat", "metadata": "Zoë"})
    deep = '{"a":[' * 1000 + '"Zoë"' + "]}" * 1000
    with engine.begin() as connection:
        update = "UPDATE warehouse.tenants SET metadata = :deep WHERE tenant_name = 'deep'"
        connection.execute(text(update), {"deep": deep})
    shown = rows(engine, "SELECT metadata::text FROM masked.tenants ORDER BY tenant_name")
    assert "Zoë" not in str(shown)
    # The levels down to which it goes, and one pseudonym for the rest.
    assert str(shown[0][0]).count('"a"') == 51
    assert str(shown[0][0]).count('"m_') == 1


@pytest.mark.parametrize("document", [None, [1, "two", None], "by hand", 5, True, {}])
def test_metadata_of_any_kind_is_masked(engine: Engine, document: object) -> None:
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "t", "metadata": document})
    masked = {"by hand": "by hand", "two": "two", "1": "1", "5": "5"}
    masked = {value: pseudonym(engine, "document", value) for value in masked}
    expected = {
        "[1, 'two', None]": [masked["1"], masked["two"], None],
        "by hand": masked["by hand"],
        "5": masked["5"],
    }.get(str(document), document)
    assert rows(engine, "SELECT metadata FROM masked.tenants") == [(expected,)]


def test_what_people_wrote_is_masked_and_what_organisations_call_themselves_is_shown(
    engine: Engine,
) -> None:
    put(
        engine,
        "communications",
        {
            "source": "crmcom",
            "communication_id": "m1",
            "sender": "shop@example.com",
            "subject": "Dear Zoë",
            "content": "your shoes",
            "plan_name": "Welcome",
        },
    )
    put(
        engine,
        "approval_requests",
        {"source": "crmcom", "approval_request_id": "a1", "entity_reference": "ORD-1"},
    )
    put(engine, "contact_lists", {"source": "rocs", "list_id": "1", "description": "Zoë's"})
    put(engine, "campaigns", {"source": "rocs", "campaign_id": "1", "subject": "Zoë!"})
    put(engine, "tenants", {"source": "rosaas", "tenant_name": "acme", "display_name": "Acme"})
    mask = partial(pseudonym, engine)
    query = "SELECT sender, subject, content, plan_name FROM masked.communications"
    assert rows(engine, query) == [
        (
            mask("address", "shop@example.com"),
            mask("subject", "Dear Zoë"),
            mask("content", "your shoes"),
            "Welcome",
        )
    ]
    query = """
        SELECT r.entity_reference, l.description, g.subject, t.tenant_name, t.display_name
        FROM masked.approval_requests AS r
        CROSS JOIN masked.contact_lists AS l
        CROSS JOIN masked.campaigns AS g
        CROSS JOIN masked.tenants AS t
    """
    assert rows(engine, query) == [
        (
            mask("entity_reference", "ORD-1"),
            mask("description", "Zoë's"),
            mask("subject", "Zoë!"),
            "acme",
            "Acme",
        )
    ]


def test_earlier_versions_are_masked_alike(engine: Engine) -> None:
    key = {"source": "crmcom", "contact_id": "c1"}
    put_version(engine, "contacts", at(-2), at(0), first_name="Zoë", **key)
    put(engine, "contacts", {"first_name": "Zoë", **key})
    masked = pseudonym(engine, "first_name", "Zoë")
    query = "SELECT first_name, valid_from, valid_to FROM masked.contacts_versions ORDER BY 2"
    assert rows(engine, query) == [(masked, at(-2), START), (masked, START, None)]
    assert rows(engine, "SELECT first_name FROM masked.contacts_history") == [(masked,)]


def test_each_warehouse_has_a_key_of_its_own_and_keeps_it(engine: Engine, empty_url: str) -> None:
    key = secret(engine)
    migrate(engine)
    with engine_on(empty_url) as other:
        migrate(other)
        assert secret(engine) == key != secret(other)


def test_a_new_column_without_a_rule_is_shown_to_nobody(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE warehouse.plans ADD COLUMN author text"))
        connection.execute(text("UPDATE ops.published_views SET fingerprint = ''"))
    with pytest.raises(WarehouseError, match=r"warehouse.plans.author has no rule in masking"):
        migrate(engine)
    assert ("author",) not in rows(
        engine,
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST('masked.plans' AS regclass)",
    )


def test_no_rule_speaks_of_a_column_that_is_not_there(engine: Engine) -> None:
    query = """
        SELECT r.table_name, r.column_name
        FROM masking.rules AS r
        LEFT JOIN pg_attribute AS a
            ON
                a.attrelid = to_regclass('warehouse.' || r.table_name)
                AND a.attname = r.column_name
        WHERE r.table_name <> '*' AND a.attname IS NULL
    """
    assert rows(engine, query) == []


def test_years_are_those_of_the_calendar_not_of_a_time_zone(engine: Engine) -> None:
    born = [date(1980, 1, 1), date(1979, 12, 31), date(1, 1, 1)]
    for number, day in enumerate(born):
        put(engine, "contacts", {"source": "s", "contact_id": str(number), "birth_on": day})
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL TIME ZONE 'Pacific/Kiritimati'"))
        shown = connection.execute(text("SELECT birth_on FROM masked.contacts ORDER BY contact_id"))
        assert shown.scalars().all() == [date(1980, 1, 1), date(1979, 1, 1), date(1, 1, 1)]


def test_time_stamps_are_untouched(engine: Engine) -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    put(engine, "communications", {"source": "s", "communication_id": "1", "viewed_at": moment})
    assert rows(engine, "SELECT viewed_at FROM masked.communications") == [(moment,)]
