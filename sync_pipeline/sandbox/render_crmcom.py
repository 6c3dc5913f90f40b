"""Canonical rows in CRM.COM's own form: its names by version, its codes and loose habits.

What a canonical row lost is in its `attributes`; the habits (omitted or empty fields, string
booleans, spaced numbers) are drawn here, since no reader should see a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .places import COUNTRIES, LANGUAGES
from .versions import V1, as_read
from .wire import encode

if TYPE_CHECKING:
    from datetime import date, datetime
    from random import Random

    from .rows import ApprovalRequest, Communication, Contact, JsonObject, JsonValue
    from .versions import Version

# What a message says around itself, by name as in the first version.
_AROUND = ("message_type", "title", "subtitle", "in_app_image_url", "in_app_click_link_url")
# What of the attributes stands where a column's value would.
_PLACED = {
    "phone",
    "demographics",
    "country_of_agreement",
    "preferred_language_code",
    "language_code",
}


def contact_detail(seed: int, row: Contact, version: Version = V1) -> bytes:
    """Render the answer to GET `/contacts/{id}`."""
    contact = as_read(row, version)
    draw = chance(seed, "crmcom-contact", contact.contact_id)
    item: JsonObject = {"id": contact.contact_id, "code": contact.code, "type": contact.type}
    names = ("title", "first_name", "middle_name", "last_name", "company_name")
    for name in names if version.has_title_and_consent else names[1:]:
        _put(draw, item, name, _with_stray_space(draw, getattr(contact, name)))
    left = contact.attributes
    _put(draw, item, version.language, _language(draw, contact.language, left, version))
    _put(draw, item, version.email, _email(draw, contact.email))
    _put_or_null(draw, item, "phone", _phone(draw, contact))
    _put_or_null(draw, item, "demographics", _demographics(draw, contact, version))
    for name in ("sms_opt_out", "email_opt_out"):
        said = getattr(contact, name)
        if version.is_typed:
            _put_or_null(draw, item, name, said)
        else:
            _put(draw, item, name, _loose_boolean(draw, said))
    if version.has_title_and_consent:
        _put(draw, item, "consent_state", contact.consent_state)
    country = COUNTRIES[contact.country].alpha3 if contact.country else None
    _put(draw, item, "country_of_agreement", country or left.get("country_of_agreement"))
    rest = {name: value for name, value in left.items() if name not in _PLACED}
    return encode(item | rest)


def contact_list_item(contact: Contact) -> bytes:
    """One element of the Back-Office list: enough to enumerate, little more."""
    names = ("code", "type", "first_name", "last_name", "company_name")
    return encode({"id": contact.contact_id, **{name: getattr(contact, name) for name in names}})


def communication_list_item(row: Communication, version: Version = V1) -> bytes:
    """One element of GET `/contacts/{id}/communications`; no time of creation in it at first."""
    if version.is_typed:
        return communication_detail(row, version)
    head: JsonObject = {
        "id": row.communication_id,
        version.state: row.state,
        "contact_id": row.contact_id,
    }
    return encode(head | _message(row))


def communication_detail(row: Communication, version: Version = V1) -> bytes:
    """Render the answer to GET `/communications/{id}`; no id of its own in it at first."""
    left = row.attributes
    contact = left["contact"]
    named = contact if isinstance(contact, dict) else {}
    item: JsonObject = {"id": row.communication_id} if version.is_typed else {}
    item[version.state] = row.state
    item["contact"] = {"id": row.contact_id, **named}
    item |= _message(row)
    item["created_on"] = epoch(row.source_created_at)
    for name in _AROUND:
        if version.has(name):
            item[name] = left[name]
    return encode(item)


def approval_request(row: ApprovalRequest, version: Version = V1) -> bytes:
    """One element of GET `/contacts/{id}/approval_requests`; nothing in it tells the contact."""
    left = as_read(row, version).attributes
    kind = row.entity_type
    # The first version says some of them in the singular.
    if not version.is_typed and row.approval_request_id[-1] in "02468aceACE":
        kind = kind.removesuffix("S")
    entity: JsonObject = {"id": row.entity_id, "type": kind, "reference": row.entity_reference}
    stage = left.get("entity")
    if isinstance(stage, dict):
        entity |= stage
    return encode({"id": row.approval_request_id, "state": row.state} | left | {"entity": entity})


def _message(row: Communication) -> JsonObject:
    # Lists are long and rendered one by one: this habit comes from the id, not from a generator.
    empty = "" if row.communication_id[-1] in "02468aceACE" else None
    left = row.attributes
    return {
        "channel": row.channel,
        "is_viewed": row.is_viewed,
        "viewed_on": epoch(row.viewed_at),
        "is_archived": row.is_archived,
        "clicked_on": left.get("clicked_on", epoch(row.clicked_at)),
        "language": LANGUAGES[row.language][-1] if row.language else left.get("language", empty),
        "sender": row.sender or empty,
        "recipient": row.recipient or empty,
        "content": _raw_content(row) or empty,
        "subject": row.subject or empty,
        "name": row.plan_name or empty,
    }


def _raw_content(row: Communication) -> str | None:
    shown = row.attributes.get("content")
    return shown.replace("\\u0000", "\u0000") if isinstance(shown, str) else row.content


def epoch(at: datetime | None) -> int | None:
    """Seconds since 1970, the vendor's clock."""
    return None if at is None else int(at.timestamp())


def _put(draw: Random, item: JsonObject, name: str, value: JsonValue) -> None:
    """Leave an empty value out, or make it null or an empty string: the vendor does all three."""
    if value is None:
        habit = draw.randrange(3)
        if habit:
            item[name] = None if habit == 1 else ""
    else:
        item[name] = value


def _put_or_null(draw: Random, item: JsonObject, name: str, value: JsonValue) -> None:
    if value is not None:
        item[name] = value
    elif happens(draw, 0.5):
        item[name] = None


def _with_stray_space(draw: Random, text: str | None) -> str | None:
    if text is None or not happens(draw, 0.08):
        return text
    return draw.choice((" {} ", "{}  ", "\t{}", "{}\n")).format(text)


def _email(draw: Random, email: str | None) -> str | None:
    if email is None:
        return None
    return draw.choice((email, email, email, email, email.upper(), email.capitalize(), f" {email}"))


def _language(draw: Random, language: str | None, left: JsonObject, version: Version) -> JsonValue:
    if language is None:
        return left.get(version.language)
    # By the later version's schema two letters, three in its samples.
    forms = LANGUAGES[language]
    return draw.choice((*forms, language.upper()) if version.is_typed else forms)


def _loose_boolean(draw: Random, value: bool | None) -> JsonValue:  # noqa: FBT001 - a field's value
    if value is None:
        return None
    text = str(value)
    return draw.choice((text.lower(),) * 12 + (text, text.upper(), value))


def _phone(draw: Random, contact: Contact) -> JsonObject | None:
    if contact.phone_country is None:
        return None
    left = contact.attributes["phone"]
    kept = left if isinstance(left, dict) else {}
    country = COUNTRIES[contact.phone_country]
    number: JsonValue = kept.get("number", "")
    if contact.phone:
        number = _number(draw, contact.phone.removeprefix(f"+{country.calling}"), country.alpha2)
    return {**kept, "country_code": country.alpha3, "number": number}


def _number(draw: Random, national: str, alpha2: str) -> str:
    """National, with the trunk prefix, in groups, or E.164 with or without spaces."""
    country = COUNTRIES[alpha2]
    groups = f"{national[:3]} {national[3:6]} {national[6:]}"
    forms = (
        national,
        national,
        country.trunk + national,
        f"{country.trunk}{groups}",
        f"+{country.calling}{national}",
        f"+{country.calling} {groups}",
    )
    return draw.choice(forms)


def _demographics(draw: Random, contact: Contact, version: Version) -> JsonObject | None:
    left = contact.attributes.get("demographics")
    item: JsonObject = {**left} if isinstance(left, dict) else {}
    if contact.birth_on:
        born = contact.birth_on
        parts: JsonObject = {"year": born.year, "month": born.month, "day": born.day}
        if not version.is_typed:
            parts |= draw.choice(_loose_parts(born))
        item["date_of_birth"] = parts
    if contact.gender:
        item["gender"] = contact.gender
    return item or None


def _loose_parts(born: date) -> tuple[JsonObject, ...]:
    day = str(born.day)
    everything: JsonObject = {"year": str(born.year), "month": str(born.month), "day": day}
    return ({}, {}, {"day": day}, {"day": day.zfill(2)}, everything)
