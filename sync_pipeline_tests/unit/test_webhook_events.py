"""What a webhook's body says: keys, JSON, tenants, codes and contacts, without any I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sync_pipeline.webhooks.bodies import BadBodyError, check_type, read_object
from sync_pipeline.webhooks.codes import LIFECYCLE, NAMES
from sync_pipeline.webhooks.events import (
    NO_CONTACT,
    NO_TENANT,
    coded_event,
    lifecycle_event,
    rocs_event,
)
from sync_pipeline.webhooks.keys import Keys


@pytest.mark.parametrize(
    "headers",
    [
        [(b"api-key", b"one")],
        [(b"apikey", b"two")],
        [(b"authorization", b"one")],
        [(b"authorization", b"bearer  two ")],
        [(b"authorization", b"Basic abc"), (b"api-key", b"one")],
    ],
)
def test_any_key_in_any_of_the_headers_opens(headers: list[tuple[bytes, bytes]]) -> None:
    assert Keys.read("one, two").admit(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"api-key", b"")],
        [(b"api-key", b"one, two")],
        [(b"api-key", b"ONE")],
        [(b"x-api-key", b"one")],
        [(b"api-key", b"\xff\x00")],
        [(b"api-key", b"no")] * 100 + [(b"api-key", b"one")],
    ],
)
def test_nothing_else_opens(headers: list[tuple[bytes, bytes]]) -> None:
    assert not Keys.read("one, two").admit(headers)


def test_keys_are_not_shown() -> None:
    assert "one" not in repr(Keys.read("one"))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", 'Application/JSON ; charset="UTF-8"', "application/vnd.x+json"],
)
def test_json_in_utf8_is_taken(content_type: str) -> None:
    check_type(content_type, "")


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("", ""),
        ("text/plain", ""),
        ("application/x-www-form-urlencoded", ""),
        ("application/json; charset=utf-16", ""),
        ("application/json", "gzip"),
    ],
)
def test_anything_else_is_415(content_type: str, encoding: str) -> None:
    with pytest.raises(BadBodyError) as refused:
        check_type(content_type, encoding)
    assert refused.value.status == 415


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": 01}',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xc3"}',
        b'{"a": 1} x',
        b'{"a": "\x00"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadBodyError) as refused:
        read_object(raw)
    assert (refused.value.status, refused.value.field) == (400, "body")


@pytest.mark.parametrize(
    ("raw", "is_held"),
    [
        (b'{"a": "\\u0041"}', True),
        (b'{"a": "\\\\u0000"}', True),
        (b'{"a": "\\u0000"}', False),
        (b'{"a": "\\\\\\u0000"}', False),
        (b'{"\\ud800": 1}', False),
        (b'{"a": "\\ud83d\\ude80"}', True),
        (b'{"a": 1e400, "b": ' + b"9" * 5_000 + b"}", True),
        (b"\xef\xbb\xbf{}", True),
    ],
)
def test_what_jsonb_cannot_hold_is_kept_as_bytes_alone(raw: bytes, *, is_held: bool) -> None:
    body = read_object(raw)
    assert (body.raw, body.text is not None) == (raw, is_held)


@pytest.mark.parametrize("kind", LIFECYCLE)
def test_a_lifecycle_call_names_its_tenant_in_lower_case_beside_any_further_keys(kind: str) -> None:
    raw = b'{"adminEmail": "x@example.com", "TenantName": " Acme?EU "}'
    event = lifecycle_event(kind, read_object(raw))
    assert (event.source, event.event, event.kind, event.subject, event.payload_raw) == (
        "rosaas",
        kind,
        kind,
        "acme?eu",
        raw,
    )


@pytest.mark.parametrize("name", [None, "", " ", 5, True, [], {}, "a\u0000b", "a\nb", "x" * 201])
def test_a_lifecycle_call_without_a_name_is_refused_by_that_field(name: object) -> None:
    with pytest.raises(BadBodyError) as refused:
        lifecycle_event("creation", read_object(json.dumps({"tenantName": name}).encode()))
    assert (refused.value.status, refused.value.field) == (400, "tenantName")


@pytest.mark.parametrize(
    ("body", "event", "kind"),
    [
        *[({"EventCode": code}, name, None) for code, name in NAMES.items()],
        ({"eventcode": "3"}, NAMES[3], "healthy"),
        ({"EventType": 4}, NAMES[4], "unavailable"),
        ({"EVENTCODE": "Tenant.Availability.ChangedToHealthy"}, NAMES[3], "healthy"),
        ({"EventCode": 2, "MetaData": {"NewTenantStatus": "active"}}, NAMES[2], "activation"),
        ({"EventCode": 2, "MetaData": {"newtenantstatus": 10}}, NAMES[2], "deactivation"),
        ({"EventCode": 2, "MetaData": {"NewTenantStatus": "13"}}, NAMES[2], "deletion"),
        ({"EventCode": 2, "MetaData": {"NewTenantStatus": "Deactive"}}, NAMES[2], "deactivation"),
        ({"EventCode": 2, "MetaData": {"NewTenantStatus": [1]}}, NAMES[2], "status"),
        ({"EventCode": 2, "MetaData": 7}, NAMES[2], "status"),
        ({"EventCode": 99}, "code 99", "other"),
        ({"EventCode": "New.Thing"}, "New.Thing", "other"),
        ({"EventCode": "<b>"}, "unknown", "other"),
        ({}, "unknown", "other"),
    ],
)
def test_an_event_is_known_by_its_code_in_either_envelope(
    body: dict[str, object], event: str, kind: str | None
) -> None:
    found = coded_event(read_object(json.dumps(body | {"TenantSystemName": "Acme"}).encode()))
    assert (found.event, found.subject, found.error) == (event, "acme", None)
    assert kind in (None, found.kind)


def test_an_event_without_a_tenant_is_kept_and_says_so() -> None:
    event = coded_event(read_object(b'{"MetaData": {"ChangingDate": "2026-01-02T03:04:05"}}'))
    assert (event.subject, event.error) == (None, NO_TENANT)
    assert event.happened_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-02T03:04:05.1234567", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (20260102, None),
    ],
)
def test_times_of_events_are_utc_unless_they_say_otherwise(
    written: object, at: datetime | None
) -> None:
    body = json.dumps({"TenantSystemName": "a", "EventCode": 1, "Created": written})
    assert coded_event(read_object(body.encode())).happened_at == at


@pytest.mark.parametrize(
    ("body", "subject", "event"),
    [
        ({"contactId": 7, "eventType": "contact.update"}, "7", "contact.update"),
        ({"Contact_ID": "0007"}, "7", "unknown"),
        ({"contactId": 2**63 - 1}, str(2**63 - 1), "unknown"),
        ({"contact": {"Id": 7}}, "7", "unknown"),
        ({"data": {"contactId": 7}, "event": "x y"}, "7", "unknown"),
        ({"id": 7}, None, "unknown"),
        ({"contactId": "ada@example.com"}, None, "unknown"),
        ({"contactId": True}, None, "unknown"),
        ({"contactId": -5}, None, "unknown"),
        ({"contactId": 2**63}, None, "unknown"),
        ({"contactId": 11866.0}, None, "unknown"),
        ({"contactId": 1e300}, None, "unknown"),
        ({"contactId": "1e3"}, None, "unknown"),
        ({"contactId": "A-7"}, None, "unknown"),
        ({"contactId": "new"}, None, "unknown"),
        ({"contactId": "\u0667"}, None, "unknown"),
    ],
)
def test_a_rocs_event_is_a_hint_at_a_contact_where_it_names_one(
    body: dict[str, object], subject: str | None, event: str
) -> None:
    found = rocs_event(read_object(json.dumps(body).encode()))
    assert (found.source, found.subject, found.event) == ("rocs", subject, event)
    assert found.error == (None if subject else NO_CONTACT)
