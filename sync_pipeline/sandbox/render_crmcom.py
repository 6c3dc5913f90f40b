"""Canonical rows in CRM.COM's own form (self-service v1): its names, codes and loose habits.

What a canonical row lost is in its `attributes`; the habits (omitted or empty fields, string
booleans, spaced numbers) are drawn here, since no reader should see a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .places import COUNTRIES, LANGUAGES
from .wire import encode

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from .rows import Communication, Contact, JsonObject, JsonValue


def contact_detail(seed: int, contact: Contact) -> bytes:
    """Render the answer to GET `/contacts/{id}`."""
    draw = chance(seed, "crmcom-contact", contact.contact_id)
    item: JsonObject = {"id": contact.contact_id, "code": contact.code, "type": contact.type}
    for name in ("title", "first_name", "middle_name", "last_name", "company_name"):
        _put(draw, item, name, _with_stray_space(draw, getattr(contact, name)))
    left = contact.attributes
    _put(draw, item, "preferred_language_code", _language(draw, contact.language, left))
    _put(draw, item, "email_address", _email(draw, contact.email))
    _put_container(draw, item, "phone", _phone(draw, contact))
    _put_container(draw, item, "demographics", _demographics(draw, contact))
    for name in ("sms_opt_out", "email_opt_out"):
        _put(draw, item, name, _loose_boolean(draw, getattr(contact, name)))
    _put(draw, item, "consent_state", contact.consent_state)
    country = COUNTRIES[contact.country].alpha3 if contact.country else None
    _put(draw, item, "country_of_agreement", country or left.get("country_of_agreement"))
    for name in ("avatar_url", "company_profle", "referral_code", "custom_fields"):
        if name in left:
            item[name] = left[name]
    return encode(item)


def contact_list_item(contact: Contact) -> bytes:
    """One element of the Back-Office list: enough to enumerate, little more."""
    names = ("code", "type", "first_name", "last_name", "company_name")
    return encode({"id": contact.contact_id, **{name: getattr(contact, name) for name in names}})


def communication_list_item(row: Communication) -> bytes:
    """One element of GET `/contacts/{id}/communications`; no time of creation in it."""
    head: JsonObject = {
        "id": row.communication_id,
        "life_cycle_state": row.state,
        "contact_id": row.contact_id,
    }
    return encode(head | _message(row))


def communication_detail(row: Communication, contact: Contact) -> bytes:
    """Render the answer to GET `/communications/{id}`; no id of its own in it."""
    names = (
        (contact.first_name, contact.last_name) if contact.first_name else (contact.company_name,)
    )
    head: JsonObject = {
        "life_cycle_state": row.state,
        "contact": {
            "id": contact.contact_id,
            "name": " ".join(name for name in names if name),
            "code": contact.code,
        },
    }
    tail: JsonObject = {
        "created_on": int(row.source_created_at.timestamp()),
        "title": "",
        "subtitle": "",
        "in_app_image_url": "",
        "in_app_click_link_url": "",
    }
    return encode(head | _message(row) | tail)


def _message(row: Communication) -> JsonObject:
    # Lists are long and rendered one by one: this habit comes from the id, not from a generator.
    empty = "" if row.communication_id[-1] in "02468aceACE" else None
    left = row.attributes
    return {
        "channel": row.channel,
        "is_viewed": row.is_viewed,
        "viewed_on": _epoch(row.viewed_at),
        "is_archived": row.is_archived,
        "clicked_on": left.get("clicked_on", _epoch(row.clicked_at)),
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


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _put(draw: Random, item: JsonObject, name: str, value: JsonValue) -> None:
    """Leave an empty value out, or make it null or an empty string: the vendor does all three."""
    if value is None:
        habit = draw.randrange(3)
        if habit:
            item[name] = None if habit == 1 else ""
    else:
        item[name] = value


def _put_container(draw: Random, item: JsonObject, name: str, value: JsonObject | None) -> None:
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


def _language(draw: Random, language: str | None, left: JsonObject) -> JsonValue:
    return draw.choice(LANGUAGES[language]) if language else left.get("preferred_language_code")


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


def _demographics(draw: Random, contact: Contact) -> JsonObject | None:
    left = contact.attributes.get("demographics")
    item: JsonObject = {**left} if isinstance(left, dict) else {}
    if contact.birth_on:
        born = contact.birth_on
        day: JsonValue = draw.choice((born.day, born.day, str(born.day), f"{born.day:02d}"))
        item["date_of_birth"] = {"year": born.year, "month": born.month, "day": day}
    if contact.gender:
        item["gender"] = contact.gender
    return item or None
