"""What a contact of ROCS carries beside its columns: permissions, addresses, interests, more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import happens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from .rows import JsonObject, JsonValue

_SOURCES = ("Api", "Import", "Web")
# The vendor's own slip is the commonest spelling.
_GLOBAL = ("Global", "GLobal", "GLobal", "GLOBAL")
_GROUPS = ("Nyhetsbrev", "Partner", "Globalt tilbud")
_INTERESTS: tuple[JsonValue, ...] = (
    "Ski",
    "Sjokolade 🍫",
    7,
    {"id": 3, "interestName": "Friluftsliv", "level": None},
    {"id": 4, "interestName": "Musikk", "tags": ["jazz", "كلاسيكي"]},
)
_EXTRA: tuple[JsonObject, ...] = (
    {"customerNumber": "000123"},
    {"isVip": True, "score": 0.75},
    {"createdBy": {"id": 5, "name": "import «nattlig»"}},
    {"middleInitial": None},
)
_DYNAMIC: tuple[JsonObject, ...] = (
    {"loyaltyTier": "Gold"},
    {"shoeSize": 42},
    {"Favorittbutikk": {"id": 12, "navn": "Ålesund ☃"}},
    {"newsletter topics": ["ski", "", None]},
    {"lastPurchase": "2025-11-02T10:11:12", "total": 1568.14},
    {"isMember": False, "ref": None, "note": ""},
)


def members(draw: Random, contact_id: int, opt_outs: Mapping[str, bool | None]) -> JsonObject:
    """Members under the vendor's names; `opt_outs` says what the permissions come to."""
    found: JsonObject = {"contactPermissions": _permissions(draw, contact_id, opt_outs)}
    if happens(draw, 0.9):
        found["sourceType"] = draw.choice(_SOURCES)
    if happens(draw, 0.8):
        found["contactAddresses"] = [_address(draw, contact_id) for _ in range(draw.randrange(3))]
    if happens(draw, 0.8):
        found["contactInterests"] = draw.sample(_INTERESTS, k=draw.randrange(4))
    if happens(draw, 0.5):
        employees: list[JsonValue] = [{"organizationId": 4_711, "title": "Daglig leder"}]
        found["organizationEmployees"] = employees if happens(draw, 0.2) else []
    if happens(draw, 0.2):
        found |= draw.choice(_EXTRA)
    dynamic: JsonObject = {}
    for fields in draw.sample(_DYNAMIC, k=draw.randrange(4)):
        dynamic |= fields
    return found | {"dynamic_fields": dynamic}


def _permissions(
    draw: Random, contact_id: int, opt_outs: Mapping[str, bool | None]
) -> list[JsonValue]:
    """Global ones that come to the opt-outs given, among others that change nothing."""
    said = [
        (channel, True, optin)
        for channel, opt_out in opt_outs.items()
        for optin in _optins(draw, opt_out)
    ]
    channels = ("EMAIL", "SMS", "POST")
    said += [(draw.choice(channels), False, happens(draw, 0.5)) for _ in range(draw.randrange(3))]
    if happens(draw, 0.2):
        said.append(("PHONE", True, happens(draw, 0.5)))
    draw.shuffle(said)
    return [
        _permission(draw, (contact_id, ordinal), channel, is_global=is_global, optin=optin)
        for ordinal, (channel, is_global, optin) in enumerate(said)
    ]


def _optins(draw: Random, opt_out: bool | None) -> tuple[bool, ...]:  # noqa: FBT001 - a column's value
    """Draw what the Global permissions of one channel say: opted out is when none says yes."""
    if opt_out is None:
        return ()
    return draw.choice(
        ((False,), (False,), (False, False)) if opt_out else ((True,), (True, False))
    )


def _permission(
    draw: Random, place: tuple[int, int], channel: str, *, is_global: bool, optin: bool
) -> JsonObject:
    contact_id, ordinal = place
    group = draw.choice(_GLOBAL if is_global else _GROUPS)
    return {
        "id": contact_id * 10 + ordinal,
        "channelType": draw.choice((channel, channel, channel, channel.capitalize())),
        "contactId": contact_id,
        "optin": optin,
        "optinType": draw.choice(("Single", "Double")),
        "permissionGroupType": group,
        "permissionType": draw.choice(_GLOBAL) if is_global else group,
        "sourceType": draw.choice(_SOURCES),
    }


def _address(draw: Random, contact_id: int) -> JsonObject:
    address: JsonObject = {
        "id": contact_id * 10 + draw.randrange(10),
        "addressType": draw.choice(("Gateadresse", "Gateadresse", "Postadresse")),
        "contactId": contact_id,
        "sourceType": draw.choice(_SOURCES),
    }
    if happens(draw, 0.5):
        address |= {
            "street": f"Storgata {draw.randrange(200)} B",
            "zipCode": "0155",
            "city": "Oslo",
        }
    return address
