"""The views of mart: whole answers, with and without persons, from rows made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from sync_pipeline_tests.database.readings import START, at, rows, rows_by_name
from sync_pipeline_tests.database.test_masked import COLUMNS
from sync_pipeline_tests.database.view_rows import Row, pseudonym, put, put_version

BOTH = pytest.mark.parametrize("mart", ["mart", "mart_pii"])
MATCHES = """
    SELECT crmcom_contact_id, rocs_contact_id, matched_by, rivals
    FROM {mart}.customer_360
    ORDER BY crmcom_contact_id, length(rocs_contact_id), rocs_contact_id
"""


def people(engine: Engine, source: str, **given: Row) -> None:
    """Insert contacts of a source by id (a leading _ is dropped)."""
    for contact_id, row in given.items():
        put(engine, "contacts", {"source": source, "contact_id": contact_id.lstrip("_"), **row})


def matches(engine: Engine, mart: str) -> list[tuple[object, ...]]:
    return rows(engine, MATCHES.format(mart=mart))


def test_both_marts_have_the_same_columns(engine: Engine) -> None:
    assert rows(engine, COLUMNS, schema="mart") == rows(engine, COLUMNS, schema="mart_pii") != []


@BOTH
def test_persons_are_brought_together_by_external_id_then_email_then_phone(
    engine: Engine, mart: str
) -> None:
    shared = {"email": "a@example.com", "phone": "+35799000001"}
    people(
        engine,
        "crmcom",
        c1=shared,
        c2={"external_id": "12"},
        c3={"email": "c@example.com", "phone": "+35799000003"},
        c4={"phone": "+35799000004"},
        c5={"email": "e@example.com"},
    )
    people(
        engine,
        "rocs",
        _11={"external_id": "c1"},
        _12={},
        # Would be c1's by e-mail, had c1 not been another's by external id.
        _13=shared,
        _14={"email": "c@example.com", "phone": "+35799000004"},
        _15={"phone": "+35799000004"},
        _16={"email": None},
    )
    assert matches(engine, mart) == [
        ("c1", "11", "external_id", 0),
        ("c2", "12", "external_id", 0),
        ("c3", "14", "email", 0),
        ("c4", "15", "phone", 0),
        ("c5", None, None, 0),
        (None, "13", None, 0),
        (None, "16", None, 0),
    ]


@BOTH
def test_of_several_that_match_the_smallest_ids_pair_up_and_the_rest_stays_alone(
    engine: Engine, mart: str
) -> None:
    same = {"email": "a@example.com"}
    people(engine, "crmcom", c1=same, c2=same, c3={"phone": "+4712345678"}, c4={})
    # As numbers: 9 is smaller than 10.
    people(engine, "rocs", _10=same, _9=same, _11={**same, "phone": "+4712345678"})
    people(engine, "rocs", _20={"external_id": "c4"}, _100={"external_id": "c4"})
    assert matches(engine, mart) == [
        ("c1", "9", "email", 3),
        ("c2", None, None, 4),
        ("c3", "11", "phone", 0),
        ("c4", "20", "external_id", 1),
        (None, "10", None, 4),
        (None, "100", None, 2),
    ]


@BOTH
def test_two_of_one_system_are_never_brought_together(engine: Engine, mart: str) -> None:
    same = {"email": "a@example.com", "phone": "+4712345678", "external_id": "x"}
    people(engine, "rocs", _1=same, _2=same)
    assert matches(engine, mart) == [(None, "1", None, 0), (None, "2", None, 0)]


@BOTH
def test_who_is_gone_matches_nobody(engine: Engine, mart: str) -> None:
    same = {"email": "a@example.com"}
    people(engine, "crmcom", c1={**same, "deleted_at": START}, c2=same)
    people(engine, "rocs", _1={**same, "deleted_at": START}, _2=same)
    assert matches(engine, mart) == [("c2", "2", "email", 0)]


def test_what_both_sides_say_is_side_by_side_with_what_differs(engine: Engine) -> None:
    people(
        engine,
        "crmcom",
        c1={
            "type": "PERSON",
            "email": "a@example.com",
            "phone": "+35799000001",
            "first_name": "Zoë",
            "last_name": "Ωmega",
            "language": "el",
            "gender": "FEMALE",
            "birth_on": date(1980, 5, 17),
            "country": "CY",
            "email_opt_out": False,
            "sms_opt_out": True,
        },
    )
    people(
        engine,
        "rocs",
        _7={
            "type": "CUSTOMER",
            "status": "ACTIVE",
            "external_id": "c1",
            "email": "b@example.com",
            "phone": "+35799000001",
            "first_name": "Zoe",
            "last_name": "Ωmega",
            "gender": "FEMALE",
            "birth_on": date(1980, 5, 18),
            "email_opt_out": True,
        },
    )
    owners = [{"systemName": "adminEmail", "value": " B@example.com"}]
    put(engine, "tenants", {"tenant_name": "beta", "specifications": owners}, source="rosaas")
    put(engine, "tenants", {"tenant_name": "acme", "metadata": ["a@example.com"]}, source="rosaas")
    put(engine, "tenants", {"tenant_name": "none", "metadata": ["c@example.com"]}, source="rosaas")
    gone = {"tenant_name": "gone", "metadata": ["a@example.com"], "deleted_at": START}
    put(engine, "tenants", gone, source="rosaas")
    expected = {
        "crmcom_contact_id": "c1",
        "rocs_contact_id": "7",
        "matched_by": "external_id",
        "rivals": 0,
        "disagreements": ["email", "first_name", "birth_on", "email_opt_out"],
        "tenant_names": ["acme", "beta"],
        "crmcom_type": "PERSON",
        "rocs_type": "CUSTOMER",
        "crmcom_status": None,
        "rocs_status": "ACTIVE",
        "crmcom_company_name": None,
        "rocs_company_name": None,
        "crmcom_email": "a@example.com",
        "rocs_email": "b@example.com",
        "crmcom_phone": "+35799000001",
        "rocs_phone": "+35799000001",
        "crmcom_first_name": "Zoë",
        "rocs_first_name": "Zoe",
        "crmcom_last_name": "Ωmega",
        "rocs_last_name": "Ωmega",
        "crmcom_language": "el",
        "rocs_language": None,
        "crmcom_gender": "FEMALE",
        "rocs_gender": "FEMALE",
        "crmcom_birth_on": date(1980, 5, 17),
        "rocs_birth_on": date(1980, 5, 18),
        "crmcom_country": "CY",
        "rocs_country": None,
        "crmcom_email_opt_out": False,
        "rocs_email_opt_out": True,
        "crmcom_sms_opt_out": True,
        "rocs_sms_opt_out": None,
    }
    assert rows_by_name(engine, "SELECT * FROM mart_pii.customer_360") == [expected]
    # The same person, masked: two days of one year do not differ there.
    kinds = {"email": "address", "phone": "address"}
    for field in ("email", "phone", "first_name", "last_name"):
        for side in ("crmcom", "rocs"):
            value = str(expected[f"{side}_{field}"])
            expected[f"{side}_{field}"] = pseudonym(engine, kinds.get(field, field), value)
    expected["disagreements"] = ["email", "first_name", "email_opt_out"]
    expected["crmcom_birth_on"] = expected["rocs_birth_on"] = date(1980, 1, 1)
    assert rows_by_name(engine, "SELECT * FROM mart.customer_360") == [expected]


@BOTH
def test_every_contact_is_in_exactly_one_row(engine: Engine, mart: str) -> None:
    numbers = range(60)
    for number in numbers:
        shared = {"email": f"{number % 7}@example.com", "phone": f"+3579900000{number % 5}"}
        people(engine, "crmcom", **{f"c{number}": {**shared, "external_id": str(number // 9)}})
        people(engine, "rocs", **{f"_{number}": {**shared, "external_id": f"c{number // 4}"}})
    query = f"SELECT crmcom_contact_id, rocs_contact_id FROM {mart}.customer_360"
    sides = list(zip(*rows(engine, query), strict=True))
    found = [sorted(str(one) for one in side if one) for side in sides]
    assert found == [sorted(f"c{n}" for n in numbers), sorted(str(n) for n in numbers)]


@BOTH
def test_engagement_counts_what_was_sent_by_channel_plan_language_and_week(
    engine: Engine, mart: str
) -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    base = {"source": "crmcom", "channel": "EMAIL", "plan_name": "Welcome", "language": "el"}
    viewed = {"state": "COMPLETED", "is_viewed": True}
    messages: list[dict[str, object]] = [
        {**viewed, "source_created_at": monday, "viewed_at": monday + timedelta(hours=1)},
        {
            **viewed,
            "source_created_at": monday + timedelta(days=6, hours=23),
            "viewed_at": monday + timedelta(days=7, hours=2),
            "clicked_at": monday + timedelta(days=8),
            "is_archived": True,
        },
        # A view before the creation tells no time.
        {**viewed, "source_created_at": monday, "viewed_at": monday - timedelta(hours=1)},
        {"state": "COMPLETED", "source_created_at": monday, "is_viewed": False},
        {"state": "UNHEARD_OF", "source_created_at": monday},
        {"state": "PENDING", "source_created_at": monday, "is_viewed": True},
        {"state": "REJECTED", "source_created_at": monday, "is_archived": True},
        {**viewed, "source_created_at": monday + timedelta(days=7)},
        {**viewed, "viewed_at": monday},
        {**viewed, "source_created_at": monday, "deleted_at": START},
    ]
    for number, message in enumerate(messages):
        put(engine, "communications", {**base, "communication_id": str(number), **message})
    query = f"SELECT * FROM {mart}.communication_engagement ORDER BY week"
    with engine.begin() as connection:
        # Whatever the reader's clock says, a week begins in UTC.
        connection.execute(text("SET LOCAL TIME ZONE 'America/Los_Angeles'"))
        found = [tuple(row) for row in connection.execute(text(query))]
    key = ("crmcom", "EMAIL", "Welcome", "el")
    counts = (5, 3, 1, 1, 1, 1, 2, timedelta(hours=2), timedelta(hours=2))
    assert found == [
        (*key, date(2026, 3, 2), *counts),
        (*key, date(2026, 3, 9), 1, 1, 0, 0, 0, 0, 0, None, None),
        (*key, None, 1, 1, 0, 0, 0, 0, 0, None, None),
    ]


def test_open_approval_requests_say_who_is_asked_and_since_when(engine: Engine) -> None:
    person = {"first_name": "Zoë", "email": "a@example.com", "language": "el"}
    people(engine, "crmcom", c1=person)
    base = {"source": "crmcom", "contact_id": "c1", "entity_type": "ORDERS", "entity_id": "o1"}
    put(
        engine,
        "approval_requests",
        {**base, "approval_request_id": "a1", "state": "PENDING", "entity_reference": "ORD-1"},
        {**base, "approval_request_id": "a2", "state": "PENDING", "contact_id": "unknown"},
        {**base, "approval_request_id": "a3", "state": "APPROVED"},
        {**base, "approval_request_id": "a4", "state": "PENDING", "deleted_at": START},
    )
    key = {"source": "crmcom", "approval_request_id": "a1"}
    put_version(engine, "approval_requests", at(-3), at(0), state="PENDING", **key)
    query = "SELECT * FROM {}.approval_requests_open ORDER BY approval_request_id"
    head = ("ORDERS", "o1")
    alone = ("crmcom", "a2", *head, None, "unknown", *[None] * 6, START)
    assert rows(engine, query.format("mart_pii")) == [
        (
            *("crmcom", "a1", *head, "ORD-1", "c1"),
            *("Zoë", None, None, "a@example.com", None, "el", at(-3)),
        ),
        alone,
    ]
    name = pseudonym(engine, "first_name", "Zoë")
    address = pseudonym(engine, "address", "a@example.com")
    reference = pseudonym(engine, "entity_reference", "ORD-1")
    assert rows(engine, query.format("mart")) == [
        (
            *("crmcom", "a1", *head, reference, "c1"),
            *(name, None, None, address, None, "el", at(-3)),
        ),
        alone,
    ]


@BOTH
def test_versions_of_a_tenant_in_one_status_are_one_stretch(engine: Engine, mart: str) -> None:
    active, inactive = {"status": "Active", "status_code": 7}, {"status": "Inactive"}
    story: list[tuple[float, float, Row]] = [
        (-9, -8, active),
        (-8, -7, {**active, "display_name": "renamed"}),
        (-7, -6, inactive),
        (-6, -5, active),
        (-5, -4, {**active, "deleted_at": at(-5)}),
        (-4, -3, active),
        (-3, -2, {**active, "status_code": 4}),
    ]
    key = {"source": "rosaas", "tenant_name": "acme"}
    for begins, ends, values in story:
        put_version(engine, "tenants", at(begins), at(ends), **key, **values)
    put(engine, "tenants", {**key, **active, "status_code": 4, "observed_at": at(-2)})
    put(engine, "tenants", {**key, "tenant_name": "gone", "deleted_at": START})
    put(engine, "tenants", {**key, "tenant_name": "new"})
    query = f"""
        SELECT tenant_name, status, status_code, valid_from, valid_to
        FROM {mart}.tenant_status_history ORDER BY tenant_name, valid_from
    """
    assert rows(engine, query) == [
        ("acme", "Active", 7, at(-9), at(-7)),
        ("acme", "Inactive", None, at(-7), at(-6)),
        ("acme", "Active", 7, at(-6), at(-5)),
        ("acme", "Active", 7, at(-4), at(-3)),
        ("acme", "Active", 4, at(-3), None),
        ("new", None, None, START, None),
    ]


@BOTH
def test_freshness_is_that_of_the_oldest_proof(engine: Engine, mart: str) -> None:
    begun = """
        INSERT INTO ops.sync_runs (
            run_id, source, entity, cause, started_at, finished_at, outcome, is_complete
        )
        VALUES
        ('1', 'crmcom', 'contacts', 'ui', :early, :early, 'failed', false),
        ('2', 'crmcom', 'contacts', 'ui', :late, :late, 'succeeded', true),
        ('3', 'rocs', 'contacts', 'ui', :late, NULL, 'running', false)
    """
    proven = """
        INSERT INTO ops.watermarks (
            source, entity, scope, proof, proven_at, reason, read_at, due_at
        )
        VALUES
        ('crmcom', 'contacts', 'a', 'single_response', :late, NULL, :late, :late),
        ('crmcom', 'contacts', 'b', 'incomplete', :early, 'cut off', :late, :late),
        ('crmcom', 'contacts', 'c', 'incomplete', NULL, 'denied', :late, :late)
    """
    kept = """
        INSERT INTO ops.quarantine (
            source, entity, payload_raw, reason, error_code, observed_at, resolved_at, resolution
        )
        VALUES
        ('rosaas', 'plans', '1', 'x', 'x', :late, NULL, NULL),
        ('rosaas', 'plans', '2', 'x', 'x', :late, NULL, NULL),
        ('rosaas', 'plans', '3', 'x', 'x', :late, :late, 'loaded')
    """
    with engine.begin() as connection:
        for statement in (begun, proven, kept):
            connection.execute(text(statement), {"early": at(-5), "late": at(-1)})
    query = f"""
        SELECT
            source, entity, oldest_proof_at, now() - staleness, scopes, scopes_incomplete,
            scopes_denied, scopes_never_proven, quarantined, last_outcome, last_is_complete,
            last_started_at, last_finished_at
        FROM {mart}.data_freshness ORDER BY source, entity
    """
    ended = ("succeeded", True, at(-1), at(-1))
    assert rows(engine, query) == [
        ("crmcom", "contacts", at(-5), at(-5), 3, 2, 1, 1, 0, *ended),
        ("rocs", "contacts", None, None, 0, 0, 0, 0, 0, "running", False, at(-1), None),
        ("rosaas", "plans", None, None, 0, 0, 0, 0, 2, None, None, None, None),
    ]
