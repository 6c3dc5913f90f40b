"""CRM.COM approval requests as whole frames, of both versions."""

from __future__ import annotations

import pytest

from sync_pipeline_tests.canonical import as_spelled, assert_frame, record, row_of

STREAM = "crmcom/approval_requests"


def test_one_row_per_request_under_the_contact_whose_list_brought_it() -> None:
    v1 = """{"id": "8dfc2223-edca-f05d-820b-dc96ba9df2c2", "state": "APPROVED",
        "entity": {"id": "cf010c72-a2cb-48f8-a9fa-1ed99c8d6ec0", "type": "ORDER",
        "reference": "CO1234"}}"""
    v2 = """{"id": "8DFC2223EDCAF05D820BDC96BA9DF2C2", "state": "pending",
        "entity": {"id": "s-1", "type": "SERVICE_REQUESTS", "reference": "", "stage_id": "st-1"},
        "comments": " Not before May. "}"""
    assert_frame(
        STREAM,
        [
            record(v1, record_id="8dfc2223-edca-f05d-820b-dc96ba9df2c2", scope="c-1"),
            record(v2, record_id="8DFC2223EDCAF05D820BDC96BA9DF2C2", scope="c-2"),
        ],
        {
            "scope": "c-1",
            "approval_request_id": "8dfc2223-edca-f05d-820b-dc96ba9df2c2",
            "contact_id": "c-1",
            "state": "APPROVED",
            "entity_type": "ORDERS",
            "entity_id": "cf010c72-a2cb-48f8-a9fa-1ed99c8d6ec0",
            "entity_reference": "CO1234",
            "attributes": "{}",
        },
        {
            "scope": "c-2",
            "approval_request_id": "8DFC2223EDCAF05D820BDC96BA9DF2C2",
            "contact_id": "c-2",
            "state": "PENDING",
            "entity_type": "SERVICE_REQUESTS",
            "entity_id": "s-1",
            "attributes": '{"comments": " Not before May. ", "entity": {"stage_id": "st-1"}}',
        },
    )


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    assert_frame(STREAM, [])


@pytest.mark.parametrize("word", ["CANCELLED", "Deferred"])
def test_a_state_of_another_generation_is_kept_as_it_came(word: str) -> None:
    assert row_of(STREAM, f'{{"state": "{word}"}}') == {"state": word, "attributes": {}}


@pytest.mark.parametrize("entity", ["null", "{}"])
def test_a_request_about_nothing_has_nothing_in_its_columns(entity: str) -> None:
    assert row_of(STREAM, f'{{"entity": {entity}}}') == {"attributes": {}}


@pytest.mark.parametrize("entity", ['"ORDER"', '["ORDER"]', "7"])
def test_an_entity_that_is_no_object_stays_in_attributes(entity: str) -> None:
    raw = f'{{"entity": {entity}}}'
    assert row_of(STREAM, raw) == {"attributes": as_spelled(raw)}
