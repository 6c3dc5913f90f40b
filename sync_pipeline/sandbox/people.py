"""Contacts in canonical form: who they are, what is missing, and what no column can hold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from .chance import chance, happens
from .ids import guid, opaque_id
from .names import COMPANIES, CULTURES, Culture
from .places import COUNTRIES, NOT_ISO_COUNTRIES, UNKNOWN_LANGUAGE
from .profiles import left_over
from .rows import Contact, JsonObject

if TYPE_CHECKING:
    from random import Random

KIND = "contact"
_FIRST_BIRTH = date(1930, 1, 1)
_BIRTH_DAYS = 28_000
# Values that stand in a phone field and are no number anywhere in the world.
_NO_NUMBERS = ("12", "n/a", "unknown", "--", "+0")
# Dates of birth without a day in the calendar; they stay as the source has them.
_NO_DATES: tuple[JsonObject, ...] = (
    {"year": 1980, "month": 5},
    {"year": 1990, "month": 2, "day": 30},
    {"year": 1977, "month": 2, "day": "30"},
    {"year": 1964},
    {"month": 12, "day": 24},
)
# Every so many contacts one of these; at 100 contacts each has been seen twice.
_ODD_EVERY = 50
_ODD_PHONE, _ODD_BIRTH, _ODD_GENDER, _ODD_COUNTRY, _ODD_LANGUAGE, _ODD_TYPE = 3, 7, 13, 19, 29, 31
_NO_PHONE_NUMBER = 37


def contact(seed: int, index: int) -> Contact:
    """Make the contact at one place of the creation order."""
    draw = chance(seed, KIND, index)
    culture = CULTURES[index % len(CULTURES)] if index < _ODD_EVERY else draw.choice(CULTURES)
    is_company = happens(draw, 0.12)
    home = draw.choice(culture.countries)
    attributes: JsonObject = {}
    return Contact(
        source="crmcom",
        contact_id=opaque_id(seed, KIND, index),
        code=_code(draw, index),
        type=_type(index, is_company=is_company),
        status=None,
        **_naming(draw, culture, index, is_company=is_company),
        email=f"{_mailbox(draw)}{index}@example.{draw.choice(('com', 'net', 'org'))}"
        if happens(draw, 0.9)
        else None,
        **_telephone(draw, seed, index, home, attributes),
        language=_language(draw, index, culture, attributes),
        birth_on=None if is_company else _birth(draw, index, attributes),
        country=_country(draw, index, home, attributes),
        email_opt_out=draw.choice((True, False, False, False, None)),
        sms_opt_out=draw.choice((True, False, False, False, None)),
        consent_state=draw.choice(("ACCEPTED", "ACCEPTED", "PENDING", "REJECTED", None)),
        external_id=None,
        organisation_id=None,
        source_created_at=None,
        source_updated_at=None,
        attributes=attributes
        | left_over(draw, seed, index, is_company=is_company, so_far=attributes),
    )


def _code(draw: Random, index: int) -> str:
    """Digits with leading zeros, or letters and digits: never a number."""
    return f"{index:07d}" if happens(draw, 0.7) else f"C{index}{draw.choice('AXZ')}"


def _type(index: int, *, is_company: bool) -> str:
    if index % _ODD_EVERY == _ODD_TYPE:
        return "PROSPECT"
    return "COMPANY" if is_company else "PERSON"


def _naming(
    draw: Random, culture: Culture, index: int, *, is_company: bool
) -> dict[str, str | None]:
    none = dict.fromkeys(("title", "first_name", "middle_name", "last_name", "gender"))
    if is_company:
        return {**none, "company_name": draw.choice(COMPANIES)}
    is_female = happens(draw, 0.5)
    given = culture.female if is_female else culture.male
    gender = draw.choice(("FEMALE" if is_female else "MALE",) * 8 + ("OTHER", None))
    return {
        "title": draw.choice((None, "Ms" if is_female else "Mr", "Dr.")),
        "first_name": draw.choice(given),
        "middle_name": draw.choice(given) if happens(draw, 0.2) else None,
        "last_name": draw.choice(culture.family),
        "company_name": None,
        "gender": "UNSPECIFIED" if index % _ODD_EVERY == _ODD_GENDER else gender,
    }


def _mailbox(draw: Random) -> str:
    return draw.choice(("info", "anna.k", "john+crm", "o'brien", "x_y-z", "müller", "contact"))


def _telephone(
    draw: Random, seed: int, index: int, home: str, attributes: JsonObject
) -> dict[str, str | None]:
    if happens(draw, 0.12) and index % _ODD_EVERY not in (_ODD_PHONE, _NO_PHONE_NUMBER):
        return {"phone": None, "phone_country": None}
    country = COUNTRIES[home]
    kept: JsonObject = {"id": guid(seed, "phone", index), "type": draw.choice(("MOBILE", "FAX"))}
    attributes["phone"] = kept
    rest = "".join(draw.choices("123456789", k=country.digits))
    phone: str | None = f"+{country.calling}{country.mobile}{rest}"
    if index % _ODD_EVERY == _ODD_PHONE:
        kept["number"] = _NO_NUMBERS[index // _ODD_EVERY % len(_NO_NUMBERS)]
        phone = None
    elif index % _ODD_EVERY == _NO_PHONE_NUMBER:
        phone = None
    return {"phone": phone, "phone_country": home}


def _language(draw: Random, index: int, culture: Culture, attributes: JsonObject) -> str | None:
    if index % _ODD_EVERY == _ODD_LANGUAGE:
        attributes["preferred_language_code"] = UNKNOWN_LANGUAGE
        return None
    return draw.choice((culture.language, culture.language, culture.language, "en", None))


def _country(draw: Random, index: int, home: str, attributes: JsonObject) -> str | None:
    if index % _ODD_EVERY == _ODD_COUNTRY:
        odd = NOT_ISO_COUNTRIES[index // _ODD_EVERY % len(NOT_ISO_COUNTRIES)]
        attributes["country_of_agreement"] = odd
        return None
    return home if happens(draw, 0.9) else None


def _birth(draw: Random, index: int, attributes: JsonObject) -> date | None:
    if index % _ODD_EVERY == _ODD_BIRTH:
        no_date = _NO_DATES[index // _ODD_EVERY % len(_NO_DATES)]
        attributes["demographics"] = {"date_of_birth": {**no_date}}
        return None
    if happens(draw, 0.25):
        return None
    return _FIRST_BIRTH + timedelta(days=draw.randrange(_BIRTH_DAYS))
