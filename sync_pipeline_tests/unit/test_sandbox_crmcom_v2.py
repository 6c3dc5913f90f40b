"""The two versions of CRM.COM in the sandbox: names, types, filters, and their truth."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from sync_pipeline.sandbox.places import LANGUAGES
from sync_pipeline.sandbox.world import World
from sync_pipeline_tests.sandbox_calls import Crmcom, Json, true_rows, truth

# A company with a profile, and a person with both papers.
COMPANY, PERSON = 22, 6
# One with hundreds of communications.
BUSY = 17
# What only a single communication says in the first version.
AROUND = {"created_on", "title", "subtitle", "in_app_image_url", "in_app_click_link_url"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 1_000)


@pytest.fixture(scope="module")
def v1(world: World) -> Crmcom:
    return Crmcom(world, "v1")


@pytest.fixture(scope="module")
def v2(world: World) -> Crmcom:
    return Crmcom(world, "v2")


# Contacts


def test_a_company_has_its_profile_under_the_names_of_each_version(v1: Crmcom, v2: Crmcom) -> None:
    shared = {
        "registration_number": "HE000022",
        "registration_country": "CYP",
        "tax_reference_number": "00000022T",
        "vat_registration_number": "CY00000022X",
    }
    industry = "e2f233d3-661a-e8fe-dfa1-16fbc7a173ce"
    sector = "c51ad56e-552d-2a8f-4c26-af32e521ee4f"
    first, later = v1.contact(COMPANY), v2.contact(COMPANY)
    assert first["company_profle"] == {
        **shared,
        "profile_year": 129876567,
        "annual_turnover": 1568.14,
        "established_on": None,
        "number_of_employees": 4327,
        "industry_id": industry,
        "industry_sectors": [sector],
    }
    assert later["company_profile"] == {
        **shared,
        "industry": {"id": industry, "name": "Shipping & Freight"},
        "sub_industries": [{"id": sector, "name": "Wholesale"}],
    }
    assert "company_profile" not in first
    assert "company_profle" not in later


def test_a_person_has_papers_under_the_names_of_each_version(v1: Crmcom, v2: Crmcom) -> None:
    first, later = v1.contact(PERSON)["demographics"], v2.contact(PERSON)["demographics"]
    for paper, number in (("passport", "passport_number"), ("id_details", "id_number")):
        said = dict(first[paper])
        renamed = {
            "number": said.pop(number),
            "issuing_country_code": said.pop("issue_country_code"),
        }
        assert later[paper] == renamed | said
        assert set(said) == {"expiration_date"}


def test_no_name_of_one_version_is_in_the_other(v1: Crmcom, v2: Crmcom) -> None:
    indices = range(v1.world.contacts)
    of_first = {name for index in indices for name in v1.contact(index)}
    of_later = {name for index in indices for name in v2.contact(index)}
    assert of_first - of_later == {
        "title",
        "preferred_language_code",
        "email_address",
        "consent_state",
        "company_profle",
        "category_id",
        "is_tax_exempt",
        "statutory_number",
    }
    assert of_later - of_first == {
        "language_code",
        "email",
        "company_profile",
        "loyalty_identifiers",
        "wallet",
        "creatives",
        "viewed_onboarding_cards",
    }


def test_values_have_types_in_the_later_version_and_loose_ones_in_the_first(
    v1: Crmcom, v2: Crmcom
) -> None:
    def kinds(api: Crmcom) -> tuple[set[type], set[type], set[int]]:
        items = [api.contact(index) for index in range(1_000)]
        flags = {
            type(item.get(name)) for item in items for name in ("sms_opt_out", "email_opt_out")
        }
        parts = {
            type(part)
            for row, item in zip(api.world.every_contact(), items, strict=True)
            if row.birth_on
            for part in item["demographics"]["date_of_birth"].values()
        }
        name = "language_code" if api.version == "v2" else "preferred_language_code"
        return flags, parts, {len(item[name]) for item in items if item.get(name)}

    assert kinds(v1) == ({str, bool, type(None)}, {int, str}, {3})
    assert kinds(v2) == ({bool, type(None)}, {int}, {2, 3})


def test_the_language_is_the_one_of_the_truth_in_every_spelling(v2: Crmcom) -> None:
    for index, row in enumerate(true_rows(v2.world, "contacts", "v2")):
        said = v2.contact(index).get("language_code")
        if row["language"] is None:
            assert said in (None, "", "QAA")
            assert row["attributes"].get("language_code") == (said if said == "QAA" else None)
        else:
            assert said in (*LANGUAGES[row["language"]], row["language"].upper())


def test_truth_of_contacts_differs_only_where_a_version_tells_less_or_by_another_name(
    world: World,
) -> None:
    first, later = (true_rows(world, "contacts", version) for version in ("v1", "v2"))
    assert {row["title"] for row in later} == {row["consent_state"] for row in later} == {None}
    assert "Dr." in {row["title"] for row in first}
    for one, other in zip(first, later, strict=True):
        same = one | {"title": None, "consent_state": None, "attributes": other["attributes"]}
        assert other == same
    wallet = {"id": "cee65edf-6fb0-020f-683e-41924776c4ac", "code": "W000022"}
    phone = {"id": "135aa0ab-89b0-93c8-e0a4-87786a3941c3", "type": "FAX"}
    shared: Json = {
        "phone": phone,
        "avatar_url": None,
        "referral_code": "",
        "custom_fields": [{"key": "shoe_size", "value": ""}],
    }
    profile = first[COMPANY]["attributes"]["company_profle"]
    assert first[COMPANY]["attributes"] == {
        **shared,
        "company_profle": profile,
        "is_tax_exempt": "false",
    }
    assert later[COMPANY]["attributes"] == {
        **shared,
        "company_profile": later[COMPANY]["attributes"]["company_profile"],
        "wallet": wallet,
        "loyalty_identifiers": [],
        "creatives": [],
    }


def test_without_a_version_the_truth_is_that_of_the_first_and_of_an_unknown_one_there_is_none(
    world: World,
) -> None:
    default = b"".join(truth(world, "world/contacts").chunks or ())
    assert default == b"".join(truth(world, "world/contacts", "version=v1").chunks or ())
    assert truth(world, "world/contacts", "version=v3").status == 404


# Communications


def test_the_later_list_says_all_that_the_single_one_says(v2: Crmcom) -> None:
    listed = v2.every_communication(BUSY)
    for item in listed[:30]:
        assert v2.get(f"communications/{item['id']}") == (200, item)
    assert {tuple(item) for item in listed} == {
        (
            "id",
            "state",
            "contact",
            "channel",
            "is_viewed",
            "viewed_on",
            "is_archived",
            "clicked_on",
            "language",
            "sender",
            "recipient",
            "content",
            "subject",
            "name",
            "created_on",
            "message_type",
            "subtitle",
            "in_app_image_url",
        )
    }
    assert {item["message_type"] for item in listed} == {"MAIL", "OSD"}


def test_one_message_in_either_version(v1: Crmcom, v2: Crmcom) -> None:
    identifier = "b8c594eb-3ef3-b41d-b432-42c756d256df"
    shared: Json = {
        "contact": {
            "id": v1.world.contact_id(BUSY),
            "name": "محمد الهاشمي",
            "code": "0000017",
        },
        "channel": "INAPP",
        "is_viewed": False,
        "viewed_on": None,
        "is_archived": False,
        "clicked_on": None,
        "language": "ENG",
        "sender": None,
        "recipient": "0000017",
        "content": "e\u0301 is not é",
        "subject": "С днём рождения 🎂",  # noqa: RUF001 -- another script is the point
        "name": "Welcome",
        "created_on": 1554303586,
        "subtitle": " two spaces ",
        "in_app_image_url": "",
    }
    assert v1.get(f"communications/{identifier}") == (
        200,
        shared
        | {
            "life_cycle_state": "COMPLETED",
            "title": "Νέα προσφορά!",
            "in_app_click_link_url": "shop://offers/42",
        },
    )
    assert v2.get(f"communications/{identifier}") == (
        200,
        shared | {"id": identifier, "state": "COMPLETED", "message_type": "OSD"},
    )


def test_truth_of_the_first_version_is_list_and_detail_together(v1: Crmcom) -> None:
    rows = [
        row
        for row in true_rows(v1.world, "communications", "v1")
        if row["contact_id"] == v1.world.contact_id(BUSY)
    ]
    listed = v1.every_communication(BUSY)
    assert [row["communication_id"] for row in rows] == [item["id"] for item in listed]
    for row, item in zip(rows, listed, strict=True):
        detail = v1.get(f"communications/{item['id']}")[1]
        assert detail.keys() - item.keys() == AROUND | {"contact"}
        assert row["source_created_at"] == instant(detail["created_on"])
        kept = {name: detail[name] for name in AROUND - {"created_on"}}
        kept["contact"] = {name: detail["contact"][name] for name in ("name", "code")}
        assert kept.items() <= row["attributes"].items()
        assert row["attributes"].keys() - kept.keys() <= {"clicked_on", "language"}
    assert "🎁" in {row["attributes"]["title"] for row in rows}


def test_truth_of_the_later_version_is_its_list(v2: Crmcom) -> None:
    rows = [
        row
        for row in true_rows(v2.world, "communications", "v2")
        if row["contact_id"] == v2.world.contact_id(BUSY)
    ]
    for row, item in zip(rows, v2.every_communication(BUSY), strict=True):
        assert row["communication_id"] == item["id"]
        assert row["source_created_at"] == instant(item["created_on"])
        kept = {name: item[name] for name in ("message_type", "subtitle", "in_app_image_url")}
        kept["contact"] = {name: item["contact"][name] for name in ("name", "code")}
        assert kept.items() <= row["attributes"].items()
        assert row["attributes"].keys() - kept.keys() <= {"clicked_on", "language"}


def instant(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).isoformat()


def test_every_oddity_of_messages_is_met_among_a_thousand_contacts(world: World) -> None:
    rows = true_rows(world, "communications", "v1")
    titles = {row["attributes"]["title"] for row in rows}
    assert titles == {"", "Award Provided", "Νέα προσφορά!", "🎁"}
    assert {None, "", "shop://offers/42"} <= {
        row["attributes"]["in_app_click_link_url"] for row in rows
    }
    assert {row["state"] for row in rows} == {"COMPLETED", "PENDING", "REJECTED", "QUEUED"}
    assert {1, None} == {row["attributes"].get("clicked_on") for row in rows}


# Filters


@pytest.mark.parametrize(
    ("operators", "lowest", "highest"),
    [
        ({"gte": 0}, 0, None),
        ({"gt": 0}, 1, None),
        ({"lte": 0}, None, 0),
        ({"lt": 0}, None, -1),
        ({"gte": -9_000_000, "lt": 9_000_000}, -9_000_000, 8_999_999),
        ({"gt": -9_000_000, "lte": 9_000_000}, -8_999_999, 9_000_000),
        ({"gt": 9_000_000, "lt": 0}, 9_000_001, -1),
    ],
)
def test_creation_filters_are_honoured_in_the_later_version_and_ignored_in_the_first(
    v1: Crmcom, v2: Crmcom, operators: dict[str, int], lowest: int | None, highest: int | None
) -> None:
    rows = v2.every_communication(BUSY)
    # An instant that two messages share.
    pivot = next(
        one["created_on"]
        for one, other in pairwise(rows)
        if one["created_on"] == other["created_on"]
    )
    params = {f"created_on[{name}]": pivot + offset for name, offset in operators.items()}
    wanted = [
        row
        for row in rows
        if (lowest is None or row["created_on"] >= pivot + lowest)
        and (highest is None or row["created_on"] <= pivot + highest)
    ]
    assert len(wanted) < len(rows)
    assert v2.every_communication(BUSY, **params) == wanted
    path = f"contacts/{v2.world.contact_id(BUSY)}/communications"
    newest_first = v2.get(path, size=100, **params)[1]["content"] or []
    assert newest_first == wanted[::-1][:100]
    assert v1.every_communication(BUSY, **params) == v1.every_communication(BUSY)


def test_a_creation_filter_holds_together_with_a_channel(v2: Crmcom) -> None:
    rows = v2.every_communication(BUSY)
    since = rows[len(rows) // 2]["created_on"]
    found = v2.every_communication(BUSY, channel="SMS", **{"created_on[gte]": since})
    assert found == [row for row in rows if row["channel"] == "SMS" and row["created_on"] >= since]
    assert found


@pytest.mark.parametrize(
    "params",
    [
        {"created_on[gte]": "2026-01-01"},
        {"created_on[gte]": ""},
        {"created_on[eq]": "1"},
        {"created_on[gt]": "1", "created_on[gte]": "1", "created_on[lt]": "2"},
    ],
)
def test_a_creation_filter_in_the_wrong_form_is_refused_where_it_is_known(
    v1: Crmcom, v2: Crmcom, params: dict[str, str]
) -> None:
    path = f"contacts/{v1.world.contact_id(BUSY)}/communications"
    assert v2.get(path, **params)[0] == 400
    assert v1.get(path, **params)[0] == 200


# The server


def test_a_version_that_does_not_exist_is_no_route(world: World) -> None:
    api = Crmcom(world, "v1")
    api.version = "v3"
    assert api.get(f"contacts/{world.contact_id(0)}")[0] == 404


def test_bytes_are_the_same_in_every_world_of_one_seed(v2: Crmcom) -> None:
    other = Crmcom(World(1, 1_000), "v2")
    for index in (COMPANY, PERSON, BUSY):
        assert json.dumps(v2.contact(index)) == json.dumps(other.contact(index))
