"""Communications in canonical form: how many each contact has, when, and what they hold."""
# ruff: noqa: PLR2004 - places and shares are said once, where they are drawn

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from . import message_texts as texts
from .chance import WORLD_BEGAN_AT, WORLD_STANDS_AT, chance, happens
from .ids import opaque_id
from .places import UNKNOWN_LANGUAGE
from .rows import Communication, JsonObject

if TYPE_CHECKING:
    from random import Random

    from .rows import Contact

KIND = "communication"
_BULK_SENDS = 40
_SPAN_S = int((WORLD_STANDS_AT - WORLD_BEGAN_AT).total_seconds())
_LONGEST_VIEW_S = 30 * 86_400
# The oldest epoch that the vendor's samples carry and that still counts as a date.
_OLD_CLICK_AT = datetime.fromtimestamp(129_876_567, tz=UTC)
# In every so many contacts, the one at this place has from so few to so many: so that each
# kind is met in a world of any size. The first is beyond what the vendor counts exactly.
_SET_COUNTS = (
    (10_000, 4_242, 10_050, 10_500),
    (1_000, 137, 2_000, 2_600),
    (100, 17, 150, 400),
    (40, 5, 1, 5),
    (10, 4, 0, 0),
)
_SENDERS = {"EMAIL": "dev@crm.example", "SMS": "ShopCo", "INAPP": None, "DEVICE": "push-gateway"}


def communication_count(seed: int, index: int) -> int:
    """How many one contact has: most few, one in a hundred hundreds, one in a thousand 2,000+."""
    draw = chance(seed, "communication-count", index)
    for every, place, fewest, most in _SET_COUNTS:
        if index % every == place:
            return draw.randint(fewest, most)
    share = draw.random()
    if share < 0.72:
        return draw.randint(0, 5)
    return draw.randint(6, 20) if share < 0.95 else draw.randint(21, 80)


def _has_nul(index: int) -> bool:
    """Whether this contact's first message holds NUL characters."""
    return index % 40 == 5


def communications(seed: int, index: int, contact: Contact) -> tuple[Communication, ...]:
    """All of one contact's, in order of creation; ties keep the order in which they stand."""
    draw = chance(seed, KIND, index)
    instants = _creation_times(draw, seed, communication_count(seed, index))
    return tuple(
        communication(draw, seed, (index, ordinal), contact, at)
        for ordinal, at in enumerate(instants)
    )


def _creation_times(draw: Random, seed: int, count: int) -> list[datetime]:
    """Draw instants with ties: bulk sends reach many contacts, and one contact twice, at once."""
    bulk = _bulk_sends(seed)
    seconds: list[int] = []
    for _ in range(count):
        kind = draw.random()
        if kind < 0.25:
            seconds.append(draw.choice(bulk))
        elif kind < 0.35 and seconds:
            seconds.append(seconds[-1])
        else:
            seconds.append(draw.randrange(_SPAN_S))
    return [WORLD_BEGAN_AT + timedelta(seconds=second) for second in sorted(seconds)]


@lru_cache(maxsize=8)
def _bulk_sends(seed: int) -> list[int]:
    return chance(seed, "bulk-sends").choices(range(_SPAN_S), k=_BULK_SENDS)


def _of_contact(contact: Contact) -> JsonObject:
    """Give what each message repeats of its contact, beside the id."""
    names = (
        (contact.first_name, contact.last_name) if contact.first_name else (contact.company_name,)
    )
    name = " ".join(name for name in names if name)
    return {"contact": {"name": name, "code": contact.code}}


def communication(
    draw: Random, seed: int, place: tuple[int, int], contact: Contact, created_at: datetime
) -> Communication:
    """Make the one at a place: the contact's, and its own among the contact's."""
    communication_id = opaque_id(seed, KIND, *place)
    channel = draw.choice(("EMAIL", "EMAIL", "EMAIL", "SMS", "INAPP", "DEVICE"))
    is_viewed = happens(draw, 0.55)
    attributes = _of_contact(contact) | _shown_around(communication_id, channel)
    name = contact.first_name or contact.company_name or ""
    return Communication(
        source="crmcom",
        communication_id=communication_id,
        contact_id=contact.contact_id,
        state=draw.choice(("COMPLETED",) * 12 + ("PENDING",) * 4 + ("REJECTED", "QUEUED")),
        channel=channel,
        is_viewed=is_viewed,
        viewed_at=_shortly_after(draw, created_at, 0.95) if is_viewed else None,
        is_archived=happens(draw, 0.15),
        clicked_at=_clicked_at(draw, created_at, attributes) if is_viewed else None,
        language=_language(draw, contact, attributes),
        sender=_SENDERS[channel],
        recipient=_recipient(contact, channel),
        subject=None if channel == "SMS" else draw.choice(texts.SUBJECTS).replace("{name}", name),
        content=_content(draw, place, name, attributes),
        plan_name=draw.choice((*texts.PLANS, None)),
        source_created_at=created_at,
        attributes=attributes,
    )


def _shown_around(communication_id: str, channel: str) -> JsonObject:
    # From the id, not from a generator: there are many messages.
    is_shown_on_device = channel in ("INAPP", "DEVICE")
    frame = texts.NO_FRAME
    if is_shown_on_device:
        frame = texts.FRAMES[int(communication_id[-2], 16) % len(texts.FRAMES)]
    title, subtitle, image, link = frame
    return {
        "title": title,
        "subtitle": subtitle,
        "in_app_image_url": image,
        "in_app_click_link_url": link,
        "message_type": "OSD" if is_shown_on_device else "MAIL",
    }


def _shortly_after(draw: Random, at: datetime, share: float) -> datetime | None:
    known = happens(draw, share)
    return at + timedelta(seconds=draw.randrange(_LONGEST_VIEW_S)) if known else None


def _clicked_at(draw: Random, created_at: datetime, attributes: JsonObject) -> datetime | None:
    kind = draw.random()
    if kind < 0.1:  # the vendor's placeholder: clicked, but no date
        attributes["clicked_on"] = 1
        return None
    if kind < 0.11:
        return _OLD_CLICK_AT
    return _shortly_after(draw, created_at, 0.2)


def _language(draw: Random, contact: Contact, attributes: JsonObject) -> str | None:
    kind = draw.random()
    if kind < 0.01:
        attributes["language"] = UNKNOWN_LANGUAGE
        return None
    return None if kind < 0.03 else contact.language or "en"


def _recipient(contact: Contact, channel: str) -> str | None:
    if channel == "EMAIL":
        return contact.email
    return contact.phone if channel == "SMS" else contact.code


def _content(draw: Random, place: tuple[int, int], name: str, attributes: JsonObject) -> str | None:
    index, ordinal = place
    if ordinal == 0 and _has_nul(index):
        raw = texts.WITH_NUL.replace("{name}", name)
        attributes["content"] = raw.replace("\u0000", "\\u0000")
        return raw.replace("\u0000", "")
    if happens(draw, 0.04):
        return None
    return draw.choice(texts.CONTENTS).replace("{name}", name)
