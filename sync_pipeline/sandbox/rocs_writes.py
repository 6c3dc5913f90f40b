"""What ROCS's create, update and delete of a contact come to.

Undocumented and chosen here: an update replaces the whole contact, so a member that is not sent
is gone (the dynamic fields, which have a call of their own that replaces them all, stay);
whatever cannot be read is a 500, as the vendor's page has it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from .columns import BadChangeError
from .permissions import opt_out
from .rocs_people import NOT_KEPT
from .rows import Contact, JsonObject

if TYPE_CHECKING:
    from .rows import JsonValue

_TEXTS = {
    "contactStatus": "status",
    "contactType": "type",
    "firstname": "first_name",
    "lastname": "last_name",
    "email": "email",
    "externalId": "external_id",
    "gender": "gender",
}
_GENDERS = {"M": "MALE", "F": "FEMALE"}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?")
_MIDNIGHT = (None, "T00:00:00")


def contact_sent(item: JsonObject, contact_id: str, old: Contact | None) -> Contact:
    """Read a contact as the vendor would store it; raises BadChangeError."""
    left = {name: value for name, value in item.items() if name != "id"}
    texts = {column: _text(left.pop(name, None), name) for name, column in _TEXTS.items()}
    gender = (texts["gender"] or "").upper()
    texts["gender"] = _GENDERS.get(gender, gender if gender in _GENDERS.values() else None)
    if gender and texts["gender"] is None:
        texts["gender"] = _text(item["gender"], "gender")
    texts["email"] = texts["email"].lower() if texts["email"] else None
    phone = _phone(left)
    birth_on = _birth(left)
    organisation_id = _organisation(left)
    permissions = left.get("contactPermissions")
    dynamic = old.attributes["dynamic_fields"] if old else {}
    return Contact(
        source="rocs",
        contact_id=contact_id,
        **texts,
        **NOT_KEPT,
        phone=phone,
        birth_on=birth_on,
        organisation_id=organisation_id,
        email_opt_out=opt_out(permissions, "EMAIL"),
        sms_opt_out=opt_out(permissions, "SMS"),
        source_created_at=None,
        source_updated_at=None,
        attributes=left | {"dynamic_fields": dynamic},
    )


def _text(value: JsonValue, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) or (name == "externalId" and type(value) is int):
        return str(value).strip() or None
    raise BadChangeError(f"{name} is text")


def _phone(left: JsonObject) -> str | None:
    said = _text(left.pop("phoneMobile", None), "phoneMobile")
    compact = (said or "").replace(" ", "").replace("-", "")
    if said is None or _E164.fullmatch(compact):
        return compact or None
    left["phoneMobile"] = said
    return None


def _birth(left: JsonObject) -> date | None:
    said = _text(left.pop("dob", None), "dob")
    matched = _DAY.fullmatch(said or "")
    try:
        born = date.fromisoformat(matched[1]) if matched else None
    except ValueError:
        born = None
    if born is not None and born.year == 1:
        born = None
    if said and (born is None or (matched and matched[2] not in _MIDNIGHT)):
        left["dob"] = said
    return born


def _organisation(left: JsonObject) -> str | None:
    number = left.pop("organizationId", None)
    if number is None:
        return None
    if type(number) is not int:
        raise BadChangeError("organizationId is a number")
    if number == 0:  # the vendor's placeholder for none
        left["organizationId"] = 0
        return None
    return str(number)
