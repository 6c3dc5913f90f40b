"""What tenants can be put on (plans) and are asked for (specifications), in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .rows import JsonObject, JsonValue, Plan, Specification

if TYPE_CHECKING:
    from random import Random

# The vendor's own names, its slip among them; the last number is none that it documents.
TENANCY_TYPES = {1: "Unlimited", 2: "Limited", 3: "Planed", 9: "Hybrid"}
PLAN_CYCLES = {
    2: "Week",
    3: "Month",
    4: "Year",
    5: "OneDay",
    6: "ThreeDays",
    10: "Custom",
    11: "Unlimited",
}
_PLANS = (
    "starter",
    "growth",
    "enterprise-eu",
    "unlimited_2024",
    "trial-14d",
    "legacy",
    "بلاتينيوم",
    "null",
)
_DESCRIPTIONS = ("For small teams", "Για μεγάλες ομάδες", "Line one\nline two", "50 % & more", None)
_SPECIFICATIONS = ("adminEmail", "region", "seatLimit", "vatNumber", "welcomeText", "retiredField")
_ARABIC = ("مواصفة", "", None)
_EXPRESSIONS = (None, r"^\d{1,4}$", "^[^@\\s]+@[^@\\s]+$", r'^"?[a-z\-]+"?$')


def plans(seed: int) -> tuple[Plan, ...]:
    """Every plan, in the order of the vendor's list."""
    return tuple(plan(seed, index, name) for index, name in enumerate(_PLANS))


def specifications(seed: int) -> tuple[Specification, ...]:
    """Every specification, in the order of the vendor's list."""
    return tuple(specification(seed, index, name) for index, name in enumerate(_SPECIFICATIONS))


def plan(seed: int, index: int, name: str) -> Plan:
    """Make the plan at one place, of this name."""
    draw = chance(seed, "rosaas-plan", name)
    tenancy_type = tuple(TENANCY_TYPES)[index % len(TENANCY_TYPES)]
    return Plan(
        source="rosaas",
        plan=name,
        display_name=None if index == len(_PLANS) - 1 else f"{name.title()} ★",
        description=_DESCRIPTIONS[index % len(_DESCRIPTIONS)],
        tenancy_type=TENANCY_TYPES[tenancy_type],
        display_order=draw.randrange(-1, 100),
        is_published=happens(draw, 0.7),
        is_subscribed=happens(draw, 0.5),
        is_locked_by_system=name == "legacy",
        prices=None if index == 5 else _prices(draw, index),  # noqa: PLR2004 - one plan
        attributes={"tenancyType": tenancy_type},
    )


def _prices(draw: Random, index: int) -> list[JsonValue]:
    cycles = draw.sample(tuple(PLAN_CYCLES), k=index % 4)
    return [_price(draw, cycle) for cycle in cycles]


def _price(draw: Random, cycle: int) -> JsonObject:
    return {
        "cycle": cycle,
        "cycleName": PLAN_CYCLES[cycle],
        "price": draw.choice((0, 49, 99.9, 1250.55)),
        "systemName": f"{PLAN_CYCLES[cycle].lower()}-{draw.randrange(10)}",
        "description": draw.choice((None, "", "billed ahead")),
        "isPublished": happens(draw, 0.8),
        "isSubscribed": happens(draw, 0.5),
        "isLockedBySystem": False,
    }


def specification(seed: int, index: int, name: str) -> Specification:
    """Make the specification at one place, of this name."""
    draw = chance(seed, "rosaas-specification", name)
    failure: JsonValue = {"en": "Not valid", "ar": None} if happens(draw, 0.5) else None
    attributes: JsonObject = {
        "displayName": {"ar": _ARABIC[index % len(_ARABIC)]},
        "description": {"ar": _ARABIC[(index + 1) % len(_ARABIC)]},
        "validationFailureDescription": failure,
    }
    is_bare = index == len(_SPECIFICATIONS) - 1
    if is_bare:
        del attributes["description"]
    return Specification(
        source="rosaas",
        specification=name,
        display_name=None if is_bare else name.title(),
        description=None if is_bare else f"The {name}: “as agreed”",
        is_required=happens(draw, 0.5),
        is_user_editable=happens(draw, 0.5),
        regular_expression=_EXPRESSIONS[index % len(_EXPRESSIONS)],
        is_published=happens(draw, 0.7),
        is_subscribed=happens(draw, 0.5),
        attributes=attributes,
    )
