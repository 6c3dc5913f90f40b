"""What CRM.COM's writes come to: a contact's columns, a message's flags, an approval's answer.

Each version's own names; a name that it does not know is ignored, as its unknown filters are. Of
what the vendor documents only what the pipeline may push is written, the rest is ignored too.
Undocumented and chosen here: members of an object that are not sent stay, arrays are replaced,
an answer to a request that is not pending is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance
from .ids import guid
from .newborn import now
from .paging import BadQueryError
from .places import COUNTRIES, LANGUAGES
from .versions import V1

if TYPE_CHECKING:
    from .rows import ApprovalRequest, Communication, Contact, JsonObject, JsonValue
    from .versions import Version

_TEXTS = ("first_name", "middle_name", "last_name", "company_name")
_OF_V1 = ("title", "consent_state")
_FLAGS = ("sms_opt_out", "email_opt_out")
_WORDS = {"true": True, "false": False}
_CODES = {code: known for known, codes in LANGUAGES.items() for code in (*codes, known.upper())}
_ALPHA2 = {country.alpha3: alpha2 for alpha2, country in COUNTRIES.items()}
_STATES = {"ACCEPT": "APPROVED", "REJECT": "REJECTED"}
_DEMOGRAPHICS = frozenset(
    {"gender", "date_of_birth", "name_day", "passport", "id_details", "statutory_number"}
)


def contact_fields(body: JsonObject, row: Contact, version: Version) -> JsonObject:
    """Read the body of PUT `/contacts/{id}` as columns; raises BadQueryError."""
    columns = {name: name for name in (*_TEXTS, *(_OF_V1 if version is V1 else ()))}
    columns[version.email] = "email"
    fields: JsonObject = {column: body[name] for name, column in columns.items() if name in body}
    fields |= {name: flag(body, name, version) for name in _FLAGS if name in body}
    if version.language in body:
        fields["language"] = _language(version.language, body[version.language])
    if "demographics" in body:
        fields |= _demographics(body["demographics"])
    attributes: JsonObject = {}
    if "custom_fields" in body:
        attributes["custom_fields"] = _custom_fields(body["custom_fields"])
    if "phone" in body and version is not V1:
        fields |= _phone(body["phone"])
        if isinstance(body["phone"], dict):
            kept = row.attributes.get("phone")
            shown: JsonObject = {**kept} if isinstance(kept, dict) else {}
            shown.setdefault("id", guid("phone", row.contact_id))
            attributes["phone"] = shown | {"type": body["phone"]["type"]}
    return fields | {"attributes": attributes}


def communication_fields(body: JsonObject, row: Communication, version: Version) -> JsonObject:
    """Read the body of PUT `/communications/{id}/actions` as columns; raises BadQueryError."""
    if version is not V1 or not body:
        for name in ("viewed", "archived"):
            if name not in body:
                raise BadQueryError(400, name, "")
    fields: JsonObject = {}
    if "archived" in body:
        fields["is_archived"] = flag(body, "archived", version)
    if "viewed" in body:
        is_viewed = flag(body, "viewed", version)
        fields["is_viewed"] = is_viewed
        if is_viewed and not row.is_viewed:
            fields["viewed_at"] = now().isoformat()
        elif not is_viewed:
            fields["viewed_at"] = None
    return fields


def approval_fields(body: JsonObject, row: ApprovalRequest, version: Version) -> JsonObject:
    """Read the body of POST `/approval_requests/{id}/actions` as columns; raises BadQueryError."""
    state = _STATES.get(str(body.get("action")))
    if state is None or row.state != "PENDING":
        raise BadQueryError(400, "action", str(body.get("action")))
    fields: JsonObject = {"state": state}
    if version is not V1 and isinstance(body.get("comments"), str):
        fields["attributes"] = {"comments": body["comments"]}
    return fields


def other_id(contact_id: str) -> str:
    """Make the id that the answer to a consent carries: not the one of the path."""
    return guid("consent", contact_id, chance("consent", contact_id).randrange(10**6))


def flag(body: JsonObject, name: str, version: Version) -> bool:
    """Read a boolean; the first version also takes the words that it tells itself."""
    value = body[name]
    if version is V1 and isinstance(value, str):
        value = _WORDS.get(value.lower())
    if not isinstance(value, bool):
        raise BadQueryError(400, name, str(body[name]))
    return value


def _language(name: str, value: JsonValue) -> str | None:
    if value in (None, ""):
        return None
    known = _CODES.get(str(value).upper())
    if known is None:
        raise BadQueryError(400, name, str(value))
    return known


def _demographics(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise BadQueryError(400, "demographics", str(value))
    if unknown := value.keys() - _DEMOGRAPHICS:
        raise BadQueryError(400, "demographics", ", ".join(sorted(unknown)))
    fields: JsonObject = {}
    if "gender" in value:
        if value["gender"] not in ("FEMALE", "MALE", "OTHER", None):
            raise BadQueryError(400, "gender", str(value["gender"]))
        fields["gender"] = value["gender"]
    if "date_of_birth" in value:
        fields["birth_on"] = _day(value["date_of_birth"])
    return fields


def _day(value: JsonValue) -> str | None:
    if value is None:
        return None
    parts = value if isinstance(value, dict) else {}
    try:
        year, month, day = (int(str(parts[name])) for name in ("year", "month", "day"))
    except (KeyError, ValueError):
        raise BadQueryError(400, "date_of_birth", str(value)) from None
    return f"{year:04d}-{month:02d}-{day:02d}"


def _custom_fields(value: JsonValue) -> list[JsonValue]:
    rows = value if isinstance(value, list) else []
    if rows is not value or not all(map(_is_custom_field, rows)):
        raise BadQueryError(400, "custom_fields", str(value))
    return rows


def _is_custom_field(row: JsonValue) -> bool:
    return isinstance(row, dict) and {*row} == {"key", "value"} and isinstance(row["value"], str)


def _phone(value: JsonValue) -> JsonObject:
    if value is None:
        return {"phone": None}
    parts = value if isinstance(value, dict) else {}
    alpha2 = _ALPHA2.get(str(parts.get("country_code")))
    number = "".join(sign for sign in str(parts.get("number")) if sign in "+0123456789")
    if alpha2 is None or not number or parts.get("type") not in ("LANDLINE", "MOBILE", "FAX"):
        raise BadQueryError(400, "phone", str(value))
    country = COUNTRIES[alpha2]
    if not number.startswith("+"):
        number = f"+{country.calling}{number.removeprefix(country.trunk)}"
    return {"phone": number, "phone_country": alpha2}
