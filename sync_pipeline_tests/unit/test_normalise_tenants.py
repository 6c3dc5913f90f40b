"""RoSaaS tenants as whole frames."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pandas.testing import assert_frame_equal

from sync_pipeline.entities import TENANTS
from sync_pipeline.mapping import rosaas
from sync_pipeline.normalise.tenants import normalise_tenants
from sync_pipeline_tests.canonical import OBSERVED_AT, as_spelled, frame_of, record, row_of

# The vendor's page prints no tenant; these have the fields of its published server's answers.
LISTED = {
    "id": "8f7e0a52-0000-4000-8000-000000000001",
    "subscriptionId": "8f7e0a52-0000-4000-8000-000000000001",
    "tenantId": "8f7e0a52-0000-4000-8000-000000000002",
    "displayName": "Blue Ltd",
    "systemName": "Blue-Ltd",
    "healthCheckUrl": "https://blue.example/health",
    "healthCheckUrlIsOverridden": False,
    "isActive": True,
    "status": 7,
    "startDate": "2024-01-31T08:00:00",
    "endDate": None,
    "plan": {"id": "p-1", "systemName": "basic", "displayName": "Basic"},
    "createdDate": "2024-01-30T23:59:59.1234567",
    "editedDate": "2024-02-01T00:00:00Z",
}
DETAIL = {name: LISTED[name] for name in LISTED if name not in ("id", "subscriptionId", "tenantId")}
DETAIL |= {
    "step": 2,
    "status": "CreatedAsActive",
    "metadata": '{"seats": 5}',
    "specifications": [{"systemName": "seats", "value": "5"}],
    "lastResetDate": None,
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


def test_one_row_per_tenant_from_its_list_item_and_its_detail() -> None:
    both = record(json.dumps(DETAIL), record_id="blue-ltd", listed=json.dumps(LISTED))
    bare = record("", record_id="grey", listed='{"systemName": " GREY ", "status": 14}')
    normalised = normalise_tenants([both, bare])
    left = {
        "healthCheckUrl": "https://blue.example/health",
        "healthCheckUrlIsOverridden": False,
        "plan": {"id": "p-1", "displayName": "Basic"},
        "lastResetDate": None,
    }
    rows = [
        {
            "scope": "blue-ltd",
            "tenant_name": "blue-ltd",
            "tenant_id": "8f7e0a52-0000-4000-8000-000000000002",
            "subscription_id": "8f7e0a52-0000-4000-8000-000000000001",
            "display_name": "Blue Ltd",
            "status_code": 4,
            "status": "CreatedAsActive",
            "step": 2,
            "is_running": True,
            "subscription_is_active": True,
            "plan": "basic",
            "started_at": datetime(2024, 1, 31, 8, tzinfo=UTC),
            "metadata": '{"seats": 5}',
            "specifications": '[{"systemName": "seats", "value": "5"}]',
            "source_created_at": datetime(2024, 1, 30, 23, 59, 59, 123456, tzinfo=UTC),
            "source_updated_at": datetime(2024, 2, 1, tzinfo=UTC),
        },
        {
            "scope": "grey",
            "tenant_name": "grey",
            "status_code": 14,
            "status": "Failure",
            "is_running": False,
            "attributes": "{}",
        },
    ]
    expected = frame_of(
        TENANTS, [row | {"raw_hash": b"hash", "observed_at": OBSERVED_AT} for row in rows]
    )
    (attributes, _) = normalised.frame["attributes"]
    assert json.loads(attributes) == left
    expected.loc[0, "attributes"] = attributes
    assert normalised.rejects == []
    assert_frame_equal(normalised.frame, expected)


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    assert_frame_equal(normalise_tenants([]).frame, frame_of(TENANTS, []))


def test_a_tenant_without_a_status_says_nothing_about_running() -> None:
    assert row_of("rosaas/tenants", '{"status": null}') == {"attributes": {}}


def test_a_status_with_nul_in_it_stays_in_attributes_too() -> None:
    assert row_of("rosaas/tenants", r'{"status": "Pau\u0000sed"}') == {
        "status": "Paused",
        "is_running": False,
        "attributes": {"status": r"Pau\u0000sed"},
    }


@pytest.mark.parametrize(("code", "name", "is_running"), STATUSES)
def test_a_tenant_status_is_a_number_digits_or_a_name(
    code: int, name: str, *, is_running: bool
) -> None:
    expected = {"status_code": code, "status": name, "is_running": is_running, "attributes": {}}
    for value in (str(code), f'"{code}"', f'"{name}"', f'" {name.upper()} "'):
        assert row_of("rosaas/tenants", f'{{"status": {value}}}') == expected


def test_every_tenant_status_is_tried() -> None:
    assert {code: name for code, name, _ in STATUSES} == rosaas.STATUS_NAMES


def test_the_older_name_of_inactive_is_known() -> None:
    assert row_of("rosaas/tenants", '{"status": "Deactive"}') == {
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
    assert row_of("rosaas/tenants", f'{{"status": {value}}}') == expected


@pytest.mark.parametrize("value", ["true", '{"code": 7}', '[" "]'])
def test_a_tenant_status_of_another_kind_stays_in_attributes(value: str) -> None:
    raw = f'{{"status": {value}}}'
    assert row_of("rosaas/tenants", raw) == {"attributes": as_spelled(raw)}
