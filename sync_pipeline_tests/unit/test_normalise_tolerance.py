"""What the vendors write in more than one way reads as one: a table, rule by rule.

The finer points of each rule are tested with the form of value, the mapping or the stream.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sync_pipeline_tests.canonical import row_of

AT = datetime(2020, 3, 10, 13, 27, 45, tzinfo=UTC)
BORN = date(2018, 10, 16)
CREATED = '{"createdDate": %s}'
PARTS = '{"demographics": {"date_of_birth": %s}}'
ACTIVE: dict[str, object] = {"status_code": 7, "status": "Active", "is_running": True}

# Rule → stream, a record around the value, and for each value the columns and what is left.
RULES: dict[str, tuple[str, str, list[tuple[str, dict[str, object], dict[str, object]]]]] = {
    "a boolean is a boolean, a text, a number or nothing": (
        "crmcom/contacts",
        '{"sms_opt_out": %s}',
        [
            ("true", {"sms_opt_out": True}, {}),
            ('"true"', {"sms_opt_out": True}, {}),
            ('"False"', {"sms_opt_out": False}, {}),
            ("1", {"sms_opt_out": True}, {}),
            ("null", {}, {}),
        ],
    ),
    "an epoch is a number or a text, of seconds or milliseconds, or a placeholder": (
        "crmcom/communications",
        '{"clicked_on": %s}',
        [
            ("1583846865", {"clicked_at": AT}, {}),
            ('"1583846865"', {"clicked_at": AT}, {}),
            ("1583846865000", {"clicked_at": AT}, {}),
            ("1", {}, {"clicked_on": "1"}),
            (
                "129876567",
                {"clicked_at": datetime(1974, 2, 12, 4, 49, 27, tzinfo=UTC)},
                {},
            ),
        ],
    ),
    "an instant of RoSaaS has an offset or none, and up to seven digits": (
        "rosaas/tenants",
        CREATED,
        [
            ('"2020-03-10T13:27:45"', {"source_created_at": AT}, {}),
            ('"2020-03-10T13:27:45Z"', {"source_created_at": AT}, {}),
            ('"2020-03-10T15:27:45.0000000+02:00"', {"source_created_at": AT}, {}),
        ],
    ),
    "an instant of ROCS has an offset or none": (
        "rocs/communications",
        CREATED,
        [
            ('"2020-03-10T13:27:45"', {"source_created_at": AT}, {}),
            ('"2020-03-10T08:57:45-04:30"', {"source_created_at": AT}, {}),
            ('"0001-01-01T00:00:00"', {}, {"createdDate": "0001-01-01T00:00:00"}),
        ],
    ),
    "a date in parts has texts among them, or is partial": (
        "crmcom/contacts",
        PARTS,
        [
            ('{"year": 2018, "month": 10, "day": "16"}', {"birth_on": BORN}, {}),
            (
                '{"year": 2018, "month": 10}',
                {},
                {"demographics": {"date_of_birth": {"year": "2018", "month": "10"}}},
            ),
        ],
    ),
    "a date of birth of ROCS is shifted by a time zone": (
        "rocs/contacts",
        '{"dob": %s}',
        [
            ('"2018-10-16T00:00:00"', {"birth_on": BORN}, {}),
            ('"2018-10-16T02:00:00"', {"birth_on": BORN}, {"dob": "2018-10-16T02:00:00"}),
        ],
    ),
    "an enumeration is open and in any case": (
        "crmcom/communications",
        '{"channel": %s}',
        [
            ('"EMAIL"', {"channel": "EMAIL"}, {}),
            ('"inapp"', {"channel": "INAPP"}, {}),
            ('"WhatsApp"', {"channel": "WhatsApp"}, {}),
        ],
    ),
    "an approved entity is named in singular or plural": (
        "crmcom/approval_requests",
        '{"entity": {"type": %s}}',
        [
            ('"ORDER"', {"entity_type": "ORDERS"}, {}),
            ('"ORDERS"', {"entity_type": "ORDERS"}, {}),
            ('"REFUND"', {"entity_type": "REFUND"}, {}),
        ],
    ),
    "a status is a number or a name": (
        "rosaas/tenants",
        '{"status": %s}',
        [
            ("7", ACTIVE, {}),
            ('"7"', ACTIVE, {}),
            ('"Active"', ACTIVE, {}),
            ("70", {"status_code": 70, "status": "70", "is_running": False}, {}),
        ],
    ),
    "a field has the name of either version": (
        "crmcom/contacts",
        "{%s}",
        [
            ('"email_address": "A@B.cy"', {"email": "a@b.cy"}, {}),
            ('"email": "A@B.cy"', {"email": "a@b.cy"}, {}),
            ('"preferred_language_code": "ENG"', {"language": "en"}, {}),
            ('"language_code": "EN"', {"language": "en"}, {}),
            ('"Email": "A@B.cy"', {}, {"Email": "A@B.cy"}),
        ],
    ),
    "JSON stands inside a text or does not": (
        "rosaas/tenants",
        '{"metadata": %s}',
        [
            (r'"{\"seats\": 5}"', {"metadata": {"seats": 5}}, {}),
            ('{"seats": 5}', {"metadata": {"seats": 5}}, {}),
            ('"five seats"', {"metadata": "five seats"}, {}),
            ('"null"', {}, {"metadata": "null"}),
        ],
    ),
    "an id is text of any shape, or a number": (
        "crmcom/communications",
        '{"contact_id": %s}',
        [
            (
                '"CAD1E31269B76D7A65ACCE45B2E68DFD"',
                {"contact_id": "CAD1E31269B76D7A65ACCE45B2E68DFD"},
                {},
            ),
            (
                '"b2157d75-7959-83dc-fdfa-cacba764d4d4"',
                {"contact_id": "b2157d75-7959-83dc-fdfa-cacba764d4d4"},
                {},
            ),
            ("11866", {"contact_id": "11866"}, {}),
            ('"0042"', {"contact_id": "0042"}, {}),
        ],
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_way_of_writing_a_value_is_read(rule: str) -> None:
    stream, around, values = RULES[rule]
    for value, columns, left in values:
        assert row_of(stream, around % value) == {**columns, "attributes": left}
