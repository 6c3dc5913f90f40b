"""What each role may read, and what an analyst gets who tries to read round it."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse import roles as roles_module
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.roles import ROLES, Login, set_login, statements_for_missing_roles
from sync_pipeline_tests.conftest import NewDatabase
from sync_pipeline_tests.database.readings import at, commit_contacts, named, rows
from sync_pipeline_tests.database.view_rows import put, put_version, secret, session_of

EMAIL = "quernheim@example.com"
# Nothing of this may reach an analyst, in whatever form.
TRACES = ("quernheim", "4799123456", "1987-06-05", "geheim")
READABLE = """
    SELECT DISTINCT n.nspname
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'v', 'm', 'S', 'p')
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND has_schema_privilege(n.oid, 'USAGE')
        AND has_any_column_privilege(c.oid, 'SELECT')
    ORDER BY 1
"""
UNREADABLE = """
    SELECT c.oid::regclass::text
    FROM pg_class AS c
    WHERE
        c.relkind IN ('r', 'v')
        AND c.relnamespace = ANY (CAST(CAST(:schemas AS text []) AS regnamespace []))
        AND NOT has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1
"""
WRITABLE = """
    SELECT c.oid::regclass::text
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'v')
        AND n.nspname IN ('ops', 'push', 'warehouse', 'masking', 'masked', 'mart', 'mart_pii')
        AND has_any_column_privilege(c.oid, 'INSERT, UPDATE')
    ORDER BY 1
"""


@pytest.fixture
def peopled(engine: Engine) -> Engine:
    """Return an engine on a warehouse with one person, who is in every place there is."""
    person = {
        "first_name": "Quernheim",
        "last_name": "Geheim",
        "email": EMAIL,
        "phone": "+4799123456",
        "birth_on": "1987-06-05",
        "code": "geheim-1",
        "attributes": {"note": "geheim", "quernheim@example.com": {"deep": ["geheim", 4799123456]}},
    }
    put(engine, "contacts", {"source": "crmcom", "contact_id": "c1", **person})
    put(
        engine, "contacts", {"source": "rocs", "contact_id": "7", "external_id": "geheim", **person}
    )
    put_version(engine, "contacts", at(-1), at(0), source="crmcom", contact_id="c1", **person)
    words = {"recipient": EMAIL, "sender": EMAIL, "subject": "Quernheim!", "content": "geheim"}
    message = {"source": "crmcom", "communication_id": "m1", "contact_id": "c1", **words}
    put(engine, "communications", message)
    put(engine, "communications", {**message, "communication_id": "m2", "attributes": person})
    owner = {"owner": {"name": "Quernheim", "mail": EMAIL, "pin": 4799123456}}
    admin = [{"systemName": "adminEmail", "value": EMAIL}]
    tenant = {"tenant_name": "t", "metadata": owner, "specifications": admin}
    put(engine, "tenants", {"source": "rosaas", **tenant, "attributes": owner})
    request = {"approval_request_id": "a1", "contact_id": "c1", "state": "PENDING"}
    reference = {"entity_reference": "geheim", "attributes": owner}
    put(engine, "approval_requests", {"source": "crmcom", **request, **reference})
    put(engine, "contact_lists", {"source": "rocs", "list_id": "1", "description": "geheim"})
    put(engine, "campaigns", {"source": "rocs", "campaign_id": "1", "subject": "geheim"})
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
        connection.execute(
            text(
                "INSERT INTO ops.quarantine (source, entity, record_id, payload_raw, reason, "
                "error_code, observed_at) "
                "VALUES ('crmcom', 'contacts', 'c9', 'geheim', 'geheim', 'x', now())"
            )
        )
    return engine


@pytest.fixture
def analyst(peopled: Engine) -> Iterator[Engine]:
    with session_of(peopled, "sync_analyst") as session:
        yield session


def said(session: Engine, *statements: str) -> str:
    """Return everything that a session hears: rows, notices and refusals."""
    heard: list[str] = []
    url = session.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.add_notice_handler(
            lambda notice: heard.extend(
                str(part)
                for part in (notice.message_primary, notice.message_detail, notice.context)
            )
        )
        for statement in statements:
            try:
                cursor = connection.execute(statement.encode())
                if cursor.description:
                    heard += [str(row) for row in cursor.fetchall()]
            except psycopg.Error as exc:
                diag = exc.diag
                heard += [str(exc), str(diag.message_detail), str(diag.message_hint)]
                heard += [str(diag.context)]
    # Long ones are broken into lines anywhere.
    return " ".join(" ".join(heard).split())


@pytest.mark.parametrize(
    ("role", "readable", "whole"),
    [
        ("sync_requester", ["push"], []),
        ("sync_analyst", ["mart", "masked", "masking"], ["mart", "masked"]),
        (
            "sync_analyst_pii",
            ["mart", "mart_pii", "masked", "masking", "warehouse"],
            ["mart", "mart_pii", "masked", "warehouse"],
        ),
        ("sync_writer", ["ops", "push", "warehouse"], ["ops", "push", "warehouse"]),
    ],
)
def test_a_role_reads_its_schemas_wholly_and_nothing_else(
    engine: Engine, role: str, readable: list[str], whole: list[str]
) -> None:
    with session_of(engine, role) as session:
        assert rows(session, READABLE) == [(schema,) for schema in readable]
        assert rows(session, UNREADABLE, schemas=whole) == []
        query = "SELECT has_table_privilege('masking.secret', 'SELECT, INSERT, UPDATE, DELETE')"
        if "masking" in readable:
            assert rows(session, query) == [(False,)]


@pytest.mark.parametrize("role", ["sync_analyst", "sync_analyst_pii", "sync_requester"])
def test_only_the_pipeline_writes(engine: Engine, role: str) -> None:
    with session_of(engine, role) as session:
        assert rows(session, WRITABLE) == []


def test_the_pipeline_can_load_as_the_writer(engine: Engine) -> None:
    with session_of(engine, "sync_writer") as session:
        assert migrate(session) == []
        commit_contacts(session, named("c1", "Zoë", hours=0))
        commit_contacts(session, named("c1", "Chloë", hours=1))
    query = "SELECT first_name FROM warehouse.contacts_versions ORDER BY valid_from"
    assert rows(engine, query) == [("Zoë",), ("Chloë",)]


@pytest.mark.parametrize(
    "relation",
    [
        "warehouse.contacts",
        "warehouse.contacts_versions",
        "warehouse.communications",
        "ops.quarantine",
        "ops.sync_runs",
        "mart_pii.customer_360",
        "masking.secret",
        "pg_authid",
        "pg_statistic",
    ],
)
def test_an_analyst_is_refused(analyst: Engine, relation: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        rows(analyst, f"SELECT * FROM {relation}")


@pytest.mark.parametrize("schema", ["masked", "mart"])
def test_nothing_that_an_analyst_reads_shows_the_person(analyst: Engine, schema: str) -> None:
    query = """
        SELECT c.oid::regclass::text FROM pg_class AS c
        WHERE c.relnamespace = CAST(:schema AS regnamespace)
    """
    relations = [str(name) for (name,) in rows(analyst, query, schema=schema)]
    heard = said(analyst, *(f"TABLE {name}" for name in relations))
    assert "m_" in heard
    assert [trace for trace in TRACES if trace in heard.lower()] == []


@pytest.mark.parametrize(
    "statements",
    [
        # Errors that quote a value, below the view or on it.
        ["SELECT email::integer FROM masked.contacts"],
        ["SELECT (attributes ->> 'note')::date FROM masked.contacts"],
        ["SELECT 1 / (length(email) - 34) FROM masked.contacts"],
        ["SELECT * FROM warehouse.contacts WHERE email::integer = 1"],
        ["SELECT xmlparse(document email) FROM masked.contacts"],
        # A function in WHERE that says what it is given; the cheaper, the earlier it is called.
        [
            (
                "CREATE FUNCTION pg_temp.leak(x text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 "
                "AS $$ BEGIN RAISE NOTICE '%', x; RETURN true; END $$"
            ),
            (
                "SELECT count(*) FROM masked.contacts WHERE pg_temp.leak(email) "
                "AND pg_temp.leak(attributes::text) AND pg_temp.leak(contacts::text)"
            ),
            "SELECT count(*) FROM mart.customer_360 WHERE pg_temp.leak(crmcom_email)",
            "SELECT count(*) FROM mart.approval_requests_open AS r WHERE pg_temp.leak(r::text)",
        ],
        # Statistics, plans, the text of the views.
        ["SELECT * FROM pg_stats WHERE schemaname NOT LIKE 'pg\\_%'", "SELECT * FROM pg_stats_ext"],
        ["EXPLAIN (ANALYZE, VERBOSE, SETTINGS) SELECT * FROM masked.contacts"],
        ["EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM mart.customer_360 WHERE crmcom_email = 'x'"],
        ["SELECT pg_get_viewdef(c.oid), obj_description(c.oid) FROM pg_class AS c"],
        ["SELECT query FROM pg_stat_activity"],
        # Rows behind the view's back.
        [
            "SELECT ctid, xmin FROM masked.contacts",
            "SELECT * FROM masked.contacts TABLESAMPLE SYSTEM (100)",
        ],
        ["SELECT c FROM masked.contacts AS c", "SELECT row_to_json(c) FROM masked.contacts AS c"],
        ["SELECT currtid2('warehouse.contacts', '(0,1)')"],
        ["SELECT query_to_xml('SELECT * FROM warehouse.contacts', true, false, '')"],
        ["SELECT table_to_xml('warehouse.contacts', true, false, '')"],
        ["COPY warehouse.contacts TO STDOUT", "COPY (SELECT * FROM warehouse.contacts) TO STDOUT"],
        ["COPY masked.contacts TO PROGRAM 'cat'", "SELECT pg_read_file('PG_VERSION')"],
        ["SELECT lo_import('/etc/passwd')", "SELECT pg_ls_dir('.')"],
        # Somebody else's rights.
        ["SET ROLE sync_analyst_pii", "SELECT email FROM warehouse.contacts"],
        ["SET ROLE sync", "SELECT email FROM warehouse.contacts"],
        ["SET SESSION AUTHORIZATION sync", "SELECT email FROM warehouse.contacts"],
        [
            "GRANT SELECT ON warehouse.contacts TO sync_analyst",
            "SELECT email FROM warehouse.contacts",
        ],
        ["ALTER VIEW masked.contacts SET (security_invoker = true)"],
        [
            (
                "CREATE FUNCTION pg_temp.f() RETURNS SETOF warehouse.contacts LANGUAGE sql "
                "SECURITY DEFINER AS 'SELECT * FROM warehouse.contacts'"
            ),
            "SELECT * FROM pg_temp.f()",
        ],
        ["CREATE TEMP TABLE t (LIKE warehouse.contacts INCLUDING ALL)", "SELECT * FROM t"],
        ["CREATE TEMP VIEW v AS SELECT * FROM warehouse.contacts", "SELECT * FROM v"],
        ["UPDATE masked.contacts SET email = 'x'", "DELETE FROM masked.contacts"],
        ["LOCK TABLE warehouse.contacts", "ANALYZE warehouse.contacts"],
        # One row at a time, by an index or by a guess.
        ["SELECT * FROM masked.contacts WHERE email LIKE 'q%' OR attributes::text LIKE '%@%'"],
    ],
    ids=lambda statements: statements[-1][:60],
)
def test_no_way_round_the_views_shows_the_person(analyst: Engine, statements: list[str]) -> None:
    heard = said(analyst, *statements).lower()
    assert [trace for trace in TRACES if trace in heard] == []


def test_the_same_ways_show_the_person_to_the_owner(peopled: Engine) -> None:
    heard = said(
        peopled,
        "SELECT email::integer FROM warehouse.contacts",
        "SELECT * FROM pg_stats WHERE schemaname = 'warehouse'",
        "SELECT query_to_xml('SELECT * FROM warehouse.contacts', true, false, '')",
    ).lower()
    assert all(trace in heard for trace in TRACES)


DIGESTS: list[Callable[[bytes], str]] = [
    lambda value: hashlib.md5(value).hexdigest(),  # noqa: S324 -- what an attacker would try
    lambda value: hashlib.sha1(value).hexdigest(),  # noqa: S324 -- as above
    lambda value: hashlib.sha256(value).hexdigest(),
    lambda value: hashlib.sha256(hashlib.sha256(value).digest()).hexdigest(),
    lambda value: hashlib.sha512(value).hexdigest(),
    lambda value: hmac.new(b"", value, "sha256").hexdigest(),
    lambda value: hmac.new(bytes(32), value, "sha256").hexdigest(),
]


def test_hashing_a_list_of_known_addresses_finds_nobody(analyst: Engine) -> None:
    known = [EMAIL, *(f"person{number}@example.com" for number in range(50))]
    forms = ("{}", "address:{}", "email:{}")
    values = [form.format(address).encode() for address in known for form in forms]
    guesses = [f"m_{digest(value)[:32]}" for value in values for digest in DIGESTS]
    query = """
        WITH known AS (SELECT unnest(CAST(:known AS text [])) AS email),
        guesses AS (
            SELECT unnest(CAST(:guesses AS text [])) AS guess
            UNION ALL SELECT email FROM known
            -- The function itself, with keys that an analyst can think of.
            UNION ALL
            SELECT masking.mask_document(to_jsonb(k.email), s.key, '{}', '') #>> '{}'
            FROM known AS k
            CROSS JOIN (
                VALUES (''::bytea), (decode(repeat('00', 32), 'hex')), (NULL)
            ) AS s (key)
        )
        SELECT count(*) FROM guesses AS g
        WHERE
            EXISTS (SELECT FROM masked.contacts AS c WHERE g.guess IN (c.email, c.code))
            OR EXISTS (SELECT FROM masked.communications AS c WHERE g.guess = c.recipient)
            OR EXISTS (SELECT FROM masked.tenants AS t WHERE strpos(t.metadata::text, g.guess) > 0)
            OR EXISTS (SELECT FROM mart.customer_360 AS p WHERE g.guess = p.crmcom_email)
    """
    assert rows(analyst, query, known=known, guesses=guesses) == [(0,)]


def test_the_hash_of_a_known_record_finds_nobody(analyst: Engine) -> None:
    guesses = [b"content", b"raw", hashlib.sha256(b"content").digest()]
    query = (
        "SELECT count(*) FROM masked.contacts "
        "WHERE content_hash = ANY(:guesses) OR raw_hash = ANY(:guesses)"
    )
    assert rows(analyst, query, guesses=guesses) == [(0,)]


SPYING = [
    "SET client_min_messages = debug1",
    "SET debug_pretty_print = off",
    "SET debug_print_parse = on",
    "SET debug_print_rewritten = on",
    "SET debug_print_plan = on",
    "SET plan_cache_mode = force_custom_plan",
]


def in_a_plan(value: bytes) -> str:
    """Return how a printed plan writes these bytes."""
    return " ".join(str(byte - 256 if byte > 127 else byte) for byte in value)


def test_plans_that_are_printed_do_not_hold_the_key(analyst: Engine, peopled: Engine) -> None:
    everything = "SELECT contacts::text, attributes FROM masked.contacts"
    heard = said(analyst, *SPYING, everything, "SELECT r::text FROM mart.customer_360 AS r")
    key = secret(peopled)
    assert in_a_plan(key) not in heard
    assert key.hex() not in heard
    # That this would have been seen:
    shown = f"SELECT decode('{key.hex()}', 'hex') || convert_to(version(), 'UTF8')"
    assert in_a_plan(key) in said(analyst, *SPYING, shown)


def test_what_an_analyst_names_like_a_built_in_thing_is_not_used(analyst: Engine) -> None:
    query = "SELECT attributes::text, email FROM masked.contacts ORDER BY contact_id"
    spies = [
        (
            "CREATE FUNCTION pg_temp.sha256(x bytea) RETURNS bytea LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE NOTICE 'spied %', x; RETURN x; END $$"
        ),
        (
            "CREATE FUNCTION pg_temp.jsonb_typeof(x jsonb) RETURNS text LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE NOTICE 'spied %', x; RETURN 'null'; END $$"
        ),
        (
            "CREATE FUNCTION pg_temp.spy(x bytea, y bytea) RETURNS bytea LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE NOTICE 'spied %', x; RETURN x; END $$"
        ),
        "CREATE OPERATOR pg_temp.|| (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = pg_temp.spy)",
        "CREATE DOMAIN pg_temp.jsonb AS text",
        "CREATE TEMP TABLE secret (key bytea)",
        "SET search_path = pg_temp, pg_catalog",
    ]
    heard = said(analyst, *spies, query)
    assert "spied" not in heard
    assert "error" not in heard.lower()
    assert said(analyst, query) in heard


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.planted (a int)",
        "CREATE FUNCTION public.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW mart.planted AS SELECT 1",
        "CREATE TABLE masked.planted (a int)",
        "CREATE FUNCTION masking.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA planted",
        "CREATE ROLE planted",
        "CREATE EXTENSION dblink",
        "CREATE OR REPLACE VIEW masked.contacts AS SELECT 1",
        "DROP VIEW mart.customer_360 CASCADE",
        "UPDATE masking.rules SET treatment = 'plain'",
    ],
)
def test_an_analyst_makes_nothing_that_stays(analyst: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), analyst.begin() as c:
        c.execute(text(statement))


@pytest.fixture
def other_roles(monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Iterator[tuple[str, ...]]:
    """Let the roles have other names, for the server of these tests has the real ones."""
    names = ("test_role_a", "test_role_b")
    monkeypatch.setattr(roles_module, "ROLES", names)
    yield names
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP ROLE IF EXISTS {name}".encode())


def test_databases_of_one_server_that_migrate_at_the_same_time_share_the_roles(
    create_database: NewDatabase, other_roles: tuple[str, ...]
) -> None:
    urls = [create_database("template1") for _ in range(3)]
    failures: list[BaseException] = []
    start = threading.Barrier(len(urls))

    def migrate_one(url: str) -> None:
        with engine_on(url) as engine:
            start.wait()
            try:
                migrate(engine)
            except WarehouseError as exc:
                failures.append(exc)

    threads = [threading.Thread(target=migrate_one, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with engine_on(urls[0]) as engine:
        query = "SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names) AND NOT rolcanlogin"
        assert rows(engine, query, names=list(other_roles)) == [(len(other_roles),)]


@pytest.fixture
def humble(engine: Engine, empty_url: str) -> Iterator[Engine]:
    """Return an engine for somebody who owns an empty database and may make no roles."""
    login = Login("humble", "password-of-a-test", "sync_requester")
    set_login(engine, login)
    with engine_on(empty_url) as owner:
        name = owner.url.database
        with owner.begin() as connection:
            connection.execute(text(f"ALTER DATABASE {name} OWNER TO humble"))
        url = owner.url.set(username=login.name, password=login.password)
        with engine_on(url.render_as_string(hide_password=False)) as session:
            yield session


def test_who_may_make_no_roles_migrates_all_the_same_and_learns_what_to_ask_for(
    humble: Engine, other_roles: tuple[str, ...]
) -> None:
    assert len(migrate(humble)) > 0
    assert rows(humble, "SELECT count(*) FROM mart.customer_360") == [(0,)]
    assert statements_for_missing_roles(humble) == [
        f'CREATE ROLE "{name}" NOLOGIN' for name in other_roles
    ]


def test_who_owns_the_warehouse_grants_without_being_an_administrator(humble: Engine) -> None:
    migrate(humble)
    query = "SELECT has_table_privilege('sync_analyst', 'mart.customer_360', 'SELECT')"
    assert rows(humble, query) == [(True,)]
    assert statements_for_missing_roles(humble) == []


def test_a_login_that_may_not_be_made_is_refused_in_words(humble: Engine) -> None:
    with pytest.raises(WarehouseError) as refusal:
        set_login(humble, Login("somebody", "a password", "sync_analyst"))
    assert str(refusal.value) == (
        "the warehouse's server does not let this user make a login for sync_analyst: its "
        "administrator can (CREATE ROLE … LOGIN PASSWORD … IN ROLE sync_analyst)"
    )


def test_a_role_that_comes_later_is_granted_its_reading(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = "SELECT max(made_at) FROM ops.published_views"
    before = rows(engine, made)
    migrate(engine)
    assert rows(engine, made) == before
    # As if sync_writer had not been there when the views were made.
    monkeypatch.setattr(roles_module, "ROLES", tuple(set(ROLES) - {"sync_writer"}))
    migrate(engine)
    assert rows(engine, made) > before


def test_a_login_can_be_given_another_password(engine: Engine) -> None:
    login = Login("changing", "the-first", "sync_analyst")
    set_login(engine, login)
    set_login(engine, Login("changing", "the-second", "sync_analyst"))
    for password, is_good in (("the-first", False), ("the-second", True)):
        url = engine.url.set(drivername="postgresql", username="changing", password=password)
        try:
            psycopg.connect(url.render_as_string(hide_password=False)).close()
            assert is_good
        except psycopg.OperationalError:
            assert not is_good
