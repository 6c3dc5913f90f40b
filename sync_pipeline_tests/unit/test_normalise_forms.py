"""Each form of a value, through a column that has it: what it reads, and what it gives back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sync_pipeline.mapping.fields import Form
from sync_pipeline_tests.canonical import as_spelled, row_of


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # the parts of a date


# Form → stream, column, and a record around the value.
PLACES = {
    Form.TEXT: ("crmcom/contacts", "title", '{"title": %s}'),
    Form.VERBATIM: ("crmcom/communications", "subject", '{"subject": %s}'),
    Form.LOWER: ("crmcom/contacts", "email", '{"email_address": %s}'),
    Form.PHONE: ("crmcom/contacts", "phone", '{"phone": {"number": %s}}'),
    Form.LANGUAGE: ("crmcom/contacts", "language", '{"preferred_language_code": %s}'),
    Form.COUNTRY: ("crmcom/contacts", "country", '{"country_of_agreement": %s}'),
    Form.KEYWORD: ("crmcom/communications", "channel", '{"channel": %s}'),
    Form.BOOLEAN: ("crmcom/contacts", "email_opt_out", '{"email_opt_out": %s}'),
    Form.INTEGER: ("rosaas/tenants", "step", '{"step": %s}'),
    Form.EPOCH: ("crmcom/communications", "viewed_at", '{"viewed_on": %s}'),
    Form.INSTANT: ("rosaas/tenants", "started_at", '{"startDate": %s}'),
    Form.DAY_PARTS: ("crmcom/contacts", "birth_on", '{"demographics": {"date_of_birth": %s}}'),
    Form.DAY_OF_INSTANT: ("rocs/contacts", "birth_on", '{"dob": %s}'),
    Form.ID: ("rocs/contacts", "organisation_id", '{"organizationId": %s}'),
    Form.JSON: ("rosaas/tenants", "specifications", '{"specifications": %s}'),
    Form.JSON_TEXT: ("rosaas/tenants", "metadata", '{"metadata": %s}'),
}

READ = [
    (Form.TEXT, '"Dr"', "Dr"),
    (Form.TEXT, r'" \t Dr of\u00a0Law\n\u3000"', "Dr of\u00a0Law"),
    (Form.TEXT, '"Δρ Ελένη 李 😀"', "Δρ Ελένη 李 😀"),
    (Form.TEXT, r'"\ud83d\ude00"', "😀"),
    (Form.TEXT, "7", "7"),
    (Form.TEXT, "1.10", "1.10"),
    (Form.TEXT, "1E5", "1E5"),
    (Form.TEXT, "123456789012345678901234567890", "123456789012345678901234567890"),
    (Form.TEXT, "1e400", "1e400"),
    (Form.TEXT, "1" * 5000, "1" * 5000),
    (Form.TEXT, r'"\\u0000"', r"\u0000"),
    (Form.VERBATIM, r'"  Hello \n"', "  Hello \n"),
    (Form.VERBATIM, '" "', " "),
    (Form.LOWER, '" Jon@CRM.com "', "jon@crm.com"),
    (Form.LOWER, r'"\u0130X ÜÑÉ"', "i\u0307x üñé"),
    (Form.PHONE, '"+35722265577"', "+35722265577"),
    (Form.PHONE, '"+357 22 26 55 77"', "+35722265577"),
    (Form.LANGUAGE, '"EN"', "en"),
    (Form.LANGUAGE, '" eng "', "en"),
    (Form.LANGUAGE, '"GER"', "de"),
    (Form.LANGUAGE, '"deu"', "de"),
    (Form.COUNTRY, '"CYP"', "CY"),
    (Form.COUNTRY, '"cy"', "CY"),
    (Form.KEYWORD, '"email"', "EMAIL"),
    (Form.KEYWORD, '" InApp "', "INAPP"),
    (Form.KEYWORD, '" Pigeon "', "Pigeon"),
    (Form.KEYWORD, "3", "3"),
    (Form.BOOLEAN, "true", True),
    (Form.BOOLEAN, '"true"', True),
    (Form.BOOLEAN, '"False"', False),
    (Form.BOOLEAN, '" TRUE "', True),
    (Form.BOOLEAN, "1", True),
    (Form.BOOLEAN, "0", False),
    (Form.BOOLEAN, '"1"', True),
    (Form.INTEGER, "-1", -1),
    (Form.INTEGER, '" 3 "', 3),
    (Form.INTEGER, '"-1"', -1),
    (Form.INTEGER, "2.0", 2),
    (Form.INTEGER, "2147483647", 2147483647),
    (Form.EPOCH, "1583846865", utc(2020, 3, 10, 13, 27, 45)),
    (Form.EPOCH, '"1583846865"', utc(2020, 3, 10, 13, 27, 45)),
    (Form.EPOCH, "1583846865123", utc(2020, 3, 10, 13, 27, 45, 123000)),
    (Form.EPOCH, "253402300799999", utc(9999, 12, 31, 23, 59, 59, 999000)),
    (Form.EPOCH, "1583846865.5", utc(2020, 3, 10, 13, 27, 45, 500000)),
    (Form.EPOCH, "86400", utc(1970, 1, 2)),
    (Form.EPOCH, "129876567", utc(1974, 2, 12, 4, 49, 27)),
    (Form.EPOCH, "100000000000", utc(5138, 11, 16, 9, 46, 40)),
    (Form.INSTANT, '"2024-02-29T23:59:59.1234567"', utc(2024, 2, 29, 23, 59, 59, 123456)),
    (Form.INSTANT, '"2024-02-29T23:59:59"', utc(2024, 2, 29, 23, 59, 59)),
    (Form.INSTANT, '"2024-02-29T23:59:59.1Z"', utc(2024, 2, 29, 23, 59, 59, 100000)),
    (Form.INSTANT, '"2024-02-29T23:59:59-05:30"', utc(2024, 3, 1, 5, 29, 59)),
    (Form.INSTANT, '" 2024-02-29 "', utc(2024, 2, 29)),
    (Form.INSTANT, '"0002-01-01T00:00:00"', utc(2, 1, 1)),
    (Form.INSTANT, '"9999-12-31T23:59:59.999999"', utc(9999, 12, 31, 23, 59, 59, 999999)),
    (Form.DAY_PARTS, '{"year": 2018, "month": 10, "day": "16"}', date(2018, 10, 16)),
    (Form.DAY_PARTS, '{"day": "01", "month": " 2 ", "year": "0001"}', date(1, 2, 1)),
    (Form.DAY_PARTS, '{"year": 9999, "month": 12, "day": 31}', date(9999, 12, 31)),
    (Form.DAY_OF_INSTANT, '"1970-12-30T00:00:00"', date(1970, 12, 30)),
    (Form.DAY_OF_INSTANT, '" 1970-12-30T00:00:00.0000000 "', date(1970, 12, 30)),
    (Form.DAY_OF_INSTANT, '"1970-12-30"', date(1970, 12, 30)),
    (Form.DAY_OF_INSTANT, '"0002-01-01T00:00:00"', date(2, 1, 1)),
    (Form.DAY_OF_INSTANT, '"9999-12-31T00:00:00"', date(9999, 12, 31)),
    (Form.ID, "7", "7"),
    (Form.ID, '"7"', "7"),
    (Form.ID, '" A7 "', "A7"),
    (Form.ID, '"00"', "00"),
    (Form.ID, "123456789012345678901234567890", "123456789012345678901234567890"),
    (Form.JSON, '[{"value": 1.10, "é": null}]', [{"value": "1.10", "é": None}]),
    (Form.JSON, '"text"', "text"),
    (Form.JSON, "false", False),
    (Form.JSON, r'["a\u0000b"]', [r"a\u0000b"]),
    (Form.JSON_TEXT, r'"{\"size\": 1.10}"', {"size": "1.10"}),
    (Form.JSON_TEXT, '{"size": 1.10}', {"size": "1.10"}),
    (Form.JSON_TEXT, '" [1, 2] "', ["1", "2"]),
    (Form.JSON_TEXT, '"5"', "5"),
    (Form.JSON_TEXT, '"just words"', "just words"),
    (Form.JSON_TEXT, '" "', " "),
    (Form.JSON_TEXT, r'"{\"a\": 1"', '{"a": 1'),
    (Form.JSON_TEXT, r'"{\"a\": \"x\\u0000\"}"', {"a": r"x\u0000"}),
    (Form.JSON_TEXT, r'"words\u0000"', r"words\u0000"),
    # What PostgreSQL could not hold as JSON stays the text that it is.
    (Form.JSON_TEXT, r'"{\"a\": \"\\ud800\"}"', r'{"a": "\ud800"}'),
    (Form.JSON_TEXT, '"1e99999999999999999999"', "1e99999999999999999999"),
    (Form.JSON_TEXT, f'"{"[" * 101}{"]" * 101}"', "[" * 101 + "]" * 101),
]

# Value → what the column holds instead (null, but for what it could keep in part).
LOST: list[tuple[Form, str, object]] = [
    (Form.TEXT, "true", None),
    (Form.TEXT, '["a"]', None),
    (Form.TEXT, '{"a": 1}', None),
    (Form.TEXT, '"  "', None),
    (Form.TEXT, r'"\u0000"', None),
    (Form.TEXT, r'"D\u0000r"', "Dr"),
    (Form.VERBATIM, r'"a\u0000"', "a"),
    (Form.LOWER, "false", None),
    (Form.PHONE, '"22265577"', None),
    (Form.PHONE, '"+357 1"', None),
    (Form.PHONE, '"call me"', None),
    (Form.PHONE, '"+35722265577 ext. 5"', None),
    (Form.PHONE, f'"+{"1" * 300}"', None),
    (Form.LANGUAGE, '"xx"', None),
    (Form.LANGUAGE, '"grc"', None),
    (Form.LANGUAGE, '"english"', None),
    (Form.COUNTRY, '"ANT"', None),
    (Form.COUNTRY, '"RKS"', None),
    (Form.COUNTRY, "357", None),
    (Form.KEYWORD, "[1]", None),
    (Form.BOOLEAN, '"yes"', None),
    (Form.BOOLEAN, "2", None),
    (Form.BOOLEAN, "1.0", None),
    (Form.BOOLEAN, '{"value": true}', None),
    (Form.INTEGER, "true", None),
    (Form.INTEGER, "1.5", None),
    (Form.INTEGER, '"--5"', None),
    (Form.INTEGER, '"two"', None),
    (Form.INTEGER, "2147483648", None),
    (Form.INTEGER, f'"{"9" * 5000}"', None),
    (Form.INTEGER, "9" * 400, None),
    (Form.INTEGER, "1e400", None),
    (Form.EPOCH, "1", None),
    (Form.EPOCH, "86399", None),
    (Form.EPOCH, "0", None),
    (Form.EPOCH, "-5", None),
    (Form.EPOCH, "true", None),
    (Form.EPOCH, '"2020-03-10"', None),
    (Form.EPOCH, "253402300800000", None),
    (Form.EPOCH, "9" * 400, None),
    (Form.EPOCH, f'"{"9" * 5000}"', None),
    (Form.EPOCH, "1e308", None),
    (Form.EPOCH, "1e400", None),
    (Form.INSTANT, '"0001-01-01T00:00:00"', None),
    (Form.INSTANT, '"0001-01-01T00:00:00+03:00"', None),
    (Form.INSTANT, '"9999-12-31T23:59:59-05:30"', None),
    (Form.INSTANT, '"2023-02-29T00:00:00"', None),
    (Form.INSTANT, '"soon"', None),
    (Form.INSTANT, "1583846865", None),
    (Form.DAY_PARTS, '{"year": 2018, "month": 10}', None),
    (Form.DAY_PARTS, '{"month": 10, "day": 16}', None),
    (Form.DAY_PARTS, '{"year": 2023, "month": 2, "day": 29}', None),
    (Form.DAY_PARTS, '{"year": 2023, "month": "two", "day": 2}', None),
    (Form.DAY_PARTS, '{"year": 10000, "month": 1, "day": 1}', None),
    (Form.DAY_PARTS, '"2018-10-16"', None),
    (Form.DAY_PARTS, "[2018, 10, 16]", None),
    (Form.DAY_PARTS, '{"year": 2018, "month": 10, "day": 16, "hour": 3}', date(2018, 10, 16)),
    # The time, or the offset, tells that the date may be another one where the person was born.
    (Form.DAY_OF_INSTANT, '"1985-06-17T02:00:00"', date(1985, 6, 17)),
    (Form.DAY_OF_INSTANT, '"1985-06-16T23:59:59.999999"', date(1985, 6, 16)),
    (Form.DAY_OF_INSTANT, '"1985-06-17T00:00:00+02:00"', date(1985, 6, 17)),
    (Form.DAY_OF_INSTANT, '"1985-06-17T00:00:00Z"', date(1985, 6, 17)),
    (Form.DAY_OF_INSTANT, '"1985-06-17T01:00:00-05:30"', date(1985, 6, 17)),
    (Form.DAY_OF_INSTANT, '"0001-01-01T00:00:00"', None),
    (Form.DAY_OF_INSTANT, '"0001-01-01T02:00:00+03:00"', None),
    (Form.DAY_OF_INSTANT, '"1985-02-30T00:00:00"', None),
    (Form.DAY_OF_INSTANT, '"17.06.1985"', None),
    (Form.DAY_OF_INSTANT, '"1985"', None),
    (Form.DAY_OF_INSTANT, "19850617", None),
    (Form.DAY_OF_INSTANT, '{"year": 1985, "month": 6, "day": 17}', None),
    (Form.DAY_OF_INSTANT, r'"1985-06-17\u0000"', None),
    (Form.ID, "0", None),
    (Form.ID, '"0"', None),
    (Form.ID, '" 0 "', None),
    (Form.ID, "true", None),
    (Form.ID, '{"id": 7}', None),
    (Form.ID, r'"A\u00007"', "A7"),
    (Form.JSON_TEXT, '"null"', None),
]

EMPTY = [(form, value) for form in Form for value in ("null", '""')]


def test_every_form_is_tried() -> None:
    assert {form for form, _, _ in READ} == set(Form) == set(PLACES)


@pytest.mark.parametrize(("form", "value", "expected"), READ)
def test_a_value_is_read_and_leaves_nothing_behind(
    form: Form, value: str, expected: object
) -> None:
    stream, column, around = PLACES[form]
    assert row_of(stream, around % value) == {column: expected, "attributes": {}}


@pytest.mark.parametrize(("form", "value", "expected"), LOST)
def test_what_a_column_cannot_keep_stays_in_attributes_as_it_came(
    form: Form, value: str, expected: object
) -> None:
    stream, column, around = PLACES[form]
    kept = {} if expected is None else {column: expected}
    # But for NUL, which is shown as the text of its escape.
    as_it_came = as_spelled((around % value).replace(r"\u0000", r"\\u0000"))
    assert row_of(stream, around % value) == {**kept, "attributes": as_it_came}


@pytest.mark.parametrize(("form", "value"), EMPTY)
def test_null_and_empty_are_null_and_leave_nothing_behind(form: Form, value: str) -> None:
    stream, _, around = PLACES[form]
    assert row_of(stream, around % value) == {"attributes": {}}


@pytest.mark.parametrize("form", Form)
def test_a_missing_value_is_null(form: Form) -> None:
    stream, _, _ = PLACES[form]
    assert row_of(stream, "{}") == {"attributes": {}}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ('"22265577"', "+35722265577"),
        ("22265577", "+35722265577"),
        ('"(22) 26-55-77"', "+35722265577"),
        ('"0030 210 1234567"', "+302101234567"),
    ],
)
def test_a_phone_number_is_read_as_dialled_in_the_country_beside_it(
    number: str, expected: str
) -> None:
    phone = f'{{"phone": {{"number": {number}, "country_code": "CYP"}}}}'
    assert row_of("crmcom/contacts", phone) == {
        "phone_country": "CY",
        "phone": expected,
        "attributes": {},
    }


def test_a_phone_number_with_an_unknown_country_is_kept_raw_beside_it() -> None:
    phone = '{"phone": {"number": "22265577", "country_code": "RKS", "type": "MOBILE"}}'
    assert row_of("crmcom/contacts", phone) == {
        "attributes": {"phone": {"number": "22265577", "country_code": "RKS", "type": "MOBILE"}}
    }
