"""CRM.COM communications as whole frames."""

from __future__ import annotations

from datetime import UTC, datetime

from pandas.testing import assert_frame_equal

from sync_pipeline.entities import COMMUNICATIONS
from sync_pipeline.normalise.communications import normalise_communications
from sync_pipeline_tests.canonical import OBSERVED_AT, frame_of, record, row_of
from sync_pipeline_tests.vendor_samples import COMMUNICATION, COMMUNICATION_ITEM

CONTACT = "CAD1E31269B76D7A65ACCE45B2E68DFD"

VIEWED_AT = datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC)
IN_BOTH_SAMPLES = {
    "contact_id": CONTACT,
    "state": "PENDING",
    "channel": "EMAIL",
    "is_viewed": True,
    "viewed_at": VIEWED_AT,
    "is_archived": True,
    "language": "en",
    "sender": "dev@crm.com",
    "recipient": "jon@crm.com",
    "plan_name": "Happy Birthday",
}


def test_vendor_sample_of_the_list_arrives_in_its_columns() -> None:
    asked = "6A24D2B5E44F44B28451FE021FCAD51E"
    row = row_of("crmcom/communications", COMMUNICATION_ITEM, record_id=asked)
    assert row == {**IN_BOTH_SAMPLES, "attributes": {"clicked_on": "1"}}


def test_vendor_sample_of_a_single_one_has_the_id_that_was_asked_for() -> None:
    assert row_of("crmcom/communications", COMMUNICATION) == {
        **IN_BOTH_SAMPLES,
        "subject": "Award Provided",
        "content": "You have been awarded!",
        "source_created_at": VIEWED_AT,
        "attributes": {
            "contact": {"name": "John Johnson", "code": "C123"},
            "clicked_on": "1",
            "title": "New Festive Beverages",
            "subtitle": "20% discount for December",
            "in_app_image_url": "",
            "in_app_click_link_url": "",
        },
    }


def test_one_row_per_record_and_each_under_the_contact_whose_list_brought_it() -> None:
    normalised = normalise_communications(
        [
            record('{"id": "m-1", "is_viewed": "false"}', record_id="m-1", scope="c-1"),
            record('{"id": 2, "state": "Queued"}', record_id="2", scope="c-2"),
        ]
    )
    bookkeeping = {"attributes": "{}", "raw_hash": b"hash", "observed_at": OBSERVED_AT}
    expected: list[dict[str, object]] = [
        {"scope": "c-1", "communication_id": "m-1", "contact_id": "c-1", "is_viewed": False},
        {"scope": "c-2", "communication_id": "2", "contact_id": "c-2", "state": "Queued"},
    ]
    assert normalised.rejects == []
    assert_frame_equal(
        normalised.frame, frame_of(COMMUNICATIONS, [row | bookkeeping for row in expected])
    )


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    assert_frame_equal(normalise_communications([]).frame, frame_of(COMMUNICATIONS, []))


def test_subject_and_content_stay_verbatim_and_empty_ones_are_null() -> None:
    assert row_of("crmcom/communications", r'{"subject": "  Hi\r\n", "content": ""}') == {
        "subject": "  Hi\r\n",
        "attributes": {},
    }
