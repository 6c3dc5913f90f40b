"""Lists and campaigns of ROCS in canonical form: a few dozen of each, some members missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens, moment
from .rows import Campaign, ContactList, JsonObject

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

_LISTS = 36
_CAMPAIGNS = 40
_FIRST_LIST = 301
_FIRST_CAMPAIGN = 9_001
COUNTS = ("sent", "delivered", "viewed", "clicked", "bounced", "unsubscribed")
_NAMES = (
    "Nyhetsbrev",
    "VIP-kunder",
    "Påske 🐣",
    "Kunder > 1000 kr & «trofaste»",
    "Ελλάδα",
    "عملاء",
)
# Every ten of them one of these.
_ODD_EVERY = 10
_PLACEHOLDER_DATE, _NO_DATE, _TOO_LARGE, _NO_NUMBER, _NO_STATISTICS, _UNKNOWN = 1, 2, 3, 4, 5, 6
_MORE_THAN_AN_INTEGER = 3_000_000_000


def random_campaign_id(draw: Random) -> int:
    """Draw one of the campaigns."""
    return _FIRST_CAMPAIGN + draw.randrange(_CAMPAIGNS)


def contact_lists(seed: int) -> tuple[ContactList, ...]:
    """Every list, in the order of ids."""
    return tuple(contact_list(seed, index) for index in range(_LISTS))


def campaigns(seed: int) -> tuple[Campaign, ...]:
    """Every campaign, in the order of ids."""
    return tuple(campaign(seed, index) for index in range(_CAMPAIGNS))


def contact_list(seed: int, index: int) -> ContactList:
    """Make the list at one place."""
    draw = chance(seed, "rocs-list", index)
    created_at = moment(draw)
    attributes: JsonObject = {}
    if happens(draw, 0.2):
        attributes["owner"] = {"id": draw.randrange(50), "department": draw.choice(("Salg", None))}
    count: int | None = draw.choice((0, draw.randrange(90_000), draw.randrange(500), None))
    if index % _ODD_EVERY == _TOO_LARGE:
        attributes["memberCount"] = _MORE_THAN_AN_INTEGER
        count = None
    return ContactList(
        source="rocs",
        list_id=str(_FIRST_LIST + index),
        display_name=f"{draw.choice(_NAMES)} {index}" if happens(draw, 0.95) else None,
        description=draw.choice(("Alle med samtykke", "Linje én\nlinje to", None)),
        type=draw.choice(("Static", "Dynamic", None)),
        status="ukjent" if index % _ODD_EVERY == _UNKNOWN else draw.choice(("Active", "Archived")),
        member_count=count,
        source_created_at=created_at if happens(draw, 0.9) else None,
        source_updated_at=_date(draw, index, created_at, "modifiedDate", attributes),
        attributes=attributes,
    )


def campaign(seed: int, index: int) -> Campaign:
    """Make the campaign at one place."""
    draw = chance(seed, "rocs-campaign", index)
    created_at = moment(draw)
    started_at = moment(draw, created_at) if happens(draw, 0.9) else None
    attributes: JsonObject = {}
    counts = _counts(draw, index, attributes)
    if happens(draw, 0.3):
        attributes["budget"] = draw.choice((12_500.5, 0, None))
    return Campaign(
        source="rocs",
        campaign_id=str(_FIRST_CAMPAIGN + index),
        display_name=f"{draw.choice(_NAMES)} {index}" if happens(draw, 0.95) else None,
        status=draw.choice(("Draft", "Running", "Finished", "Avbrutt?")),
        channel="Print" if index % _ODD_EVERY == _UNKNOWN else draw.choice(("EMAIL", "SMS", None)),
        subject=draw.choice(("  Vårsalg!", "Salg 50 % ", "Hei {fornavn} 🎉", None)),
        **{f"{name}_count": count for name, count in counts.items()},
        started_at=started_at,
        ended_at=_date(draw, index, started_at or created_at, "endDate", attributes),
        source_created_at=created_at,
        source_updated_at=moment(draw, created_at) if happens(draw, 0.8) else None,
        attributes=attributes,
    )


def _counts(draw: Random, index: int, attributes: JsonObject) -> dict[str, int | None]:
    """Numbers for the columns; what else the statistics say goes to `attributes`."""
    if index % _ODD_EVERY == _NO_STATISTICS:
        return dict.fromkeys(COUNTS)
    most = draw.randrange(1, 50_000)
    counts: dict[str, int | None] = {}
    for name in COUNTS:
        counts[name] = most if happens(draw, 0.9) else None
        most = draw.randrange(most + 1)
    left: JsonObject = {}
    if happens(draw, 0.7):
        left |= {"openRate": draw.choice((0.25, 0.413)), "spamComplaints": draw.randrange(3)}
    if happens(draw, 0.3):
        left["byDevice"] = {"mobile": draw.randrange(100), "desktop": None}
    if index % _ODD_EVERY == _NO_NUMBER:
        counts["bounced"] = None
        left["bounced"] = "n/a"
    if left:
        attributes["statistics"] = left
    return counts


def _date(
    draw: Random, index: int, after: datetime, member: str, attributes: JsonObject
) -> datetime | None:
    drawn = moment(draw, after) if happens(draw, 0.7) else None
    odd = {_PLACEHOLDER_DATE: "0001-01-01T00:00:00", _NO_DATE: "løpende"}.get(index % _ODD_EVERY)
    if odd is None:
        return drawn
    attributes[member] = odd
    return None
