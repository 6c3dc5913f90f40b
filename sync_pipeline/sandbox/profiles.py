"""What no column holds of a contact: pictures, papers, a company's profile, custom fields.

The members of every API version stand side by side, under the first version's names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import happens
from .ids import guid

if TYPE_CHECKING:
    from random import Random

    from .rows import JsonObject, JsonValue

_INDUSTRIES = ("Retail", "Shipping & Freight", "Φιλοξενία")


def left_over(
    draw: Random, seed: int, index: int, *, is_company: bool, so_far: JsonObject
) -> JsonObject:
    """Draw the members; `so_far` are those that a column could not keep."""
    picture = f"https://cdn.example/avatars/{guid(seed, 'avatar', index)}.png"
    left: JsonObject = {"avatar_url": draw.choice((picture, picture, None, ""))}
    if happens(draw, 0.5):
        left["referral_code"] = draw.choice(("", f"REF{index:05d}", None))
    left["custom_fields"] = _custom_fields(draw)
    if is_company:
        if happens(draw, 0.5):
            left["company_profle"] = _company_profile(draw, seed, index)
    else:
        demographics = _demographics(draw, so_far.get("demographics"))
        if happens(draw, 0.25):
            number = draw.choice((f"{draw.randrange(10**7):08d}", "", None))
            left["statutory_number"] = demographics["statutory_number"] = number
        if demographics:
            left["demographics"] = demographics
    return left | _account(draw, seed, index)


def _account(draw: Random, seed: int, index: int) -> JsonObject:
    account: JsonObject = {
        "is_tax_exempt": draw.choice(("false", "false", "true", None)),
        "wallet": {"id": guid(seed, "wallet", index), "code": f"W{index:06d}"},
        "loyalty_identifiers": [{"identifier": f"99{index:08d}"}] if happens(draw, 0.3) else [],
        "creatives": [],
    }
    if happens(draw, 0.4):
        account["category_id"] = guid(seed, "category", index % 7)
    if happens(draw, 0.4):
        account["viewed_onboarding_cards"] = happens(draw, 0.5)
    return account


def _custom_fields(draw: Random) -> list[JsonValue]:
    keys = ("shoe_size", "loyalty tier", "ключ", "notes")[: draw.randrange(5)]
    return [{"key": key, "value": draw.choice(("42", "", "gold ★", "true"))} for key in keys]


def _company_profile(draw: Random, seed: int, index: int) -> JsonObject:
    place = index % len(_INDUSTRIES)
    industry = guid(seed, "industry", place)
    return {
        "profile_year": 129876567,
        "annual_turnover": 1568.14,
        "established_on": draw.choice((129876567, None)),
        "number_of_employees": draw.randrange(5000),
        "registration_number": f"HE{index:06d}",
        "registration_country": "CYP",
        "tax_reference_number": draw.choice((f"{index:08d}T", "")),
        "vat_registration_number": draw.choice((f"CY{index:08d}X", None)),
        "industry_id": industry,
        "industry_sectors": [guid(seed, "sector", place)] if happens(draw, 0.5) else [],
        "industry": {"id": industry, "name": _INDUSTRIES[place]},
        "sub_industries": [{"id": guid(seed, "sector", place), "name": "Wholesale"}],
    }


def _demographics(draw: Random, so_far: JsonValue) -> JsonObject:
    left: JsonObject = {**so_far} if isinstance(so_far, dict) else {}
    if happens(draw, 0.3):
        day: JsonValue = draw.choice((4, "4", "04"))
        left["name_day"] = {"month": 10, "day": day} if happens(draw, 0.5) else None
    if happens(draw, 0.1):
        left["passport"] = {
            "passport_number": f"{draw.randrange(10**6):08d}",
            "issue_country_code": "CYP",
            "expiration_date": 129876567,
        }
    if happens(draw, 0.1):
        left["id_details"] = {
            "id_number": f"{draw.randrange(10**6):010d}",
            "issue_country_code": draw.choice(("CYP", "RKS")),
            "expiration_date": draw.choice((1924905600, None)),
        }
    return left
