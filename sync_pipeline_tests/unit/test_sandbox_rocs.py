"""The sandbox's ROCS: its token calls, lookups and lists, and what its world has to hold."""
# ruff: noqa: RUF001 - other scripts are the point

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import phonenumbers
import pytest

from sync_pipeline.sandbox import access, rocs_ids
from sync_pipeline.sandbox.live import LiveWorld
from sync_pipeline.sandbox.rocs_api import RocsApi
from sync_pipeline.sandbox.rocs_login import token_reply
from sync_pipeline.sandbox.rows import Communication, Contact, as_json_object
from sync_pipeline.sandbox.wire import Reply, Request
from sync_pipeline.sandbox.world import World

Json = dict[str, Any]
CONTACTS = "CustomerAPI/v1/Contacts"
DYNAMIC = "CustomerAPI/v1/DynamicFields"
ACTIVITIES = "CommunicationAPI/v1/Activities"
LISTS = "ListAPI/v1/Lists"
CAMPAIGNS = "CampaignAPI/v1/Campaigns"
FORM = {
    "grant_type": "client_credentials",
    "client_id": access.ROCS_CLIENT_ID,
    "client_secret": access.ROCS_CLIENT_SECRET,
}
RESOURCE = {"resource": access.ROCS_RESOURCE}
SCOPE = {"scope": access.ROCS_SCOPE}
V1, V2 = "oauth2/token", "oauth2/v2.0/token"


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 1_000)


@pytest.fixture(scope="module")
def contacts(world: World) -> list[Contact]:
    return list(world.rocs.every_contact())


@pytest.fixture(scope="module")
def activities(world: World) -> list[Communication]:
    return list(world.rocs.every_activity())


def log_in(path: str, form: dict[str, str], *, method: str = "POST") -> Reply:
    segments = ("rocs-login", *path.split("/"))
    return token_reply(Request(method, segments, b"", (), urlencode(form).encode()))


class Client:
    """Asks one API with a token of its own."""

    def __init__(self, world: World) -> None:
        self.api = RocsApi(LiveWorld(world))
        token = json.loads(log_in(V1, FORM | RESOURCE).body)["access_token"]
        self.headers = ((b"authorization", f"Bearer {token}".encode()),)

    def ask(self, path: str, *, method: str = "GET", **query: Any) -> Reply:  # noqa: ANN401 - text or a number
        segments = ("rocs", *path.split("/"))
        parameters = urlencode(query).encode()
        return self.api.reply(Request(method, segments, parameters, self.headers, b""))

    def read(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        reply = self.ask(path, **query)
        assert reply.status == 200
        return json.loads(reply.body)

    def every(self, path: str, size: int) -> list[Json]:
        rows: list[Json] = []
        page = 1
        while True:
            answer = self.read(path, page=page, pageSize=size)
            assert set(answer) == {"items", "totalCount"}
            rows += answer["items"]
            if len(answer["items"]) < size:
                assert answer["totalCount"] == len(rows)
                return rows
            page += 1


@pytest.fixture(scope="module")
def client(world: World) -> Client:
    return Client(world)


@pytest.fixture(scope="module")
def items(client: Client) -> list[Json]:
    return client.every(CONTACTS, 1_000)


# Tokens


def test_version_one_answers_its_numbers_as_text() -> None:
    answer = json.loads(log_in(V1, FORM | RESOURCE).body)
    assert set(answer) == {
        "token_type",
        "access_token",
        "expires_in",
        "ext_expires_in",
        "expires_on",
        "not_before",
        "resource",
    }
    assert {type(value) for value in answer.values()} == {str}
    assert int(answer["expires_on"]) - int(answer["not_before"]) == int(answer["expires_in"])


def test_version_two_answers_its_numbers_as_numbers() -> None:
    answer = json.loads(log_in(V2, FORM | SCOPE).body)
    assert answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600}


@pytest.mark.parametrize(
    ("path", "form", "refusal"),
    [
        (V1, FORM | RESOURCE | {"client_secret": "no"}, (401, "invalid_client", 7000215)),
        (V2, FORM | SCOPE | {"client_id": "nobody"}, (401, "unauthorized_client", 700016)),
        (V1, FORM | SCOPE, (400, "invalid_resource", 500011)),
        (V2, FORM | RESOURCE, (400, "invalid_scope", 70011)),
        (V1, FORM | {"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        (V1, {}, (400, "invalid_request", 900144)),
    ],
)
def test_a_login_is_refused_in_the_form_of_azure(
    path: str, form: dict[str, str], refusal: tuple[int, str, int]
) -> None:
    reply = log_in(path, form)
    body = json.loads(reply.body)
    assert (reply.status, body["error"], *body["error_codes"]) == refusal
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }


def test_tokens_are_given_by_post_to_the_two_paths_only() -> None:
    assert log_in(V1, FORM | RESOURCE, method="GET").status == 405
    assert log_in("oauth2/v3.0/token", FORM | RESOURCE).status == 404


@pytest.mark.parametrize("header", [None, b"no", b"Bearer no", b"Bearer a.b.c"])
@pytest.mark.parametrize("path", [CONTACTS, DYNAMIC, ACTIVITIES, LISTS, CAMPAIGNS])
def test_nothing_is_told_without_a_token(client: Client, path: str, header: bytes | None) -> None:
    headers = ((b"authorization", header),) if header else ()
    request = Request("GET", ("rocs", *path.split("/")), b"", headers, b"")
    assert client.api.reply(request) == Reply(401)


# Lists


@pytest.mark.parametrize("size", [7, 100, 1_000])
def test_pages_of_any_size_hold_each_contact_once_in_the_order_of_ids(
    client: Client, contacts: list[Contact], size: int
) -> None:
    ids = [item["id"] for item in client.every(CONTACTS, size)]
    assert [str(identifier) for identifier in ids] == [row.contact_id for row in contacts]
    assert ids == sorted(set(ids))
    assert len(ids) == 600


@pytest.mark.parametrize("size", [1, 13, 1_000])
def test_pages_of_any_size_hold_each_activity_once_in_the_order_of_ids(
    activities: list[Communication], size: int
) -> None:
    small = World(1, 40)
    found = Client(small).every(ACTIVITIES, size)
    rows = list(small.rocs.every_activity())
    assert [str(item["id"]) for item in found] == [row.communication_id for row in rows]
    assert [str(item["contactId"]) for item in found] == [row.contact_id for row in rows]
    assert {count for _, count in Counter(row.contact_id for row in activities).items()} == {
        1,
        2,
        3,
        4,
        5,
        6,
    }


def test_a_page_is_a_hundred_by_default_and_a_thousand_at_most(client: Client) -> None:
    assert len(client.read(CONTACTS)["items"]) == 100
    assert len(client.read(ACTIVITIES, pageSize=5_000)["items"]) == 1_000
    beyond = client.read(CONTACTS, page=99, pageSize=100)
    assert beyond == {"items": [], "totalCount": 600}
    everything = client.read(CONTACTS, pageSize=1_000)
    assert client.read(CONTACTS, pageSize=1_000, modifiedSince="2999-01-01") == everything


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"pageSize": "-1"},
        {"page": "two"},
        {"id": "1", "email": "a@b.example"},
        {"id": "not-a-number"},
        {"email": " "},
    ],
)
def test_what_it_dislikes_is_a_500_with_text(client: Client, query: dict[str, str]) -> None:
    reply = client.ask(CONTACTS, **query)
    assert (reply.status, reply.content_type) == (500, b"text/plain; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


def test_other_verbs_and_paths_are_refused(client: Client) -> None:
    assert client.ask(CONTACTS, method="PATCH").status == 405
    assert client.ask("CustomerAPI/v2/Contacts").status == 404


# Lookups


def test_each_identifier_finds_the_same_object_as_the_list_and_of_several_the_first(
    client: Client, items: list[Json], contacts: list[Contact]
) -> None:
    first_by_email: dict[str, Json] = {}
    first_by_phone: dict[str, Json] = {}
    for item, row in zip(items, contacts, strict=True):
        assert client.read(CONTACTS, id=item["id"]) == item
        if row.external_id:
            assert client.read(CONTACTS, externalId=row.external_id) == item
        if row.email:
            first = first_by_email.setdefault(row.email, item)
            assert client.read(CONTACTS, email=f" {row.email.upper()}") == first
        if row.phone:
            first = first_by_phone.setdefault(row.phone, item)
            assert client.read(CONTACTS, mobile=row.phone) == first
            assert client.read(CONTACTS, mobile=item["phoneMobile"]) == first
    assert len(first_by_email) < sum(row.email is not None for row in contacts)
    assert len(first_by_phone) < sum(row.phone is not None for row in contacts)


def test_an_unknown_contact_is_a_404_or_null(client: Client, items: list[Json]) -> None:
    taken = {item["id"] for item in items}
    skipped = next(number for number in range(min(taken), max(taken)) if number not in taken)
    for identifier in (skipped, 0, max(taken) + 3, 10**17):
        assert client.ask(CONTACTS, id=identifier) == Reply(404)
        assert client.ask(DYNAMIC, id=identifier) == Reply(404)
    for external_id in ("7000600", "7", "no", "1244537a-97f0-c459-30b4-08b3a86835be"):
        assert client.ask(CONTACTS, externalId=external_id) == Reply(404)
    for query in ({"email": "nobody@kunde.example"}, {"email": "x.9@y.z"}, {"mobile": "+4799"}):
        assert client.read(CONTACTS, **query) is None


def test_dynamic_fields_are_those_of_the_world_and_in_no_contact_object(
    client: Client, items: list[Json], contacts: list[Contact]
) -> None:
    for item, row in zip(items, contacts, strict=True):
        assert "dynamic_fields" not in item
        assert client.read(DYNAMIC, id=item["id"]) == row.attributes["dynamic_fields"]
    sizes = Counter(
        len(fields)
        for row in contacts
        if isinstance(fields := row.attributes["dynamic_fields"], dict)
    )
    assert sizes[0] > 50
    assert max(sizes) >= 4
    assert client.ask(DYNAMIC).status == 500


# Who they are


def test_half_of_them_are_persons_of_crmcom_by_id_email_or_phone(
    world: World, contacts: list[Contact]
) -> None:
    others = list(world.every_contact())
    by_id = {row.contact_id: row for row in others}
    emails = {row.email for row in others} - {None}
    phones = {row.phone for row in others} - {None}
    linked = [(row, by_id[row.external_id]) for row in contacts if row.external_id in by_id]
    by_email = [r for r in contacts if not r.external_id and r.email in emails]
    by_phone = [
        r for r in contacts if not r.external_id and r.email not in emails and r.phone in phones
    ]
    unknown = [r for r in contacts if r.external_id and r.external_id not in by_id]
    assert len(linked) > 170
    assert min(len(by_email), len(by_phone)) > 25
    assert len(linked) + len(by_email) + len(by_phone) > 0.42 * len(contacts)
    assert len(unknown) > 50
    assert all(row.external_id and row.external_id.isdigit() for row in unknown)
    assert len({row.external_id for row in contacts if row.external_id}) == len(linked) + len(
        unknown
    )
    for name in ("first_name", "email", "phone"):
        agreeing = sum(getattr(row, name) == getattr(other, name) for row, other in linked)
        assert 0.6 * len(linked) < agreeing < 0.95 * len(linked)


def global_optins(item: Json, channel: str) -> list[bool]:
    return [
        permission["optin"]
        for permission in item.get("contactPermissions", [])
        if permission["channelType"].upper() == channel
        and permission["permissionGroupType"].upper() == "GLOBAL"
        and permission["permissionType"].upper() == "GLOBAL"
    ]


def test_an_opt_out_is_what_the_global_permissions_come_to(
    items: list[Json], contacts: list[Contact]
) -> None:
    kinds = Counter[tuple[bool, ...]]()
    for item, row in zip(items, contacts, strict=True):
        for channel, opt_out in (("EMAIL", row.email_opt_out), ("SMS", row.sms_opt_out)):
            optins = global_optins(item, channel)
            assert opt_out == (not any(optins) if optins else None)
            kinds[tuple(sorted(optins))] += 1
    assert set(kinds) == {(), (False,), (True,), (False, False), (False, True)}
    assert min(kinds.values()) > 40
    permissions = [permission for item in items for permission in item["contactPermissions"]]
    assert {p["channelType"] for p in permissions} >= {"EMAIL", "Email", "SMS", "Sms", "POST"}
    assert {p["permissionType"] for p in permissions} >= {"Global", "GLobal", "GLOBAL", "Partner"}


def test_a_phone_is_in_the_column_exactly_when_it_can_be_read_without_a_country(
    items: list[Json], contacts: list[Contact]
) -> None:
    forms = Counter[str]()
    for item, row in zip(items, contacts, strict=True):
        given = item.get("phoneMobile")
        assert row.attributes.get("phoneMobile") == (None if row.phone else given)
        assert row.phone == (e164(given) if given else None)
        assert row.phone_country is None
        if given:
            forms[
                "+" if given.strip()[0] == "+" else given[:2] if given[:2] == "00" else "national"
            ] += 1
            forms["blank"] += " " in given
    assert min(forms["+"], forms["00"], forms["national"], forms["blank"]) > 8
    assert {"12", "n/a", "+0"} <= {row.attributes.get("phoneMobile") for row in contacts}


def e164(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def test_a_birth_is_the_date_part_and_its_raw_form_stays_unless_it_is_midnight(
    items: list[Json], contacts: list[Contact]
) -> None:
    kinds = Counter[str]()
    for item, row in zip(items, contacts, strict=True):
        raw = item.get("dob")
        kept = row.attributes.get("dob")
        if row.birth_on:
            day, _, time = str(raw).partition("T")
            assert day == row.birth_on.isoformat()
            assert kept == (None if time == "00:00:00" else raw)
            kinds[time] += 1
        else:
            assert kept == raw
            kinds[str(raw)] += 1
    assert kinds["00:00:00"] > 200
    assert kinds["02:00:00"] > 40
    assert min(kinds["0001-01-01T00:00:00"], kinds["17.06.1985"], kinds["1985-02-30T00:00:00"]) > 0


def test_every_other_odd_value_of_a_contact_is_met(
    items: list[Json], contacts: list[Contact]
) -> None:
    assert {row.gender for row in contacts} >= {"MALE", "FEMALE", "Ukjent", "X", None}
    assert {item.get("gender") for item in items} >= {"M", "F", "m", "f", "Ukjent", None}
    assert {row.status for row in contacts} == {"ACTIVE", "INACTIVE", "Slettet?", None}
    assert {row.type for row in contacts} == {"CUSTOMER", "PROSPECT", "LEVERANDØR", None}
    assert {item.get("organizationId") for item in items} == {0, 4_711, 20_015, None}
    assert {(row.organisation_id, row.attributes.get("organizationId")) for row in contacts} == {
        (None, 0),
        ("4711", None),
        ("20015", None),
        (None, None),
    }
    assert "" in {item.get("externalId") for item in items}
    assert any(item["email"] != item["email"].lower() for item in items if "email" in item)
    assert any(item["email"] != item["email"].strip() for item in items if "email" in item)
    interests = [interest for item in items for interest in item.get("contactInterests", [])]
    assert {type(interest) for interest in interests} == {str, int, dict}
    kinds = {a["addressType"] for item in items for a in item.get("contactAddresses", [])}
    assert kinds == {"Gateadresse", "Postadresse"}
    assert {"customerNumber", "isVip", "createdBy"} <= {name for item in items for name in item}


def test_no_column_of_text_has_white_space_around_it_or_is_empty(
    world: World, contacts: list[Contact], activities: list[Communication]
) -> None:
    verbatim = {"subject", "content"}
    rows: Iterable[Any] = (
        *contacts,
        *activities,
        *world.rocs.contact_lists,
        *world.rocs.campaigns,
        *world.plans,
        *world.specifications,
    )
    for row in rows:
        for name in type(row).__slots__:
            value = getattr(row, name)
            if isinstance(value, str):
                assert value
                assert name in verbatim or value == value.strip()


# Activity, lists, campaigns


def test_every_odd_value_of_an_activity_is_met(
    client: Client, activities: list[Communication]
) -> None:
    found = client.every(ACTIVITIES, 1_000)
    assert {row.channel for row in activities} == {"EMAIL", "SMS", "INAPP", "DEVICE"}
    assert {item["channelType"] for item in found} >= {"EMAIL", "Email", "sms", "Inapp", "device"}
    assert {row.state for row in activities} == {"COMPLETED", "PENDING", "REJECTED", "Bounced?"}
    assert {item["status"] for item in found} >= {"Completed", "completed", "Bounced?"}
    assert {row.is_viewed for row in activities} == {True, False, None}
    assert {row.language for row in activities} == {"en", "no", "ar", None}
    assert {row.attributes.get("language") for row in activities} == {None, "qaa"}
    assert {item.get("viewedDate", "")[:4] for item in found} >= {"", "0001", "2025"}
    assert any(row.clicked_at and not row.viewed_at for row in activities)
    assert any(row.source_created_at is None for row in activities)
    assert any("createdDate" not in item for item in found)
    campaigns = {row.campaign_id for row in World(1, 0).rocs.campaigns}
    named = {str(item["campaignId"]) for item in found if "campaignId" in item}
    assert named <= campaigns
    with_nul = [row for row in activities if "body" in row.attributes]
    assert len(with_nul) > 5
    assert sum("\u0000" in item.get("body", "") for item in found) == len(with_nul)


def test_lists_and_campaigns_miss_members_and_say_some_oddly(client: Client, world: World) -> None:
    lists = client.every(LISTS, 10)
    campaigns = client.every(CAMPAIGNS, 10)
    assert [str(item["id"]) for item in lists] == [row.list_id for row in world.rocs.contact_lists]
    assert [str(item["id"]) for item in campaigns] == [
        row.campaign_id for row in world.rocs.campaigns
    ]
    for name in ("description", "memberCount", "modifiedDate"):
        assert 0 < sum(name in item for item in lists) < len(lists)
    for name in ("subject", "endDate", "channelType", "statistics"):
        assert 0 < sum(name in item for item in campaigns) < len(campaigns)
    assert {item.get("endDate") for item in campaigns} >= {"0001-01-01T00:00:00", "løpende", None}
    statistics = [item["statistics"] for item in campaigns if "statistics" in item]
    assert {type(numbers["sent"]) for numbers in statistics if "sent" in numbers} == {int, str}
    assert "n/a" in {numbers.get("bounced") for numbers in statistics}
    assert {"openRate", "byDevice"} <= {name for numbers in statistics for name in numbers}
    large = [row for row in world.rocs.contact_lists if "memberCount" in row.attributes]
    assert {row.member_count for row in large} == {None}


def test_one_contact_is_told_like_this() -> None:
    world = World(7, 60)
    permissions = [
        {
            "id": 118710,
            "channelType": "Sms",
            "contactId": 11871,
            "optin": False,
            "optinType": "Double",
            "permissionGroupType": "Nyhetsbrev",
            "permissionType": "Nyhetsbrev",
            "sourceType": "Api",
        },
        {
            "id": 118711,
            "channelType": "Email",
            "contactId": 11871,
            "optin": False,
            "optinType": "Single",
            "permissionGroupType": "GLOBAL",
            "permissionType": "Global",
            "sourceType": "Import",
        },
    ]
    address = {"contactId": 11871, "zipCode": "0155", "city": "Oslo"}
    left = {
        "organizationId": 0,
        "contactPermissions": permissions,
        "sourceType": "Api",
        "contactAddresses": [
            address
            | {"id": 118718, "addressType": "Postadresse", "sourceType": "Import"}
            | {"street": "Storgata 1 B"},
            address
            | {"id": 118711, "addressType": "Gateadresse", "sourceType": "Api"}
            | {"street": "Storgata 70 B"},
        ],
        "contactInterests": [{"id": 3, "interestName": "Friluftsliv", "level": None}],
        "organizationEmployees": [{"organizationId": 4711, "title": "Daglig leder"}],
    }
    [item] = Client(world).read(CONTACTS, page=2, pageSize=1)["items"]
    assert item == left | {
        "id": 11871,
        "email": " kari.n.1@kunde.example ",
        "firstname": "健太",
        "gender": "M",
        "lastname": "\t渡邉",
        "phoneMobile": "+44-740-0868927",
    }
    row = as_json_object(world.rocs.contact(1))
    assert {name: value for name, value in row.items() if value is not None} == {
        "source": "rocs",
        "contact_id": "11871",
        "first_name": "健太",
        "last_name": "渡邉",
        "email": "kari.n.1@kunde.example",
        "phone": "+447400868927",
        "gender": "MALE",
        "email_opt_out": True,
        "attributes": left
        | {
            "dynamic_fields": {
                "isMember": False,
                "ref": None,
                "note": "",
                "loyaltyTier": "Gold",
            }
        },
    }


def test_one_activity_is_told_like_this() -> None:
    world = World(7, 60)
    [item] = Client(world).read(ACTIVITIES, pageSize=1)["items"]
    assert item == {
        "id": 500001,
        "contactId": 11871,
        "channelType": "Inapp",
        "status": "Pending",
        "name": " Happy Birthday ",
        "subject": "С днём рождения 🎂",
        "body": " ",
        "recipient": "+447400868927",
        "language": "no",
        "isViewed": True,
        "createdDate": "2025-02-09T19:52:01.0000",
        "campaignId": 9003,
    }
    row = as_json_object(world.rocs.activities(1)[0])
    assert {name: value for name, value in row.items() if value is not None} == {
        "source": "rocs",
        "communication_id": "500001",
        "contact_id": "11871",
        "state": "PENDING",
        "channel": "INAPP",
        "is_viewed": True,
        "language": "no",
        "recipient": "+447400868927",
        "subject": "С днём рождения 🎂",
        "content": " ",
        "plan_name": "Happy Birthday",
        "source_created_at": "2025-02-09T19:52:01+00:00",
        "attributes": {"campaignId": 9003},
    }


def test_one_campaign_is_told_like_this() -> None:
    world = World(7, 60)
    item = Client(world).read(CAMPAIGNS)["items"][4]
    assert item == {
        "id": 9005,
        "name": "Ελλάδα 4",
        "status": "Draft",
        "createdDate": "2020-09-13T14:02:49.402",
        "modifiedDate": "2021-01-09T16:17:12.5935091",
        "budget": None,
        "statistics": {
            "sent": 23977,
            "delivered": 12368,
            "viewed": 10308,
            "clicked": 4965,
            "unsubscribed": 1449,
            "openRate": 0.25,
            "spamComplaints": 1,
            "byDevice": {"mobile": 98, "desktop": None},
            "bounced": "n/a",
        },
    }
    row = as_json_object(world.rocs.campaigns[4])
    assert {name: value for name, value in row.items() if value is not None} == {
        "source": "rocs",
        "campaign_id": "9005",
        "display_name": "Ελλάδα 4",
        "status": "Draft",
        "sent_count": 23977,
        "delivered_count": 12368,
        "viewed_count": 10308,
        "clicked_count": 4965,
        "unsubscribed_count": 1449,
        "source_created_at": "2020-09-13T14:02:49.402000+00:00",
        "source_updated_at": "2021-01-09T16:17:12.593509+00:00",
        "attributes": {
            "budget": None,
            "statistics": {
                "openRate": 0.25,
                "spamComplaints": 1,
                "byDevice": {"mobile": 98, "desktop": None},
                "bounced": "n/a",
            },
        },
    }


# The world


@pytest.mark.parametrize(("contacts", "count"), [(0, 0), (1, 20), (30, 20), (1_000, 600)])
def test_three_in_five_and_at_least_twenty_unless_the_world_is_empty(
    contacts: int, count: int
) -> None:
    rocs = World(1, contacts).rocs
    assert len(list(rocs.every_contact())) == rocs.count == count
    assert len(list(rocs.every_activity())) == rocs.activity_count


def test_the_place_of_an_activity_is_arithmetic() -> None:
    for seed in (1, 2, 6):
        places = [rocs_ids.activity_place(seed, position) for position in range(200)]
        assert [
            rocs_ids.first_activity(seed, index) + ordinal for index, ordinal in places
        ] == list(range(200))
        assert all(ordinal < rocs_ids.activity_count(seed, index) for index, ordinal in places)


def test_the_paths_of_the_environment_are_served(client: Client) -> None:
    variables = access.environment("http://127.0.0.1:9")
    for name in ("ROCS_ACTIVITY_PATH", "ROCS_LISTS_PATH", "ROCS_CAMPAIGNS_PATH"):
        assert client.read(variables[name].lstrip("/"))["totalCount"] > 0
