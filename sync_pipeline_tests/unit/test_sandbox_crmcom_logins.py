"""Who may enter CRM.COM in the sandbox, by either version, and what they may read there."""

import csv
import io
import subprocess
import sys

import pytest

from sync_pipeline.sandbox.world import World
from sync_pipeline_tests.sandbox_calls import Crmcom, truth

FORBIDDEN = {
    "status": 403,
    "message": "You have no access to the requested record.",
    "error": "CRM.EXCEPTIONS.FORBIDDENEXCEPTION",
    "parameters": [],
}
CONTACT_PASSWORD = "sandbox-contact-password"  # noqa: S105 -- a plain word for loopback
# One with hundreds of communications, and one with thousands.
BUSY, BUSIEST = 17, 137


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 1_000)


@pytest.fixture(scope="module")
def v1(world: World) -> Crmcom:
    return Crmcom(world, "v1")


@pytest.fixture(scope="module")
def v2(world: World) -> Crmcom:
    return Crmcom(world, "v2")


def test_the_later_version_takes_the_bearer_everywhere(v2: Crmcom) -> None:
    identifier = v2.world.contact_id(BUSY)
    message = v2.every_communication(BUSY)[0]["id"]
    paths = (
        f"contacts/{identifier}",
        f"contacts/{identifier}/communications",
        f"communications/{message}",
    )
    forms: tuple[dict[str, str], ...] = (
        {"Authorization": f"Bearer {v2.token}"},
        {"Authorization": f"bearer {v2.token}"},
        {"Authorization": v2.token},
        {"auth_token": v2.token},
    )
    statuses = [[v2.send("GET", path, headers=form)[0] for form in forms] for path in paths]
    assert statuses == [[200, 200, 401, 401]] * 3


def test_each_version_answers_a_login_in_its_own_shape(v1: Crmcom, v2: Crmcom) -> None:
    identifier = v1.world.contact_id(BUSY)
    username = f"contact-{identifier}@sandbox.example"
    first, later = (api.log_in(username, CONTACT_PASSWORD) for api in (v1, v2))
    for answer in (first, later):
        assert answer.pop("access_token").count(".") == 2
        assert answer.pop("refresh_token").count(".") == 2
    names = {"first_name": "محمد", "last_name": "الهاشمي", "company_name": None}
    assert int(first.pop("exp")) > 1_700_000_000
    assert first == {
        "contact": {
            "id": identifier,
            **names,
            "title": v1.world.contact(BUSY).title,
            "avatar": "avatar",
            "is_verified": "false",
        },
        "organisations": [
            {
                "external_id": "SANDBOX-ORGANISATION",
                "org_type": "SERVICE_OWNER",
                "org_relationship": "MERCHANT",
                "name": "Sandbox",
            }
        ],
    }
    assert isinstance(later.pop("expiration_date"), int)
    organisation = later["organisations"][0].pop("id")
    assert len(organisation) == 36
    assert later == {
        "contact": {"id": identifier, **names, "type": "PERSON", "is_verified": False},
        "organisations": [{"type": "SERVICE_OWNER", "name": "Sandbox"}],
        "communities": [],
    }


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_contact_reads_itself_and_nobody_else(world: World, version: str) -> None:
    api = Crmcom(world, version)
    own, other = world.contact_id(BUSY), world.contact_id(BUSIEST)
    token = api.log_in(f"contact-{own}@sandbox.example", CONTACT_PASSWORD)["access_token"]

    def paths(identifier: str, index: int) -> list[str]:
        message = world.communications(index)[0].communication_id
        below = [
            f"contacts/{identifier}{part}" for part in ("", "/communications", "/approval_requests")
        ]
        return [*below, f"communications/{message}"]

    for path in paths(own, BUSY):
        assert api.get(path, token) == api.get(path)
        assert api.get(path, token)[0] == 200
    for path in [*paths(other, BUSIEST), "contacts/no-such-id"]:
        assert api.get(path, token) == (403, FORBIDDEN)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_contact_that_is_unknown_or_says_a_wrong_password_gets_no_token(
    world: World, version: str
) -> None:
    api = Crmcom(world, version)
    own = world.contact_id(BUSY)
    beyond = World(1, 1_001).contact_id(1_000)
    attempts = (
        (f"contact-{own}@sandbox.example", "sandbox-password"),
        (f"contact-{beyond}@sandbox.example", CONTACT_PASSWORD),
        (f"{own}@sandbox.example", CONTACT_PASSWORD),
        ("service@sandbox.example", CONTACT_PASSWORD),
    )
    assert [api.log_in(*attempt)["status"] for attempt in attempts] == [401] * 4
    assert set(api.log_in(f"contact-{own}@sandbox.example", "")) == {"obfuscated_value", "auth_otp"}


def test_a_refresh_token_gives_a_new_token_for_the_same_contact(v1: Crmcom, v2: Crmcom) -> None:
    own, other = v1.world.contact_id(BUSY), v1.world.contact_id(BUSIEST)
    given = v1.log_in(f"contact-{own}@sandbox.example", CONTACT_PASSWORD)
    refresh = given["refresh_token"]
    key = {"api_key": "sandbox-api-key"}
    answers = [
        v1.send("POST", "contacts/refresh", headers=key, body={"refresh_token": refresh}),
        v1.send("POST", "contacts/refresh", headers=key | {"refresh_token": refresh}),
        v2.send("POST", "contacts/refresh", headers={"Authorization": f"Bearer {refresh}"}),
    ]
    for api, (status, answer) in zip((v1, v1, v2), answers, strict=True):
        assert status == 200
        assert api.get(f"contacts/{own}", answer["access_token"])[0] == 200
        assert api.get(f"contacts/{other}", answer["access_token"])[0] == 403
    access = given["access_token"]
    refused = [
        v1.send("POST", "contacts/refresh", headers=key, body={"refresh_token": access}),
        v1.send("POST", "contacts/refresh", headers=key, body={"refresh_token": ""}),
        v1.send("POST", "contacts/refresh", body={"refresh_token": refresh}),
        v2.send("POST", "contacts/refresh", headers={"Authorization": f"Bearer {access}"}),
    ]
    assert [status for status, _ in refused] == [401] * 4
    assert v1.get(f"contacts/{own}", refresh)[0] == 401


def test_the_logins_of_all_contacts_are_one_csv(world: World, v1: Crmcom) -> None:
    reply = truth(world, "contacts.csv")
    text = b"".join(reply.chunks or ()).decode()
    assert reply.content_type == b"text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["contact_id"] for row in rows] == [row.contact_id for row in world.every_contact()]
    for row in rows[:20]:
        token = v1.log_in(row["username"], row["password"])["access_token"]
        assert v1.get(f"contacts/{row['contact_id']}", token)[0] == 200
    assert b"".join(truth(World(1, 0), "contacts.csv").chunks or ()) == (
        b"contact_id,username,password\r\n"
    )


def test_the_variables_name_the_version_that_is_asked_for() -> None:
    def base_url(*options: str) -> str:
        command = [sys.executable, "-m", "sync_pipeline.sandbox", "--port", "9", "--print-env"]
        answer = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
        return answer.stdout.splitlines()[0]

    address = "CRMCOM_BASE_URL=http://127.0.0.1:9/self-service"
    assert base_url() == f"{address}/v1"
    assert base_url("--crmcom-version", "v2") == f"{address}/v2"
