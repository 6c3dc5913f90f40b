"""What an error says: the API's own words, without what was sent and without people."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sync_pipeline.errors import (
    RecordNotFoundError,
    RequestRefusedError,
    SourceError,
    TransientSourceError,
)
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import NotThatShapeError, members, records, utf8_text
from sync_pipeline.sources.refusals import check_status, cleaned

CALL = Call("GET", "/things/{id}", ids=("id/1",))
ENDPOINT = Endpoint("Test API", "https://api.test", "TEST_BASE_URL", 5, 1, ("hunter2",))

# Vendor sample, CRM.COM "4XX ERROR RESPONSE EXAMPLE", as printed.
CRMCOM_NOT_FOUND = b"""
{
"status": 400,
"message": "Record not found.",
"error": "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION",
"parameters": [
"contact",
"789dacae-cf71-414f-9483-ca88acaa46432"
]
}
"""
# Vendor sample, RoSaaS "Error Response (400 Bad Request)", as printed.
ROSAAS_ERROR = b"""
{
"metadata": {
"errors": [
{
"message": "This Resource does not exist or may be deleted or You don't have access",
"sysCode": "1005",
"parameter": ""
}
],
"success": false
}
}
"""


def reply_of(body: bytes, status: int = 200, charset: str | None = None) -> Reply:
    return Reply(status, body, charset, None, datetime(2026, 3, 1, tzinfo=UTC))


def refusal(body: object, status: int = 400, sent: tuple[str, ...] = ()) -> SourceError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(SourceError) as caught:
        check_status(CALL, reply_of(raw, status), endpoint=ENDPOINT, sent=sent)
    return caught.value


def test_crmcom_sample_error_is_not_found_without_its_parameters() -> None:
    error = refusal(CRMCOM_NOT_FOUND)
    assert type(error) is RecordNotFoundError
    assert (error.code, error.detail) == ("CRM.EXCEPTIONS.NOTFOUNDEXCEPTION", "Record not found.")


def test_not_found_code_is_known_in_any_case() -> None:
    assert type(refusal({"error": "crm.NotFoundException"})) is RecordNotFoundError
    assert type(refusal({"error": "CRM.EXCEPTIONS.INVALID"})) is RequestRefusedError


def test_rosaas_sample_error_gives_code_and_message() -> None:
    error = refusal(ROSAAS_ERROR)
    assert type(error) is RequestRefusedError
    assert error.code == "1005"
    assert error.detail.startswith("This Resource does not exist")


def test_rosaas_error_is_read_in_pascal_case() -> None:
    body = {"Metadata": {"Errors": [{"Message": "No.", "SysCode": "1004"}], "Success": False}}
    assert (refusal(body).code, refusal(body).detail) == ("1004", "No.")


def test_all_null_error_object_says_nothing_more() -> None:
    body = {"status": 500, "message": None, "error": None, "parameters": None}
    error = refusal(body, 500)
    assert type(error) is TransientSourceError
    assert (error.code, error.detail) == (None, "")


def test_problem_details_gives_title_and_fields() -> None:
    body = {"title": "Bad input.", "status": 400, "errors": {"Name": ["'jo@crm.com' is bad"]}}
    assert refusal(body).detail == "Bad input. Fields: Name"


@pytest.mark.parametrize(
    "body",
    [b"", b"<!DOCTYPE html><p>jon@crm.com", b"<html>", b'{"message":', b"[1]", b'{"metadata":3}'],
)
def test_unreadable_error_bodies_are_not_repeated(body: bytes) -> None:
    assert refusal(body, 500).detail == ""


def test_plain_text_is_not_repeated_since_it_may_name_a_person() -> None:
    body = b"Contact Ola Nordmann failed\n   at Roaa.Stack()"
    assert "Ola" not in str(refusal(body, 500))
    assert refusal(body, 500).detail == ""


@pytest.mark.parametrize(
    "secret",
    ["hunter2", "HUNTER2", "id/1", "id%2F1", "Bearer tok.en", "jon.doe@crm.com", "+357 22 265566"],
)
def test_nothing_sent_and_nobody_is_repeated(secret: str) -> None:
    body = {"message": f"no access for {secret} here", "error": f"E.{secret}"}
    error = refusal(body, 403, sent=("Bearer tok.en",))
    assert secret not in f"{error!s} {error!r}"
    assert error.detail.endswith("… here")


def test_messages_become_one_short_line() -> None:
    assert cleaned("a\r\n\x1b[31mb\u2028c\x00", hidden=()) == "a [31mb c"
    assert len(cleaned("word " * 200, hidden=())) == 200


def test_short_values_are_hidden_as_words_only() -> None:
    assert cleaned("a tenant named a", hidden=("a",)) == "… tenant named …"


@pytest.mark.parametrize(
    ("body", "came"),
    [
        (b"", "an empty body"),
        (b"<!doctype html><p>", "an HTML page"),
        (b"<?xml version='1'?><html>", "an HTML page"),
        (b"maintenance", "text that is not JSON"),
        (b"<error/>", "text that is not JSON"),
        (b'{"a": 1', "JSON that breaks off at byte 7"),
        (b'{"a": "<html>', "JSON that breaks off at byte 13"),
        (b'{"a": 1,}', "JSON that is broken at byte 8"),
        (b'{"a\xff": 1}', "JSON that is not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "JSON"),
        (b"[1]", "JSON of another kind, an array"),
        (b'"no"', "JSON of another kind, a string"),
        (b"null", "JSON of another kind, null"),
        (b"7", "JSON of another kind, a number or truth value"),
    ],
)
def test_what_came_instead_of_an_object_is_said_in_words(body: bytes, came: str) -> None:
    with pytest.raises(NotThatShapeError) as caught:
        members(body)
    assert str(caught.value).startswith(came)
    assert caught.value.__cause__ is None


def test_records_keep_their_bytes() -> None:
    assert records(b' [ {"a" : 1.50} ,null, "\\u00e9"]') == (b'{"a" : 1.50}', b"null", b'"\\u00e9"')


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ("\ufeff{é}".encode(), None),
        ("{é}".encode(), "utf-8"),
        ("{é}".encode(), "no-such-charset"),
        ("{é}".encode(), "us-ascii"),
        ("{é}".encode("latin-1"), "ISO-8859-1"),
        ("{é}".encode("utf-16"), "utf-16"),
        ("{é}".encode("utf-16"), None),
        (" \r\n{é}\n".encode(), None),
    ],
)
def test_declared_character_sets_become_utf8(raw: bytes, charset: str | None) -> None:
    assert utf8_text(reply_of(raw, charset=charset)) == "{é}".encode()


def test_body_in_another_character_set_than_declared_is_refused() -> None:
    with pytest.raises(NotThatShapeError, match="declared character set"):
        utf8_text(reply_of(b"\x81\xff", charset="shift_jis"))
