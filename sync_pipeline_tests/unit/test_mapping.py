"""Every line of the mappings: one field of a source goes to its column and nowhere else.

The expectations are written out here, from the contracts, and not taken from the mappings.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sync_pipeline.entities import ENTITIES
from sync_pipeline.mapping import crmcom, rosaas
from sync_pipeline_tests.canonical import NORMALISERS, as_spelled, record, row_of

INSTANT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
EPOCH = int(INSTANT.timestamp())

# Entity, path in the record, the record, the columns that it fills.
LINES: list[tuple[str, str, str, dict[str, object]]] = [
    ("contacts", "code", '{"code": "C12"}', {"code": "C12"}),
    ("contacts", "type", '{"type": "person"}', {"type": "PERSON"}),
    ("contacts", "contact_type", '{"contact_type": "Company"}', {"type": "COMPANY"}),
    ("contacts", "title", '{"title": "Sir"}', {"title": "Sir"}),
    ("contacts", "first_name", '{"first_name": "Ann"}', {"first_name": "Ann"}),
    ("contacts", "middle_name", '{"middle_name": "Bea"}', {"middle_name": "Bea"}),
    ("contacts", "last_name", '{"last_name": "Cox"}', {"last_name": "Cox"}),
    ("contacts", "company_name", '{"company_name": "Dot"}', {"company_name": "Dot"}),
    ("contacts", "email_address", '{"email_address": "A@B.cy"}', {"email": "a@b.cy"}),
    ("contacts", "email", '{"email": "A@B.cy"}', {"email": "a@b.cy"}),
    (
        "contacts",
        "phone.country_code",
        '{"phone": {"country_code": "GRC"}}',
        {"phone_country": "GR"},
    ),
    (
        "contacts",
        "phone.number",
        '{"phone": {"number": "+35799123456"}}',
        {"phone": "+35799123456"},
    ),
    (
        "contacts",
        "preferred_language_code",
        '{"preferred_language_code": "GRE"}',
        {"language": "el"},
    ),
    ("contacts", "language_code", '{"language_code": "EN"}', {"language": "en"}),
    ("contacts", "demographics.gender", '{"demographics": {"gender": "f"}}', {"gender": "FEMALE"}),
    (
        "contacts",
        "demographics.date_of_birth",
        '{"demographics": {"date_of_birth": {"year": 1990, "month": 1, "day": 2}}}',
        {"birth_on": date(1990, 1, 2)},
    ),
    ("contacts", "country_of_agreement", '{"country_of_agreement": "CYP"}', {"country": "CY"}),
    ("contacts", "email_opt_out", '{"email_opt_out": "true"}', {"email_opt_out": True}),
    ("contacts", "sms_opt_out", '{"sms_opt_out": "true"}', {"sms_opt_out": True}),
    ("contacts", "consent_state", '{"consent_state": "ACCEPTED"}', {"consent_state": "ACCEPTED"}),
    ("communications", "life_cycle_state", '{"life_cycle_state": "pending"}', {"state": "PENDING"}),
    ("communications", "state", '{"state": "completed"}', {"state": "COMPLETED"}),
    ("communications", "channel", '{"channel": "sms"}', {"channel": "SMS"}),
    ("communications", "is_viewed", '{"is_viewed": "True"}', {"is_viewed": True}),
    ("communications", "viewed_on", f'{{"viewed_on": {EPOCH}}}', {"viewed_at": INSTANT}),
    ("communications", "is_archived", '{"is_archived": "True"}', {"is_archived": True}),
    ("communications", "clicked_on", f'{{"clicked_on": {EPOCH}}}', {"clicked_at": INSTANT}),
    ("communications", "language", '{"language": "ENG"}', {"language": "en"}),
    ("communications", "sender", '{"sender": "dev"}', {"sender": "dev"}),
    ("communications", "recipient", '{"recipient": "jon"}', {"recipient": "jon"}),
    ("communications", "subject", '{"subject": " S "}', {"subject": " S "}),
    ("communications", "content", '{"content": " C "}', {"content": " C "}),
    ("communications", "name", '{"name": " Plan "}', {"plan_name": "Plan"}),
    ("communications", "created_on", f'{{"created_on": {EPOCH}}}', {"source_created_at": INSTANT}),
    ("tenants", "tenantId", '{"tenantId": "t"}', {"tenant_id": "t"}),
    ("tenants", "subscriptionId", '{"subscriptionId": "s"}', {"subscription_id": "s"}),
    ("tenants", "id", '{"id": "s"}', {"subscription_id": "s"}),
    ("tenants", "displayName", '{"displayName": "D"}', {"display_name": "D"}),
    ("tenants", "step", '{"step": 3}', {"step": 3}),
    ("tenants", "isActive", '{"isActive": "True"}', {"subscription_is_active": True}),
    ("tenants", "plan.systemName", '{"plan": {"systemName": "basic"}}', {"plan": "basic"}),
    ("tenants", "startDate", '{"startDate": "2024-05-06T07:08:09"}', {"started_at": INSTANT}),
    ("tenants", "endDate", '{"endDate": "2024-05-06T07:08:09"}', {"ends_at": INSTANT}),
    ("tenants", "metadata", r'{"metadata": "{\"a\": 1}"}', {"metadata": {"a": 1}}),
    ("tenants", "specifications", '{"specifications": [1]}', {"specifications": [1]}),
    (
        "tenants",
        "createdDate",
        '{"createdDate": "2024-05-06T07:08:09"}',
        {"source_created_at": INSTANT},
    ),
    (
        "tenants",
        "editedDate",
        '{"editedDate": "2024-05-06T07:08:09"}',
        {"source_updated_at": INSTANT},
    ),
]

# The key, and whose it is, are said by the record and by the request alike.
KEY_LINES = [
    ("contacts", "id"),
    ("communications", "id"),
    ("communications", "contact_id"),
    ("communications", "contact.id"),
    ("tenants", "systemName"),
]

# Columns that no call of these streams fills.
UNFILLED = {
    "contacts": {"status", "external_id", "organisation_id"}
    | {"source_created_at", "source_updated_at"},
    "communications": set[str](),
    "tenants": set[str](),
}

STATUSES = [
    (-1, "None", False),
    (1, "RecordCreated", False),
    (2, "SendingCreationRequest", False),
    (3, "Creating", False),
    (4, "CreatedAsActive", True),
    (5, "SendingActivationRequest", False),
    (6, "Activating", False),
    (7, "Active", True),
    (8, "SendingDeactivationRequest", False),
    (9, "Deactivating", False),
    (10, "Inactive", False),
    (11, "SendingDeletionRequest", False),
    (12, "Deleting", False),
    (13, "Deleted", False),
    (14, "Failure", False),
]


@pytest.mark.parametrize(("entity", "path", "raw", "columns"), LINES)
def test_a_field_fills_its_column_and_no_other(
    entity: str, path: str, raw: str, columns: dict[str, object]
) -> None:
    assert all(f'"{name}"' in raw for name in path.split("."))
    assert row_of(entity, raw) == {**columns, "attributes": {}}


def test_every_line_of_the_mappings_is_tried() -> None:
    mappings = {
        "contacts": crmcom.CONTACT,
        "communications": crmcom.COMMUNICATION,
        "tenants": rosaas.TENANT,
    }
    mapped = {(e, path) for e, fields in mappings.items() for f in fields for path in f.paths}
    assert mapped == {(entity, path) for entity, path, _, _ in LINES} | set(KEY_LINES)


def test_every_column_is_filled_by_some_field_or_known_not_to_be() -> None:
    by_status = {"status", "status_code", "is_running"}
    for name, entity in ENTITIES.items():
        filled = {c for e, _, _, columns in LINES if e == name for c in columns}
        keys = {entity.key, "contact_id"} & set(entity.columns)
        derived = by_status if name == "tenants" else set()
        assert filled | keys | derived | UNFILLED[name] == set(entity.columns)


@pytest.mark.parametrize(
    ("entity", "key", "raw"),
    [
        ("contacts", "c-1", '{"id": "c-1"}'),
        ("communications", "m-1", '{"id": "m-1"}'),
        ("tenants", "blue", '{"systemName": "Blue"}'),
    ],
)
def test_the_record_says_its_key(entity: str, key: str, raw: str) -> None:
    assert row_of(entity, raw, record_id=key) == {"attributes": {}}
    (reject,) = NORMALISERS[entity]([record(raw, record_id="another")]).rejects
    assert reject.code == "foreign_id"


@pytest.mark.parametrize("raw", ['{"contact_id": "c-2"}', '{"contact": {"id": "c-2"}}'])
def test_a_communication_says_whose_it_is(raw: str) -> None:
    assert row_of("communications", raw) == {"contact_id": "c-2", "attributes": {}}


@pytest.mark.parametrize(
    ("entity", "column", "raw", "word"),
    [
        *[("contacts", "type", '{"type": "%s"}', w) for w in ("PERSON", "COMPANY")],
        *[
            ("contacts", "gender", '{"demographics": {"gender": "%s"}}', w)
            for w in ("MALE", "FEMALE", "OTHER")
        ],
        *[
            ("communications", "channel", '{"channel": "%s"}', w)
            for w in ("EMAIL", "SMS", "INAPP", "DEVICE")
        ],
        *[
            ("communications", "state", '{"state": "%s"}', w)
            for w in ("PENDING", "COMPLETED", "REJECTED")
        ],
    ],
)
def test_a_known_word_is_read_in_any_case(entity: str, column: str, raw: str, word: str) -> None:
    assert row_of(entity, raw % word.lower()) == {column: word, "attributes": {}}
    assert row_of(entity, raw % word) == {column: word, "attributes": {}}


@pytest.mark.parametrize(("short", "word"), [("m", "MALE"), ("F", "FEMALE")])
def test_a_gender_may_be_one_letter(short: str, word: str) -> None:
    raw = f'{{"demographics": {{"gender": "{short}"}}}}'
    assert row_of("contacts", raw) == {"gender": word, "attributes": {}}


@pytest.mark.parametrize(("code", "name", "is_running"), STATUSES)
def test_a_tenant_status_is_a_number_digits_or_a_name(
    code: int, name: str, *, is_running: bool
) -> None:
    expected = {"status_code": code, "status": name, "is_running": is_running, "attributes": {}}
    for value in (str(code), f'"{code}"', f'"{name}"', f'" {name.upper()} "'):
        assert row_of("tenants", f'{{"status": {value}}}') == expected


def test_every_tenant_status_is_tried() -> None:
    assert {code: name for code, name, _ in STATUSES} == rosaas.STATUS_NAMES


def test_the_older_name_of_inactive_is_known() -> None:
    assert row_of("tenants", '{"status": "Deactive"}') == {
        "status_code": 10,
        "status": "Inactive",
        "is_running": False,
        "attributes": {},
    }


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        ("99", {"status_code": 99, "status": "99"}),
        ('"Paused"', {"status": "Paused"}),
        ("99999999999", {"status": "99999999999"}),
    ],
)
def test_an_unknown_tenant_status_is_kept_as_it_came(
    value: str, columns: dict[str, object]
) -> None:
    expected = {**columns, "is_running": False, "attributes": {}}
    assert row_of("tenants", f'{{"status": {value}}}') == expected


@pytest.mark.parametrize("value", ["true", '{"code": 7}', '[" "]'])
def test_a_tenant_status_of_another_kind_stays_in_attributes(value: str) -> None:
    raw = f'{{"status": {value}}}'
    assert row_of("tenants", raw) == {"attributes": as_spelled(raw)}
