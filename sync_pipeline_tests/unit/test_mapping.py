"""Every line of the mappings: one field of a source goes to its column and nowhere else."""

from __future__ import annotations

import json
from itertools import groupby, pairwise, product
from string import ascii_lowercase

import pytest

from sync_pipeline.entities import CRMCOM_CONTACTS, ROCS_CONTACTS, ROSAAS_TENANTS, STREAMS, Stream
from sync_pipeline.mapping import crmcom
from sync_pipeline.mapping.languages import LANGUAGES
from sync_pipeline.mapping.pushable import ANY_KEY, PUSHABLE, is_creation
from sync_pipeline.mapping.writes import WRITABLE
from sync_pipeline.normalise import codes
from sync_pipeline_tests.canonical import NORMALISERS, as_spelled, record, row_of
from sync_pipeline_tests.unit.mapping_lines import KEYS, LINES, Line

ANOTHER = '["another"]'
# Columns that no field of the stream fills, or several together (tested with the stream).
UNFILLED: dict[str, set[str]] = {stream: set[str]() for stream in LINES} | {
    "crmcom/contacts": {"status", "external_id", "organisation_id"}
    | {"source_created_at", "source_updated_at"},
    "rocs/contacts": {"code", "title", "middle_name", "company_name", "phone_country"}
    | {"language", "country", "consent_state", "source_created_at", "source_updated_at"}
    | {"email_opt_out", "sms_opt_out"},
    "rosaas/tenants": {"status", "status_code", "is_running"},
}

_CHANNELS = {word: word for word in ("EMAIL", "SMS", "INAPP", "DEVICE")}
_STATES = {word: word for word in ("PENDING", "COMPLETED", "REJECTED")}
_GENDERS = {"MALE": "MALE", "FEMALE": "FEMALE", "OTHER": "OTHER", "M": "MALE", "F": "FEMALE"}

# The words of each enumeration, and the canonical ones.
WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("crmcom/contacts", "type"): {"PERSON": "PERSON", "COMPANY": "COMPANY"},
    ("crmcom/contacts", "gender"): _GENDERS,
    ("crmcom/communications", "state"): _STATES,
    ("crmcom/communications", "channel"): _CHANNELS,
    ("crmcom/approval_requests", "state"): {
        word: word for word in ("PENDING", "APPROVED", "REJECTED")
    },
    ("crmcom/approval_requests", "entity_type"): {
        "ORDER": "ORDERS",
        "ORDERS": "ORDERS",
        "SERVICE_REQUEST": "SERVICE_REQUESTS",
        "SERVICE_REQUESTS": "SERVICE_REQUESTS",
        "REWARD_OFFER": "REWARD_OFFERS",
        "REWARD_OFFERS": "REWARD_OFFERS",
        "ORGANISATION": "ORGANISATIONS",
        "ORGANISATIONS": "ORGANISATIONS",
    },
    ("rocs/contacts", "gender"): _GENDERS,
    ("rocs/communications", "state"): _STATES,
    ("rocs/communications", "channel"): _CHANNELS,
    ("rocs/campaigns", "channel"): _CHANNELS,
}

LINES_OF_STREAMS = [(stream, line) for stream, lines in LINES.items() for line in lines]
KEYS_OF_STREAMS = [(stream, line) for stream, lines in KEYS.items() for line in lines]
FLAGS = [(stream, line) for stream, line in LINES_OF_STREAMS if line.expected is True]
TEXTS = [
    (stream, line)
    for stream, line in LINES_OF_STREAMS
    if line.value == json.dumps(f" {line.expected} ", ensure_ascii=False)
]
NAMES_OF_COLUMNS = [
    (stream, list(lines))
    for stream in LINES
    for _, lines in groupby([*KEYS[stream], *LINES[stream]], lambda line: line.column)
]
WORDS_OF_COLUMNS = [
    (stream, column, word, canonical)
    for (stream, column), words in WORDS.items()
    for word, canonical in words.items()
]


def holding(*values: tuple[str, str]) -> str:
    """Return the record that has these values, as JSON, at these paths."""
    members: dict[str, str] = {}
    nested: dict[str, list[tuple[str, str]]] = {}
    for path, value in values:
        name, _, rest = path.partition(".")
        if rest:
            nested.setdefault(name, []).append((rest, value))
        else:
            members[name] = value
    members |= {name: holding(*inner) for name, inner in nested.items()}
    return "{" + ", ".join(f"{json.dumps(n)}: {value}" for n, value in members.items()) + "}"


@pytest.mark.parametrize(("stream", "line"), LINES_OF_STREAMS)
def test_a_field_fills_its_column_and_no_other(stream: str, line: Line) -> None:
    raw = holding((line.path, line.value))
    assert row_of(stream, raw) == {line.column: line.expected, "attributes": {}}


@pytest.mark.parametrize(("stream", "line"), FLAGS)
def test_a_flag_is_a_boolean_too(stream: str, line: Line) -> None:
    for value in (True, False):
        raw = holding((line.path, json.dumps(value)))
        assert row_of(stream, raw) == {line.column: value, "attributes": {}}


@pytest.mark.parametrize(("stream", "line"), TEXTS)
def test_zero_is_a_text_like_any_other(stream: str, line: Line) -> None:
    raw = holding((line.path, '"0"'))
    assert row_of(stream, raw) == {line.column: "0", "attributes": {}}


@pytest.mark.parametrize(("stream", "line"), KEYS_OF_STREAMS)
def test_the_record_says_its_key(stream: str, line: Line) -> None:
    raw = holding((line.path, line.value))
    assert row_of(stream, raw, record_id=str(line.expected)) == {"attributes": {}}
    (reject,) = NORMALISERS[stream]([record(raw, record_id="another")]).rejects
    assert reject.code == "foreign_id"
    assert row_of(stream, holding((line.path, '"0"')), record_id="0") == {"attributes": {}}


@pytest.mark.parametrize(("stream", "lines"), NAMES_OF_COLUMNS)
def test_of_the_names_of_a_column_the_first_counts_and_each_other_stays(
    stream: str, lines: list[Line]
) -> None:
    for line, other in pairwise(lines):
        if other.path == line.path.partition(".")[0]:
            continue  # one record cannot have both
        raw = holding((line.path, line.value), (other.path, ANOTHER))
        stays = {"attributes": as_spelled(holding((other.path, ANOTHER)))}
        if line in KEYS[stream]:
            assert row_of(stream, raw, record_id=str(line.expected)) == stays
        else:
            assert row_of(stream, raw) == {line.column: line.expected} | stays


def test_every_line_of_the_mappings_is_tried() -> None:
    mapped = {
        stream: [(field.column, path) for field in normaliser.fields for path in field.paths]
        for stream, normaliser in NORMALISERS.items()
    }
    tried = {
        stream: [(line.column, line.path) for line in [*KEYS[stream], *LINES[stream]]]
        for stream in STREAMS
    }
    assert {s: sorted(lines) for s, lines in mapped.items()} == {
        s: sorted(lines) for s, lines in tried.items()
    }


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_is_filled_by_some_field_or_known_not_to_be(stream: str) -> None:
    filled = {line.column for line in [*KEYS[stream], *LINES[stream]]}
    assert filled & UNFILLED[stream] == set()
    assert filled | UNFILLED[stream] == set(NORMALISERS[stream].entity.columns)


@pytest.mark.parametrize("stream", STREAMS)
def test_no_member_that_has_a_column_is_listed_among_those_without_one(stream: str) -> None:
    normaliser = NORMALISERS[stream]
    mapped = {path for field in normaliser.fields for path in field.paths}
    assert mapped & normaliser.besides == set()


@pytest.mark.parametrize(("stream", "column", "word", "canonical"), WORDS_OF_COLUMNS)
def test_a_known_word_is_read_in_any_case(
    stream: str, column: str, word: str, canonical: str
) -> None:
    path = next(line.path for line in LINES[stream] if line.column == column)
    for spelling in (word, word.lower(), f" {word.title()} "):
        raw = holding((path, json.dumps(spelling)))
        assert row_of(stream, raw) == {column: canonical, "attributes": {}}


@pytest.mark.parametrize(("stream", "column"), WORDS)
def test_an_unknown_word_is_kept_as_it_came(stream: str, column: str) -> None:
    for path in [line.path for line in LINES[stream] if line.column == column]:
        assert row_of(stream, holding((path, '"Newly Made"'))) == {
            column: "Newly Made",
            "attributes": {},
        }


def test_every_word_of_the_mappings_is_tried() -> None:
    assert {
        (stream, field.column): field.keywords
        for stream, normaliser in NORMALISERS.items()
        for field in normaliser.fields
        if field.keywords is not None
    } == WORDS


def test_what_may_be_asked_for_is_what_can_be_written() -> None:
    asked: dict[str, set[str]] = {}
    for one in PUSHABLE:
        if not one.field.endswith(ANY_KEY):
            asked.setdefault(str(one.stream), set()).add(one.field)
    assert asked == {stream: {*fields} for stream, fields in WRITABLE.items()}
    for version, fields in crmcom.CONTACT_WRITES.items():
        assert {*fields} == {
            one.field
            for one in PUSHABLE
            if one.stream == CRMCOM_CONTACTS
            and not one.field.endswith(ANY_KEY)
            and version in (one.api_versions or (version,))
        }


def test_a_record_may_be_given_just_the_languages_that_a_reading_can_bring() -> None:
    pairs = ("".join(pair) for pair in product(ascii_lowercase, repeat=2))
    assert list(LANGUAGES) == [pair for pair in pairs if codes.language(pair) == pair]


@pytest.mark.parametrize(
    ("stream", "record_id", "is_asked"),
    [(ROCS_CONTACTS, "new", True), (ROCS_CONTACTS, "7", False), (ROSAAS_TENANTS, "new", False)],
)
def test_new_is_an_id_like_others_where_nothing_can_be_created(
    stream: Stream, record_id: str, *, is_asked: bool
) -> None:
    assert is_creation(stream, record_id) is is_asked
