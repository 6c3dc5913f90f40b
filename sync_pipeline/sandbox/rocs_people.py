"""Contacts of ROCS in canonical form; about half of them are also persons of CRM.COM."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from . import people, rocs_ids, rocs_members
from .chance import chance, happens
from .names import CULTURES
from .places import COUNTRIES
from .rows import Contact, JsonObject

if TYPE_CHECKING:
    from random import Random

_FIRST_BIRTH = date(1935, 1, 1)
_BIRTH_DAYS = 26_000
# Of ten contacts four are known by their id, one more by its e-mail, one more by its phone.
_KNOWN_BY_ID, _KNOWN_BY_EMAIL, _KNOWN_BY_PHONE = 0.4, 0.5, 0.6
# Every so many contacts one of these; at 50 contacts of ROCS each has been seen.
_ODD_EVERY = 50
_ODD_BIRTH, _ODD_STATUS, _ODD_TYPE, _ODD_GENDER, _ODD_PHONE = 3, 9, 15, 21, 27
# These two are also someone else's: of the contact before.
_SAME_EMAIL, _SAME_PHONE = 41, 45
_ODD_BIRTHS = ("0001-01-01T00:00:00", "17.06.1985", "1985-02-30T00:00:00", "ukjent", "1985")
_ODD_PHONES = ("12", "n/a", "+0", "4061 ring etter fem", "+47")
_GENDERS = ("Ukjent", "X", "Annet")
_HOMES = tuple(COUNTRIES.values())
# What ROCS has no field for.
NOT_KEPT = dict.fromkeys(
    (
        "code",
        "title",
        "middle_name",
        "company_name",
        "phone_country",
        "language",
        "country",
        "consent_state",
    )
)


class Bond(Enum):
    """By what a contact can be known as a person of CRM.COM."""

    EXTERNAL_ID = "its id there, and mostly its e-mail and phone"
    EMAIL = "its e-mail alone"
    PHONE = "its phone alone"
    NONE = "nothing: it is known to ROCS only"


def contact(seed: int, index: int, contacts: int) -> Contact:
    """Make the contact at one place of the order of ids; `contacts` are those of CRM.COM."""
    draw = chance(seed, "rocs-contact", index)
    bond, twin = _bond(draw, seed, index, contacts)
    opt_outs = {name: draw.choice((True, False, False, False, None)) for name in ("EMAIL", "SMS")}
    identifier = rocs_ids.contact_id(seed, index)
    attributes: JsonObject = {}
    return Contact(
        source="rocs",
        contact_id=str(identifier),
        type=_word(draw, index, _ODD_TYPE, "LEVERANDØR", ("CUSTOMER", "CUSTOMER", "PROSPECT")),
        status=_word(draw, index, _ODD_STATUS, "Slettet?", ("ACTIVE", "ACTIVE", "INACTIVE")),
        **NOT_KEPT,
        **_naming(draw, index, twin if bond in (Bond.EXTERNAL_ID, Bond.EMAIL) else None),
        email=_email(draw, (seed, index, contacts), bond, twin),
        phone=_phone(draw, (seed, index, contacts), bond, twin, attributes),
        birth_on=_birth(draw, index, twin if bond is Bond.EXTERNAL_ID else None, attributes),
        email_opt_out=opt_outs["EMAIL"],
        sms_opt_out=opt_outs["SMS"],
        external_id=_external_id(draw, index, bond, twin),
        organisation_id=_organisation(draw, attributes),
        source_created_at=None,
        source_updated_at=None,
        attributes=attributes | rocs_members.members(draw, identifier, opt_outs),
    )


def _bond(draw: Random, seed: int, index: int, contacts: int) -> tuple[Bond, Contact | None]:
    """Draw the bond, and make the person of CRM.COM at its other end."""
    share = draw.random()
    other = rocs_ids.twin_index(index)
    if share >= _KNOWN_BY_PHONE or other >= contacts:
        return Bond.NONE, None
    twin = people.contact(seed, other)
    if twin.type != "PERSON":
        return Bond.NONE, None
    if share < _KNOWN_BY_ID:
        return Bond.EXTERNAL_ID, twin
    if share < _KNOWN_BY_EMAIL:
        return (Bond.EMAIL, twin) if twin.email else (Bond.NONE, None)
    return (Bond.PHONE, twin) if twin.phone else (Bond.NONE, None)


def _word(draw: Random, index: int, place: int, odd: str, words: tuple[str, ...]) -> str | None:
    drawn = draw.choice((*words, *words, *words, None))
    return odd if index % _ODD_EVERY == place else drawn


def _naming(draw: Random, index: int, twin: Contact | None) -> dict[str, str | None]:
    """Names of the twin, though one in six disagrees in the first; own ones without a twin."""
    is_female = happens(draw, 0.5)
    culture = draw.choice(CULTURES)
    own = draw.choice(culture.female if is_female else culture.male)
    gender = draw.choice(("FEMALE" if is_female else "MALE",) * 4 + (None,))
    naming = {
        "first_name": own,
        "last_name": draw.choice((*culture.family, None)),
        "gender": gender,
    }
    if twin is not None:
        naming |= {"last_name": twin.last_name, "gender": twin.gender}
        naming |= {} if happens(draw, 0.16) else {"first_name": twin.first_name}
    if index % _ODD_EVERY == _ODD_GENDER:
        naming["gender"] = _GENDERS[index // _ODD_EVERY % len(_GENDERS)]
    return naming


def _email(
    draw: Random, place: tuple[int, int, int], bond: Bond, twin: Contact | None
) -> str | None:
    seed, index, contacts = place
    own = f"{draw.choice(('post', 'kari.n', 'o+rocs', 'bjørn'))}.{index}@kunde.example"
    drawn = own if happens(draw, 0.92) else None
    is_shared = bond is Bond.EMAIL or (bond is Bond.EXTERNAL_ID and happens(draw, 0.85))
    if index % _ODD_EVERY == _SAME_EMAIL:
        return contact(seed, index - 1, contacts).email
    return twin.email if twin and is_shared else drawn


def _phone(
    draw: Random,
    place: tuple[int, int, int],
    bond: Bond,
    twin: Contact | None,
    attributes: JsonObject,
) -> str | None:
    """Decide the number in E.164; what cannot be read without a country stays as it is."""
    seed, index, contacts = place
    country = draw.choice(_HOMES)
    digits = country.mobile + "".join(draw.choices("123456789", k=country.digits))
    own = f"+{country.calling}{digits}" if happens(draw, 0.85) else None
    kind = draw.random()
    if index % _ODD_EVERY == _ODD_PHONE:
        attributes["phoneMobile"] = _ODD_PHONES[index // _ODD_EVERY % len(_ODD_PHONES)]
        return None
    if index % _ODD_EVERY == _SAME_PHONE:
        return contact(seed, index - 1, contacts).phone
    if twin and (bond is Bond.PHONE or (bond is Bond.EXTERNAL_ID and kind < 0.8)):  # noqa: PLR2004 - shares are said here
        return twin.phone
    if kind > 0.9:  # noqa: PLR2004 - as above
        national = (
            country.trunk + digits,
            f"00{country.calling}{digits}",
            f"{digits[:3]} {digits[3:]}",
        )
        attributes["phoneMobile"] = draw.choice(national)
        return None
    return own


def _birth(draw: Random, index: int, twin: Contact | None, attributes: JsonObject) -> date | None:
    """Draw a day; a time beside it that is not midnight is kept too, as the source writes it."""
    own = _FIRST_BIRTH + timedelta(days=draw.randrange(_BIRTH_DAYS))
    drawn = own if happens(draw, 0.7) else None
    is_shifted = happens(draw, 0.2)
    if index % _ODD_EVERY == _ODD_BIRTH:
        attributes["dob"] = _ODD_BIRTHS[index // _ODD_EVERY % len(_ODD_BIRTHS)]
        return None
    born = twin.birth_on if twin and happens(draw, 0.8) else drawn
    if born and is_shifted:
        attributes["dob"] = f"{born.isoformat()}T02:00:00"
    return born


def _external_id(draw: Random, index: int, bond: Bond, twin: Contact | None) -> str | None:
    if bond is Bond.EXTERNAL_ID and twin:
        return twin.contact_id
    is_unknown = bond is Bond.NONE and happens(draw, 0.3)
    return rocs_ids.unknown_external_id(index) if is_unknown else None


def _organisation(draw: Random, attributes: JsonObject) -> str | None:
    organisation = draw.choice((0, 0, 4_711, 20_015, None))
    if organisation == 0:  # the vendor's placeholder for none
        attributes["organizationId"] = 0
    return str(organisation) if organisation else None
