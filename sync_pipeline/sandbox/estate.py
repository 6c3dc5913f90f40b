"""Tenants of the product in canonical form: every status, odd names, all kinds of metadata."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .chance import chance, happens, moment
from .ids import guid
from .rows import JsonObject, JsonValue, Tenant

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

STATUS_NAMES = {
    -1: "None",
    1: "RecordCreated",
    2: "SendingCreationRequest",
    3: "Creating",
    4: "CreatedAsActive",
    5: "SendingActivationRequest",
    6: "Activating",
    7: "Active",
    8: "SendingDeactivationRequest",
    9: "Deactivating",
    10: "Inactive",
    11: "SendingDeletionRequest",
    12: "Deleting",
    13: "Deleted",
    14: "Failure",
}
_FEWEST = 28
_CONTACTS_PER_TENANT = 20
_RUNNING = (4, 7)
_FAILURE = 14
STEPS = {-1: -1, **dict.fromkeys(range(1, 5), 1), **dict.fromkeys(range(5, 8), 2)}
STEPS |= {**dict.fromkeys(range(8, 11), 3), **dict.fromkeys(range(11, 14), 4)}

# Every character beyond letters and digits that the vendor allows in a name.
_ODD_NAMES = (
    "acme?eu",
    "left<right>",
    "semi;colon,comma",
    "{curly}[square]",
    "under_score-dash",
    "?><;,{}[]-_",
    "7",
)
_WORDS = ("harbour", "fjord", "olive", "atlas", "cedar", "delta", "ember", "garnet", "indigo")
_DISPLAY = (
    "Harbour Café",
    "Φιόρδ & Υιοί",
    "زيتون للتجارة",
    "Атлас",
    "雪松",
    "Ember\u00a0Ltd",
    "Δ-Co",
)
_PLANS = ("starter", "growth", "enterprise-eu", "unlimited_2024")
_SPECIFICATIONS = ("adminEmail", "region", "seatLimit")


def is_running(status: int) -> bool:
    """Whether a tenant with this status serves its users."""
    return status in _RUNNING


def tenants(seed: int, contacts: int) -> tuple[Tenant, ...]:
    """One row per tenant, in the order of the vendor's list; at least every status twice or so."""
    count = max(_FEWEST, contacts // _CONTACTS_PER_TENANT)
    return tuple(tenant(seed, index) for index in range(count))


def tenant(seed: int, index: int) -> Tenant:
    """Make the tenant at one place."""
    draw = chance(seed, "tenant", index)
    name = _name(draw, index)
    status = _status(draw, index)
    created_at = moment(draw)
    started_at = _later(draw, created_at, 0.9)
    plan = draw.choice(_PLANS) if happens(draw, 0.95) else None
    return Tenant(
        source="rosaas",
        tenant_name=name,
        tenant_id=guid(seed, "tenant", index),
        subscription_id=guid(seed, "subscription", index),
        display_name=_display_name(draw, name),
        status_code=status,
        status=STATUS_NAMES[status],
        step=draw.randint(1, 4) if status == _FAILURE else STEPS[status],
        is_running=is_running(status),
        subscription_is_active=happens(draw, 0.8),
        plan=plan,
        started_at=started_at,
        ends_at=started_at + timedelta(days=365) if started_at and happens(draw, 0.6) else None,
        metadata=_metadata(draw, index),
        specifications=_specifications(draw, index),
        source_created_at=created_at,
        source_updated_at=moment(draw, created_at),
        attributes=_attributes(seed, draw, plan),
    )


def _later(draw: Random, after: datetime, share: float) -> datetime | None:
    return moment(draw, after) if happens(draw, share) else None


def _name(draw: Random, index: int) -> str:
    if index < len(_ODD_NAMES):
        return _ODD_NAMES[index]
    return f"{draw.choice(_WORDS)}-{index}"


def _status(draw: Random, index: int) -> int:
    codes = tuple(STATUS_NAMES)
    if index < len(codes):
        return codes[index]
    return draw.choice((*codes, 4, 7, 7, 7, 7, 7, 7, 10, 10))


def _display_name(draw: Random, name: str) -> str | None:
    if happens(draw, 0.05):
        return None
    return draw.choice((*_DISPLAY, name.title()))


def _metadata(draw: Random, index: int) -> JsonValue:
    """Objects mostly; also nothing, an array, and text that is no JSON."""
    kinds: tuple[JsonValue, ...] = (
        None,
        {"region": draw.choice(("eu-north", "me-south")), "seats": draw.randrange(500)},
        {"owner": {"name": "Zoë Ωmega", "tags": ["a", "ب", "🚀"]}, "ratio": 0.5, "trial": False},
        "provisioned by hand, see ticket",
        {},
        [1, "two", None],
        {"note": 'quote " and \\ slash', "empty": "", "nothing": None},
    )
    return kinds[index % len(kinds)]


def _specifications(draw: Random, index: int) -> list[JsonValue]:
    chosen = _SPECIFICATIONS[: index % (len(_SPECIFICATIONS) + 1)]
    return [_specification(draw, name) for name in chosen]


def _specification(draw: Random, name: str) -> JsonObject:
    return {
        "systemName": name,
        "displayName": {"en": name.title(), "ar": "مواصفة"},
        "description": {"en": f"The {name}", "ar": None},
        "isRequired": happens(draw, 0.5),
        "isUserEditable": happens(draw, 0.5),
        "regularExpression": draw.choice((None, r"^\d{1,4}$")),
        "validationFailureDescription": None,
        "value": draw.choice((None, "", "12", "north ☃")),
    }


def _attributes(seed: int, draw: Random, plan: str | None) -> JsonObject:
    attributes: JsonObject = {
        "healthCheckUrl": f"https://{draw.choice(_WORDS)}.example/health"
        if happens(draw, 0.9)
        else None,
        "healthCheckUrlIsOverridden": happens(draw, 0.2),
        "lastResetDate": draw.choice((None, "2025-03-01T10:00:00.1234567")),
        "lastLimitsResetDate": draw.choice((None, "2025-04-01T00:00:00")),
    }
    if plan is not None:
        attributes["plan"] = {"id": guid(seed, "plan", plan), "displayName": plan.title()}
    return attributes
