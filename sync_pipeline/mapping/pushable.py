"""What may be written back: the fields of each stream, and which values each of them takes.

The one list of them: `migrate` puts it into the database (`push.fields`), where a request is held
to it. What a field is called in an API is in the other modules here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync_pipeline.entities import (
    CRMCOM_APPROVAL_REQUESTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_CONTACTS,
    ROSAAS_TENANTS,
    Stream,
)
from sync_pipeline.mapping.languages import LANGUAGES
from sync_pipeline.mapping.writes import INTERESTS

# The id under which a contact is asked for that is to be created.
NEW_RECORD = "new"
# The end of a field's name that stands for any key.
ANY_KEY = ".*"


@dataclass(frozen=True, slots=True)
class Value:
    """What a field takes: a JSON type, and of it those that match ``pattern`` or are ``words``.

    ``said`` is how that is told to a person. A pattern has the same meaning in Python and SQL.
    """

    json_type: str
    said: str
    pattern: str | None = None
    words: tuple[str, ...] | None = None
    is_clearable: bool = True


@dataclass(frozen=True, slots=True)
class Pushable:
    """One field of a stream; ``api_versions`` names those that have it, where not all do."""

    stream: Stream
    field: str
    value: Value
    api_versions: tuple[str, ...] | None = None
    is_for_new: bool = False
    """Whether a record may be created with it."""


_TEXT = Value("string", "text", r"\S")
_EMAIL = Value("string", "an e-mail address", r"^[^@\s]+@[^@\s]+$")
_PHONE = Value("string", "a phone number like +4791234567", r"^\+[1-9][0-9]{6,14}$")
_LANGUAGE = Value("string", "a language of ISO 639-1 like en", words=LANGUAGES)
_DAY = Value("string", "a date like 1980-05-17", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_FLAG = Value("boolean", "true or false", is_clearable=False)
_OBJECT = Value("object", "a JSON object", is_clearable=False)


def _one_of(*words: str, is_clearable: bool = False) -> Value:
    return Value("string", " or ".join(words), words=words, is_clearable=is_clearable)


_GENDER = _one_of("MALE", "FEMALE", "OTHER", is_clearable=True)
# What ROCS would call the third is not known.
_GENDER_AT_ROCS = _one_of("MALE", "FEMALE", is_clearable=True)
_WORD = Value("string", "text", r"\S", is_clearable=False)

_CRMCOM_CONTACT = (
    ("title", _TEXT, ("v1",)),
    ("first_name", _TEXT, None),
    ("middle_name", _TEXT, None),
    ("last_name", _TEXT, None),
    ("company_name", _TEXT, None),
    ("email", _EMAIL, None),
    ("phone", _PHONE, ("v2",)),
    ("language", _LANGUAGE, None),
    ("gender", _GENDER, None),
    ("birth_on", _DAY, None),
    ("email_opt_out", _FLAG, None),
    ("sms_opt_out", _FLAG, None),
    ("consent_state", _WORD, ("v1",)),
    (f"attributes.custom_fields{ANY_KEY}", _TEXT, None),
)
_ROCS_CONTACT = (
    ("first_name", _TEXT),
    ("last_name", _TEXT),
    ("email", _EMAIL),
    ("phone", _PHONE),
    ("gender", _GENDER_AT_ROCS),
    ("birth_on", _DAY),
    ("status", _WORD),
    ("type", _WORD),
    ("external_id", _TEXT),
    ("email_opt_out", _FLAG),
)
_TENANT_STATUS = _one_of("CreatedAsActive", "Active", "Inactive", "Failure", "Deleted")
_DONE = Value("boolean", "true", words=("true",), is_clearable=False)

PUSHABLE = (
    *(Pushable(CRMCOM_CONTACTS, field, value, has) for field, value, has in _CRMCOM_CONTACT),
    Pushable(CRMCOM_COMMUNICATIONS, "is_viewed", _FLAG),
    Pushable(CRMCOM_COMMUNICATIONS, "is_archived", _FLAG),
    Pushable(CRMCOM_APPROVAL_REQUESTS, "state", _one_of("APPROVED", "REJECTED")),
    *(Pushable(ROCS_CONTACTS, field, value, is_for_new=True) for field, value in _ROCS_CONTACT),
    Pushable(ROSAAS_TENANTS, "metadata", _OBJECT),
    Pushable(ROSAAS_TENANTS, "status", _TENANT_STATUS),
    Pushable(ROSAAS_TENANTS, "upgrade_applied", _DONE),
)
# The streams whose records can be created.
CREATABLE = frozenset(one.stream for one in PUSHABLE if one.is_for_new)


def is_creation(stream: Stream, record_id: str) -> bool:
    """Tell whether an update of this id asks for a record that is not there yet."""
    return stream in CREATABLE and record_id == NEW_RECORD


_OF_JSON = {
    "string": Value("string", "text"),
    "number": Value("number", "a number"),
    "boolean": Value("boolean", "true or false"),
    "object": Value("object", "a JSON object"),
    "array": Value("array", "a JSON array"),
    "any": Value("any", "any JSON"),
}


def json_of_rocs(types: Mapping[str, str]) -> tuple[Pushable, ...]:
    """Return the fields of ROCS's contacts that are JSON: ``types`` has the type of each.

    What is in them each customer of the vendor makes up.
    """
    return tuple(
        Pushable(ROCS_CONTACTS, field, _OF_JSON[json_type], is_for_new=field == INTERESTS)
        for field, json_type in types.items()
    )
