"""Canonical rows in ROCS's own form: integer ids, naive dates, no member for what is empty.

What a canonical row lost is in its `attributes`, under the vendor's name; habits that no
reader should see a difference by (case, blanks, number as text) are drawn here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .instants import instant_text
from .rocs_campaigns import COUNTS
from .wire import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random

    from .rows import Campaign, Communication, Contact, ContactList, JsonObject, JsonValue

_GENDERS = {"MALE": ("M", "M", "M", "m"), "FEMALE": ("F", "F", "F", "f")}
_KNOWN_STATES = ("COMPLETED", "PENDING", "REJECTED")
_TEXT_NUMBER_EVERY, _TEXT_NUMBER_PLACE = 5, 2


def contact(seed: int, row: Contact) -> bytes:
    """Render the contact object, the same in the list and in a lookup."""
    draw = chance(seed, "render-rocs-contact", row.contact_id)
    item: JsonObject = {
        "id": int(row.contact_id),
        "contactStatus": row.status,
        "contactType": row.type,
        "dob": f"{row.birth_on.isoformat()}T00:00:00" if row.birth_on else None,
        "email": _email(draw, row.email),
        "externalId": row.external_id or draw.choice(("", None, None, None, None)),
        "firstname": _with_stray_space(draw, row.first_name),
        "gender": _gender(draw, row.gender),
        "lastname": _with_stray_space(draw, row.last_name),
        "organizationId": int(row.organisation_id) if row.organisation_id else None,
        "phoneMobile": _phone(draw, row.phone),
    }
    left = {name: value for name, value in row.attributes.items() if name != "dynamic_fields"}
    return encode(_without_empty(item) | left)


def dynamic_fields(row: Contact) -> bytes:
    """Render the open object of fields that each customer of the vendor makes up."""
    return encode(row.attributes["dynamic_fields"])


def activities(seed: int, rows: Sequence[Communication]) -> tuple[bytes, ...]:
    """Render one contact's elements of the list of activity."""
    if not rows:
        return ()
    draw = chance(seed, "render-rocs-activity", rows[0].contact_id)
    return tuple(_activity(draw, row) for row in rows)


def _activity(draw: Random, row: Communication) -> bytes:
    language = row.language
    item: JsonObject = {
        "id": int(row.communication_id),
        "contactId": int(row.contact_id),
        "channelType": _in_any_case(draw, row.channel),
        "status": _in_any_case(draw, row.state) if row.state in _KNOWN_STATES else row.state,
        "name": _with_stray_space(draw, row.plan_name),
        "subject": row.subject,
        "body": row.content,
        "sender": row.sender,
        "recipient": row.recipient,
        "language": draw.choice((language, language, language, language.upper()))
        if language
        else None,
        "isViewed": row.is_viewed,
        "viewedDate": _instant(draw, row.viewed_at),
        "isArchived": row.is_archived,
        "clickedDate": _instant(draw, row.clicked_at),
        "createdDate": _instant(draw, row.source_created_at),
    }
    left = dict(row.attributes)
    shown = left.get("body")
    if isinstance(shown, str):
        left["body"] = shown.replace("\\u0000", "\u0000")
    return encode(_without_empty(item) | left)


def contact_list(seed: int, row: ContactList) -> bytes:
    """One element of the list of lists."""
    draw = chance(seed, "render-rocs-list", row.list_id)
    item: JsonObject = {
        "id": int(row.list_id),
        "name": _with_stray_space(draw, row.display_name),
        "description": row.description,
        "listType": row.type,
        "status": row.status,
        "memberCount": row.member_count,
        "createdDate": _instant(draw, row.source_created_at),
        "modifiedDate": _instant(draw, row.source_updated_at),
    }
    return encode(_without_empty(item) | row.attributes)


def campaign(seed: int, row: Campaign) -> bytes:
    """One element of the list of campaigns."""
    draw = chance(seed, "render-rocs-campaign", row.campaign_id)
    item: JsonObject = {
        "id": int(row.campaign_id),
        "name": _with_stray_space(draw, row.display_name),
        "status": row.status,
        "channelType": _in_any_case(draw, row.channel) if row.channel != "Print" else row.channel,
        "subject": row.subject,
        "startDate": _instant(draw, row.started_at),
        "endDate": _instant(draw, row.ended_at),
        "createdDate": _instant(draw, row.source_created_at),
        "modifiedDate": _instant(draw, row.source_updated_at),
    }
    left = {name: value for name, value in row.attributes.items() if name != "statistics"}
    statistics = _statistics(row)
    return encode(_without_empty(item) | left | ({"statistics": statistics} if statistics else {}))


def _statistics(row: Campaign) -> JsonObject:
    counts: JsonObject = {name: getattr(row, f"{name}_count") for name in COUNTS}
    if int(row.campaign_id) % _TEXT_NUMBER_EVERY == _TEXT_NUMBER_PLACE and row.sent_count:
        counts["sent"] = str(row.sent_count)
    left = row.attributes.get("statistics")
    return _without_empty(counts) | (left if isinstance(left, dict) else {})


def _without_empty(item: JsonObject) -> JsonObject:
    return {name: value for name, value in item.items() if value is not None}


def _instant(draw: Random, at: datetime | None) -> str | None:
    return instant_text(draw, at) if at else None


def _in_any_case(draw: Random, word: str | None) -> str | None:
    if word is None:
        return None
    return draw.choice((word, word.capitalize(), word.capitalize(), word.lower()))


def _with_stray_space(draw: Random, text: str | None) -> str | None:
    if text is None or not happens(draw, 0.08):
        return text
    return draw.choice((" {} ", "{}  ", "\t{}", "{}\n")).format(text)


def _email(draw: Random, email: str | None) -> str | None:
    if email is None:
        return None
    return draw.choice((email, email, email, email.upper(), email.capitalize(), f" {email} "))


def _gender(draw: Random, gender: str | None) -> JsonValue:
    return None if gender is None else draw.choice(_GENDERS.get(gender, (gender,)))


def _phone(draw: Random, phone: str | None) -> str | None:
    """E.164 as it is, in groups, or with blanks around: all to be read without a country."""
    if phone is None:
        return None
    groups = (phone[:3], phone[3:6], phone[6:])
    return draw.choice((phone, phone, " ".join(groups), "-".join(groups), f" {phone} "))
