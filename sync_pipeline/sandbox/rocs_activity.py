"""Communication activity of ROCS in canonical form: none to six messages per contact."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from . import message_texts as texts
from . import rocs_ids
from .chance import chance, happens, moment
from .rocs_campaigns import random_campaign_id
from .rows import Communication, JsonObject

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from .rows import Contact

PLACEHOLDER = "0001-01-01T00:00:00"
UNKNOWN_LANGUAGE = "qaa"
_SENDERS = {"EMAIL": "post@butikk.example", "SMS": "Butikken", "INAPP": None, "DEVICE": "push"}
_STATES = ("COMPLETED",) * 10 + ("PENDING", "PENDING", "REJECTED", "Bounced?")
_LONGEST_VIEW_S = 20 * 86_400
# The first message of every so many contacts holds NUL characters, if it has one.
_NUL_EVERY, _NUL_PLACE = 40, 6


def activities(seed: int, index: int, contact: Contact) -> tuple[Communication, ...]:
    """All of one contact's, in the order of ids."""
    draw = chance(seed, "rocs-activity", index)
    first = rocs_ids.first_activity(seed, index)
    return tuple(
        activity(draw, first + ordinal, contact, has_nul=_has_nul(index, ordinal))
        for ordinal in range(rocs_ids.activity_count(seed, index))
    )


def _has_nul(index: int, ordinal: int) -> bool:
    return ordinal == 0 and index % _NUL_EVERY == _NUL_PLACE


def activity(draw: Random, position: int, contact: Contact, *, has_nul: bool) -> Communication:
    """Make the one at this position among all, which belongs to this contact."""
    channel = draw.choice(("EMAIL", "EMAIL", "SMS", "INAPP", "DEVICE"))
    created_at = moment(draw)
    is_viewed = draw.choice((True, True, False, None))
    attributes: JsonObject = {}
    if happens(draw, 0.7):
        attributes["campaignId"] = random_campaign_id(draw)
    if happens(draw, 0.1):
        attributes["deviceInfo"] = {"os": draw.choice(("iOS", None)), "opens": draw.randrange(9)}
    name = contact.first_name or ""
    return Communication(
        source="rocs",
        communication_id=str(rocs_ids.activity_id(position)),
        contact_id=contact.contact_id,
        state=draw.choice(_STATES),
        channel=channel,
        is_viewed=is_viewed,
        viewed_at=_later(draw, created_at, "viewedDate", attributes) if is_viewed else None,
        is_archived=draw.choice((True, False, False, False, None)),
        clicked_at=_later(draw, created_at, "clickedDate", attributes) if is_viewed else None,
        language=_language(draw, attributes),
        sender=_SENDERS[channel],
        recipient=contact.email if channel == "EMAIL" else contact.phone,
        subject=None if channel == "SMS" else draw.choice(texts.SUBJECTS).replace("{name}", name),
        content=_content(draw, name, attributes, has_nul=has_nul),
        plan_name=draw.choice((*texts.PLANS, None)),
        source_created_at=created_at if happens(draw, 0.95) else None,
        attributes=attributes,
    )


def _later(
    draw: Random, created_at: datetime, member: str, attributes: JsonObject
) -> datetime | None:
    kind = draw.random()
    if kind < 0.1:  # noqa: PLR2004 - shares are said once, here
        attributes[member] = PLACEHOLDER
        return None
    at = created_at + timedelta(seconds=draw.randrange(_LONGEST_VIEW_S))
    return at if kind < 0.7 else None  # noqa: PLR2004 - as above


def _language(draw: Random, attributes: JsonObject) -> str | None:
    language = draw.choice(("en",) * 10 + ("no",) * 10 + ("ar", None, UNKNOWN_LANGUAGE))
    if language == UNKNOWN_LANGUAGE:
        attributes["language"] = UNKNOWN_LANGUAGE
        return None
    return language


def _content(draw: Random, name: str, attributes: JsonObject, *, has_nul: bool) -> str | None:
    drawn = draw.choice((*texts.CONTENTS, None))
    if has_nul:
        raw = texts.WITH_NUL.replace("{name}", name)
        attributes["body"] = raw.replace("\u0000", "\\u0000")
        return raw.replace("\u0000", "")
    return drawn.replace("{name}", name) if drawn else None
