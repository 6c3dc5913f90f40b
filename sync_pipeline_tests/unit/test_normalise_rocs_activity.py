"""ROCS communications, lists of contacts and campaigns as whole frames."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sync_pipeline_tests.canonical import as_spelled, assert_frame, record, row_of

CREATED_AT = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)


def test_one_row_per_communication() -> None:
    full = {
        "id": 501,
        "contactId": 11866,
        "campaignId": 77,
        "channelType": "inApp",
        "status": "Completed",
        "name": " Birthday ",
        "subject": " Gratulerer ",
        "body": "Hei, Kari!\r\n",
        "sender": "post@shop.example",
        "recipient": "kari@post.example",
        "language": "EN",
        "isViewed": True,
        "viewedDate": "2024-03-01T01:00:00+02:00",
        "isArchived": False,
        "clickedDate": "0001-01-01T00:00:00",
        "createdDate": "2024-02-29T23:59:59.1234567",
    }
    assert_frame(
        "rocs/communications",
        [
            record("", record_id="501", listed=json.dumps(full)),
            record("", record_id="502", listed='{"id": 502, "status": "Bounced"}'),
        ],
        {
            "scope": "501",
            "communication_id": "501",
            "contact_id": "11866",
            "state": "COMPLETED",
            "channel": "INAPP",
            "is_viewed": True,
            "viewed_at": datetime(2024, 2, 29, 23, tzinfo=UTC),
            "is_archived": False,
            "language": "en",
            "sender": "post@shop.example",
            "recipient": "kari@post.example",
            "subject": " Gratulerer ",
            "content": "Hei, Kari!\r\n",
            "plan_name": "Birthday",
            "source_created_at": CREATED_AT,
            "attributes": '{"campaignId": 77, "clickedDate": "0001-01-01T00:00:00"}',
        },
        # Unlike at CRM.COM, nothing but the row itself says whose it is.
        {"scope": "502", "communication_id": "502", "state": "Bounced", "attributes": "{}"},
    )


def test_one_row_per_list_of_contacts() -> None:
    full = {
        "id": 9,
        "name": " Friends ",
        "description": "",
        "listType": "Dynamic",
        "status": "ACTIVE",
        "memberCount": 12_345,
        "createdDate": "2024-02-29T23:59:59.1234567",
        "modifiedDate": "2024-03-01",
        "query": {"gender": "F", "shoeSize": 42.0},
    }
    assert_frame(
        "rocs/contact_lists",
        [
            record("", record_id="9", listed=json.dumps(full)),
            record("", record_id="10", listed='{"id": 10, "memberCount": 2147483648}'),
        ],
        {
            "scope": "9",
            "list_id": "9",
            "display_name": "Friends",
            "type": "Dynamic",
            "status": "ACTIVE",
            "member_count": 12_345,
            "source_created_at": CREATED_AT,
            "source_updated_at": datetime(2024, 3, 1, tzinfo=UTC),
            "attributes": '{"query": {"gender": "F", "shoeSize": 42.0}}',
        },
        {"scope": "10", "list_id": "10", "attributes": '{"memberCount": 2147483648}'},
    )


def test_one_row_per_campaign_with_its_statistics() -> None:
    full = {
        "id": 77,
        "name": " May ",
        "status": "Finished",
        "channelType": "Email",
        "subject": " Spring ",
        "startDate": "2024-05-01T06:00:00",
        "endDate": "2024-05-31T06:00:00Z",
        "createdDate": "2024-02-29T23:59:59.1234567",
        "modifiedDate": "2024-06-01T00:00:00",
        "statistics": {
            "sent": 1000,
            "delivered": "990",
            "viewed": 400.0,
            "clicked": 30,
            "bounced": 10,
            "unsubscribed": 0,
            "openRate": 0.40,
            "links": [{"url": "https://shop.example", "clicks": 30}],
        },
    }
    bare = '{"id": 78, "statistics": {"sent": null, "viewed": 1.5, "clicked": -1}}'
    assert_frame(
        "rocs/campaigns",
        [
            record("", record_id="77", listed=json.dumps(full)),
            record("", record_id="78", listed=bare),
        ],
        {
            "scope": "77",
            "campaign_id": "77",
            "display_name": "May",
            "status": "Finished",
            "channel": "EMAIL",
            "subject": " Spring ",
            "sent_count": 1000,
            "delivered_count": 990,
            "viewed_count": 400,
            "clicked_count": 30,
            "bounced_count": 10,
            "unsubscribed_count": 0,
            "started_at": datetime(2024, 5, 1, 6, tzinfo=UTC),
            "ended_at": datetime(2024, 5, 31, 6, tzinfo=UTC),
            "source_created_at": CREATED_AT,
            "source_updated_at": datetime(2024, 6, 1, tzinfo=UTC),
            "attributes": """{"statistics":
                {"openRate": 0.4, "links": [{"url": "https://shop.example", "clicks": 30}]}}""",
        },
        {
            "scope": "78",
            "campaign_id": "78",
            "clicked_count": -1,
            "attributes": '{"statistics": {"viewed": 1.5}}',
        },
    )


@pytest.mark.parametrize("stream", ["rocs/communications", "rocs/contact_lists", "rocs/campaigns"])
def test_no_records_make_an_empty_frame_of_the_same_columns(stream: str) -> None:
    assert_frame(stream, [])


@pytest.mark.parametrize("statistics", ['"none yet"', "[]", "[1]", "7"])
def test_statistics_that_are_no_object_stay_in_attributes(statistics: str) -> None:
    raw = f'{{"statistics": {statistics}}}'
    assert row_of("rocs/campaigns", raw) == {"attributes": as_spelled(raw)}


def test_where_the_contact_of_a_communication_is_not_said_none_is_made_up() -> None:
    assert row_of("rocs/communications", '{"contactId": null}') == {"attributes": {}}
