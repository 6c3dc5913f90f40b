"""What a changed row needs besides the columns given, so that its API can say it.

A column's own value leaves nothing of an earlier, unreadable one in `attributes`; codes are those
that the vendors' forms are known of; what follows from a column follows from the new one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .columns import BadChangeError
from .estate import STATUS_NAMES, STEPS, is_running
from .ids import guid
from .permissions import with_opt_outs
from .places import COUNTRIES, LANGUAGES
from .rows import Communication, Contact, Row, Tenant

if TYPE_CHECKING:
    from collections.abc import Collection

    from .rows import JsonObject, JsonValue

# By source and column, where `attributes` keep what the column could not.
_LEFT_BY: dict[tuple[str, str], tuple[str, ...]] = {
    ("crmcom", "country"): ("country_of_agreement",),
    ("crmcom", "birth_on"): ("demographics", "date_of_birth"),
    ("crmcom", "phone"): ("phone", "number"),
    ("crmcom", "clicked_at"): ("clicked_on",),
    ("crmcom", "content"): ("content",),
    ("rocs", "phone"): ("phoneMobile",),
    ("rocs", "birth_on"): ("dob",),
    ("rocs", "organisation_id"): ("organizationId",),
    ("rocs", "viewed_at"): ("viewedDate",),
    ("rocs", "clicked_at"): ("clickedDate",),
    ("rocs", "language"): ("language",),
    ("rocs", "content"): ("body",),
    ("rocs", "member_count"): ("memberCount",),
    ("rocs", "source_updated_at"): ("modifiedDate",),
    ("rocs", "ended_at"): ("endDate",),
    ("rocs", "bounced_count"): ("statistics", "bounced"),
}
_NO_FIELD_AT_CRMCOM = (
    "status",
    "external_id",
    "organisation_id",
    "source_created_at",
    "source_updated_at",
)
_OPT_OUTS = {"email_opt_out": "EMAIL", "sms_opt_out": "SMS"}


def settled(row: Row, given: Collection[str]) -> Row:
    """Give the row with what follows from the columns `given`; raises BadChangeError."""
    attributes = row.attributes
    for name in given:
        member = _LEFT_BY.get((row.source, name))
        attributes = without(attributes, member) if member else attributes
    row = replace(row, attributes=attributes)
    if isinstance(row, Tenant):
        return _settled_tenant(row, given)
    if isinstance(row, Communication):
        return _settled_communication(row, given)
    if isinstance(row, Contact):
        return _of_crmcom(row, given) if row.source == "crmcom" else _of_rocs(row, given)
    return row


def without(members: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """Leave a member out, and an object that it leaves empty."""
    if path[0] not in members:
        return members
    left = dict(members)
    inner = left.pop(path[0])
    if len(path) > 1 and isinstance(inner, dict) and (kept := without(inner, path[1:])):
        left[path[0]] = kept
    return left


def _settled_communication(row: Communication, given: Collection[str]) -> Communication:
    _known("language", row.language, LANGUAGES)
    if row.source != "crmcom":
        return row
    attributes = row.attributes
    if "language" in given:
        attributes = without(attributes, ("language",))
    # The vendor's clock has whole seconds.
    instants = {
        name: at and at.replace(microsecond=0)
        for name in ("viewed_at", "clicked_at", "source_created_at")
        for at in (getattr(row, name),)
    }
    if instants["source_created_at"] is None:
        raise BadChangeError("source_created_at cannot be null: it is what the list is sorted by")
    return replace(row, attributes=attributes, **instants)


def _settled_tenant(row: Tenant, given: Collection[str]) -> Tenant:
    codes = {name: code for code, name in STATUS_NAMES.items()}
    code = row.status_code
    if "status" in given:
        _known("status", row.status, codes)
        code = codes[row.status]
    elif "status_code" in given:
        _known("status_code", code, STATUS_NAMES)
    attributes = row.attributes
    if "plan" in given:
        attributes = without(attributes, ("plan",))
        if row.plan:
            shown: JsonObject = {"id": guid("plan", row.plan), "displayName": row.plan.title()}
            attributes = attributes | {"plan": shown}
    step = row.step if {"step"} & {*given} else STEPS.get(code, row.step)
    return replace(
        row,
        status_code=code,
        status=STATUS_NAMES[code],
        step=step,
        is_running=is_running(code),
        attributes=attributes,
    )


def _of_crmcom(row: Contact, given: Collection[str]) -> Contact:
    for name in _NO_FIELD_AT_CRMCOM:
        if getattr(row, name) is not None:
            raise BadChangeError(f"CRM.COM tells no {name} of a contact")
    _known("language", row.language, LANGUAGES)
    _known("country", row.country, COUNTRIES)
    _known("phone_country", row.phone_country, COUNTRIES)
    attributes = row.attributes
    if "language" in given:
        attributes = without(attributes, ("preferred_language_code",))
    return _with_telephone(replace(row, attributes=attributes), given)


def _with_telephone(row: Contact, given: Collection[str]) -> Contact:
    if not {"phone", "phone_country"} & {*given}:
        return row
    if row.phone is None and "phone_country" not in given:
        left = without(row.attributes, ("phone",))
        return replace(row, phone_country=None, attributes=left)
    if row.phone is not None:
        country = row.phone_country
        if country is None or "phone_country" not in given:
            country = _country_of(row.phone, country)
        elif not row.phone.startswith(f"+{COUNTRIES[country].calling}"):
            raise BadChangeError("phone is no number of phone_country")
        row = replace(row, phone_country=country)
    if row.phone_country is None:
        return replace(row, attributes=without(row.attributes, ("phone",)))
    kept = row.attributes.get("phone")
    shown: JsonObject = {"id": guid("phone", row.contact_id), "type": "MOBILE"}
    shown |= kept if isinstance(kept, dict) else {}
    return replace(row, attributes=row.attributes | {"phone": shown})


def _country_of(phone: str, country: str | None) -> str:
    if country and phone.startswith(f"+{COUNTRIES[country].calling}"):
        return country
    _checked_phone(phone)
    for alpha2, known in COUNTRIES.items():
        if phone.startswith(f"+{known.calling}"):
            return alpha2
    raise BadChangeError("phone is of no country that the sandbox knows")


def _of_rocs(row: Contact, given: Collection[str]) -> Contact:
    if not (row.contact_id.isascii() and row.contact_id.isdigit()):
        raise BadChangeError("an id of ROCS is a number")
    if row.phone is not None:
        _checked_phone(row.phone)
    if row.organisation_id is not None and not row.organisation_id.isdigit():
        raise BadChangeError("organisation_id of ROCS is a number")
    wanted = {_OPT_OUTS[name]: getattr(row, name) for name in _OPT_OUTS if name in given}
    if not wanted:
        return row
    said = with_opt_outs(row.attributes.get("contactPermissions"), int(row.contact_id), wanted)
    return replace(row, attributes=row.attributes | {"contactPermissions": said})


def _checked_phone(phone: str) -> None:
    if not (phone.startswith("+") and phone[1:].isascii() and phone[1:].isdigit()):
        raise BadChangeError("phone should be E.164: + and digits")


def _known(name: str, value: JsonValue, known: Collection[object]) -> None:
    if value is not None and value not in known:
        raise BadChangeError(f"{name} {value!r} is none that the sandbox knows")
