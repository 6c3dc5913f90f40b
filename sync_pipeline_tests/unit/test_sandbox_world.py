"""The sandbox's world as a value: what has to be in it for a comparison to prove anything."""

import json
from collections import Counter
from dataclasses import asdict

import phonenumbers
import pycountry
import pytest

from sync_pipeline.sandbox import render_crmcom
from sync_pipeline.sandbox.estate import STATUS_NAMES
from sync_pipeline.sandbox.ids import opaque_id, place_of
from sync_pipeline.sandbox.messages import communication_count
from sync_pipeline.sandbox.places import COUNTRIES, LANGUAGES, NOT_ISO_COUNTRIES, UNKNOWN_LANGUAGE
from sync_pipeline.sandbox.rows import Contact
from sync_pipeline.sandbox.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 1_000)


@pytest.fixture(scope="module")
def contacts(world: World) -> list[Contact]:
    return list(world.every_contact())


def rendered_number(contact: Contact) -> tuple[str, str] | None:
    phone = json.loads(render_crmcom.contact_detail(1, contact)).get("phone")
    if phone is None:
        return None
    country = pycountry.countries.get(alpha_3=phone["country_code"])
    assert country is not None
    return phone["number"], country.alpha_2


def e164(number: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def test_every_rendered_phone_reads_as_its_canonical_number(contacts: list[Contact]) -> None:
    forms = Counter[str]()
    for contact in contacts:
        given = rendered_number(contact)
        if given is None:
            assert (contact.phone, contact.phone_country) == (None, None)
            continue
        assert (e164(*given), given[1]) == (contact.phone, contact.phone_country)
        forms[given[0][:1] + (" " if " " in given[0] else "")] += 1
    assert {contact.phone_country for contact in contacts} >= set(COUNTRIES)
    assert min(forms["+"], forms["+ "], forms["0"], forms["0 "]) > 10
    odd = [contact.attributes["phone"] for contact in contacts if contact.phone_country]
    assert sum("number" in phone for phone in odd if isinstance(phone, dict)) == 20


def test_codes_are_those_of_the_standards_and_the_odd_ones_are_not() -> None:
    for alpha2, country in COUNTRIES.items():
        standard = pycountry.countries.get(alpha_2=alpha2)
        assert standard is not None
        assert standard.alpha_3 == country.alpha3
    for alpha2, spellings in LANGUAGES.items():
        language = pycountry.languages.get(alpha_2=alpha2)
        assert language is not None
        known = {language.alpha_3, getattr(language, "bibliographic", language.alpha_3)}
        assert {spelling.lower() for spelling in spellings} == known
    assert pycountry.languages.get(alpha_3=UNKNOWN_LANGUAGE.lower()) is None
    assert [pycountry.countries.get(alpha_3=code) for code in NOT_ISO_COUNTRIES] == [None, None]


def test_every_odd_value_is_met_among_a_hundred_contacts() -> None:
    rows = list(World(1, 100).every_contact())
    kept = Counter(name for row in rows for name in row.attributes)
    partial = [
        row.attributes["demographics"]["date_of_birth"]
        for row in rows
        if "date_of_birth" in str(row.attributes.get("demographics"))
        and isinstance(row.attributes["demographics"], dict)
    ]
    assert kept["country_of_agreement"] == 2
    assert kept["preferred_language_code"] == 2
    assert partial[0] == {"year": 1980, "month": 5}
    assert "UNSPECIFIED" in {row.gender for row in rows}
    assert {row.type for row in rows} == {"PERSON", "COMPANY", "PROSPECT"}


def test_no_column_value_has_white_space_around_it(contacts: list[Contact]) -> None:
    values = [value for row in contacts for value in asdict(row).values() if isinstance(value, str)]
    assert [value for value in values if value != value.strip() or not value] == []
    emails = [row.email for row in contacts if row.email]
    assert emails == [email.lower() for email in emails]
    assert len(set(emails)) == len(emails)


def test_both_shapes_of_id_occur_and_lead_back_to_their_place(contacts: list[Contact]) -> None:
    shapes = Counter("-" in row.contact_id for row in contacts)
    assert min(shapes.values()) > 400
    assert place_of(1, "communication", opaque_id(1, "communication", 7, 300)) == (7, 300)
    identifier = contacts[0].contact_id
    for other in (identifier.swapcase(), identifier + "0", "g" * 32, "", "0" * 32):
        assert place_of(1, "contact", other) is None
    assert place_of(2, "contact", identifier) is None
    assert World(1, 3).contact_index(contacts[3].contact_id) is None


def test_most_contacts_have_few_communications_and_one_has_thousands() -> None:
    counts = [communication_count(1, index) for index in range(1_000)]
    assert max(counts) >= 2_000
    assert 9 < sum(counts) / len(counts) < 16
    assert sum(count <= 5 for count in counts) > 650


def test_creation_times_ascend_with_ties(world: World) -> None:
    instants = [row.source_created_at for row in world.communications(137) if row.source_created_at]
    assert instants == sorted(instants)
    assert len(instants) - len(set(instants)) > 300
    elsewhere = {row.source_created_at for row in world.communications(17)}
    assert elsewhere & set(instants)


def test_every_communication_id_is_found_at_its_place(world: World) -> None:
    rows = world.communications(17)
    places = [world.communication_place(row.communication_id) for row in rows]
    assert places == [(17, ordinal) for ordinal in range(len(rows))]
    beyond = opaque_id(1, "communication", 17, len(rows))
    assert world.communication_place(beyond) is None


def test_placeholders_and_early_dates_of_clicks_are_told_apart(world: World) -> None:
    rows = world.communications(137)
    rendered = [json.loads(render_crmcom.communication_list_item(row)) for row in rows]
    for row, item in zip(rows, rendered, strict=True):
        clicked = item["clicked_on"]
        at = row.clicked_at
        assert row.attributes.get("clicked_on") == (1 if clicked == 1 else None)
        assert (clicked if clicked != 1 else None) == (at and int(at.timestamp()))
    assert {1, None, 129_876_567} <= {item["clicked_on"] for item in rendered}


@pytest.mark.parametrize(("contacts", "count"), [(0, 28), (1_000, 50), (20_000, 1_000)])
def test_tenants_are_in_every_status_under_distinct_names(contacts: int, count: int) -> None:
    rows = World(1, contacts).tenants
    assert len({row.tenant_name for row in rows}) == len(rows) == count
    assert {row.status_code: row.status for row in rows} == STATUS_NAMES
    assert all(row.is_running == (row.status_code in (4, 7)) for row in rows)
    assert {type(row.metadata) for row in rows} == {type(None), dict, str, list}
    assert set("?><;,{}[]-_") <= set("".join(row.tenant_name for row in rows))
