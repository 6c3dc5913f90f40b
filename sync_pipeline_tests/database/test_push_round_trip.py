"""What is written to an API is read back as it was meant, for every field of every version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import httpx
import pytest
from sqlalchemy import Engine

from sync_pipeline import entities
from sync_pipeline.entities import Stream
from sync_pipeline.mapping import crmcom
from sync_pipeline.mapping.writes import CUSTOM, DYNAMIC, INTERESTS, UNREADABLE, WRITABLE
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.work import Context
from sync_pipeline.push.apis import open_api
from sync_pipeline.push.records import Current, Target, found_in
from sync_pipeline.push.values import Json, UnwritableError, Values, canonical_values
from sync_pipeline.settings import Settings, read_settings
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.sandbox_process import sandbox, world

VERSIONS = ("v1", "v2")
CONTACT: Values = {
    "title": "Dr",
    "first_name": "Åse",
    "middle_name": "Q.",
    "last_name": "O'Neil-Løvik",
    "company_name": "Fjord & Sønn",
    "email": "ase.lovik@example.org",
    "phone": "+491512 7654321".replace(" ", ""),
    "language": "de",
    "gender": "OTHER",
    "birth_on": "1979-02-28",
    "email_opt_out": True,
    "sms_opt_out": False,
    "consent_state": "ACCEPTED",
    f"{CUSTOM}shoe size": "43",
}
ROCS: Values = {
    "first_name": "Åse",
    "last_name": "Løvik",
    "email": "ase.lovik@example.org",
    "phone": "+4740654321",
    "gender": "FEMALE",
    "birth_on": "1979-02-28",
    "status": "INACTIVE",
    "type": "PROSPECT",
    "external_id": "77001",
    "email_opt_out": True,
}
JSON_OF_ROCS: dict[str, tuple[str, Json]] = {
    INTERESTS: ("array", [{"id": 9, "interestName": "Ågo", "tags": [None, 1.5]}, "Ski"]),
    f"{DYNAMIC}loyaltyTier": ("string", "Gold ✨"),
    f"{DYNAMIC}shoeSize": ("number", 43.5),
    f"{DYNAMIC}isMember": ("boolean", True),
    f"{DYNAMIC}Favorittbutikk": ("object", {"id": 12, "navn": "Ålesund", "nær": [None]}),
    f"{DYNAMIC}newsletter topics": ("array", ["ski", "", None]),
    f"{DYNAMIC}ref": ("any", [{"a": 1}]),
}


class Player:
    """Writes to the sandbox through the push's own calls, and reads what came of it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self.settings = settings

    def play(self, target: Target, wanted: Values) -> tuple[Values, Values]:
        """Return the values of a record before and after a write."""
        return asyncio.run(self._play(target, wanted))

    async def _play(self, target: Target, wanted: Values) -> tuple[Values, Values]:
        source = self.settings.of_source(target.stream.source)
        assert source is not None
        request = PullRequest(Due(datetime.now(UTC)), 60, only=(target.owner,))
        context = Context(target.stream, request, self.settings, self._engine)
        async with open_api(source, budget=None, meter=Meter()) as api:
            (before,) = found_in([(target, await api.read(context, target, wanted))])
            assert isinstance(before, Current)
            for write in api.writes(target, wanted, before):
                await api.write(target, replace(write.call, guard=_yes))
            (after,) = found_in([(target, await api.read(context, target, wanted))])
            assert isinstance(after, Current)
        return before.values, after.values


async def _yes() -> float:
    return inf


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, httpx.Client]]:
    """Serve a world for each version of CRM.COM."""
    with ExitStack() as stack:
        yield {
            version: stack.enter_context(sandbox("--contacts", "120", "--crmcom-version", version))
            for version in VERSIONS
        }


@pytest.fixture
def players(engine: Engine, clients: dict[str, httpx.Client]) -> dict[str, Player]:
    """Return who writes to each of the worlds."""
    return {
        version: Player(engine, read_settings(client.get("/_sandbox/env").json()))
        for version, client in clients.items()
    }


def contacts(client: httpx.Client, source: str) -> list[str]:
    """Return the ids of the contacts of a source."""
    return [row["contact_id"] for row in world(client, "contacts", source)]


def _said(values: Values) -> Values:
    """Return the values that are not null: the vendor says nothing in more than one way."""
    return {name: value for name, value in values.items() if value is not None}


def _follows(change: Values) -> Values:
    return {"phone_country": "DE" if change["phone"] else None} if "phone" in change else {}


def own(stream: Stream, record_id: str) -> Target:
    return Target(stream, record_id, record_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_of_a_contact_of_crmcom_is_read_back_alone_and_with_all_others(
    version: str, players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    taken = crmcom.CONTACT_WRITES[version]
    wanted = {n: v for n, v in CONTACT.items() if n in taken or n.startswith(CUSTOM)}
    assert {*taken} | {f"{CUSTOM}shoe size"} == {*wanted}
    ids = iter(contacts(clients[version], "crmcom"))
    changes: list[Values] = [wanted, *({name: value} for name, value in wanted.items())]
    changes += [dict.fromkeys(wanted.keys() - {"email_opt_out", "sms_opt_out"})]
    for change in changes:
        before, after = players[version].play(own(entities.CRMCOM_CONTACTS, next(ids)), change)
        assert _said(after) == _said({**before, **change, **_follows(change)})


@pytest.mark.parametrize(("version", "lacking"), [("v1", "phone"), ("v2", "title")])
def test_a_field_that_the_version_lacks_is_refused(
    version: str, lacking: str, players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    contact_id = contacts(clients[version], "crmcom")[0]
    with pytest.raises(UnwritableError, match=f"CRM.COM {version} takes no {lacking}"):
        players[version].play(
            own(entities.CRMCOM_CONTACTS, contact_id), {lacking: CONTACT[lacking]}
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_marks_of_a_communication_are_read_back_and_leave_the_other_mark(
    version: str, players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    rows = world(clients[version], "communications", "crmcom")
    some = [row for row in rows if row["is_viewed"] is False and row["is_archived"] is False]
    both = {"is_viewed": True, "is_archived": True}
    for row, change in zip(some, ({"is_viewed": True}, {"is_archived": True}, both), strict=False):
        target = Target(entities.CRMCOM_COMMUNICATIONS, row["communication_id"], row["contact_id"])
        before, after = players[version].play(target, change)
        assert before == {"is_viewed": False, "is_archived": False}
        assert after == {**before, **change}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("state", ["APPROVED", "REJECTED"])
def test_a_decision_on_an_approval_request_is_read_back(
    version: str, state: str, players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    rows = world(clients[version], "approval_requests", "crmcom")
    row = next(row for row in rows if row["state"] == "PENDING")
    target = Target(
        entities.CRMCOM_APPROVAL_REQUESTS, row["approval_request_id"], row["contact_id"]
    )
    assert players[version].play(target, {"state": state}) == (
        {"state": "PENDING"},
        {"state": state},
    )


def test_every_field_of_a_contact_of_rocs_is_read_back_and_the_others_stay(
    players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    assert {*ROCS} == {*WRITABLE["rocs/contacts"]}
    before_all = {row["contact_id"]: row for row in world(clients["v2"], "contacts", "rocs")}
    ids = iter(before_all)
    changes: list[Values] = [ROCS, *({name: value} for name, value in ROCS.items())]
    changes += [dict.fromkeys(ROCS.keys() - {"email_opt_out"}), {"email_opt_out": False}]
    changed: dict[str, Values] = {}
    for change in changes:
        contact_id = next(ids)
        before, after = players["v2"].play(own(entities.ROCS_CONTACTS, contact_id), change)
        assert after == {**before, **change}
        changed[contact_id] = change
    after_all = {row["contact_id"]: row for row in world(clients["v2"], "contacts", "rocs")}
    for contact_id, change in changed.items():
        silent = change.keys() | {"attributes"}
        assert {n: v for n, v in after_all[contact_id].items() if n not in silent} == {
            n: v for n, v in before_all[contact_id].items() if n not in silent
        }
        permissions = {"contactPermissions", "phoneMobile", "dob"}
        assert {
            n: v for n, v in after_all[contact_id]["attributes"].items() if n not in permissions
        } == {n: v for n, v in before_all[contact_id]["attributes"].items() if n not in permissions}


def test_interests_and_dynamic_fields_of_rocs_are_read_back_and_the_others_stay(
    engine: Engine, clients: dict[str, httpx.Client]
) -> None:
    told = clients["v2"].get("/_sandbox/env").json()
    types = ",".join(f"{name}={kind}" for name, (kind, _) in JSON_OF_ROCS.items())
    player = Player(engine, read_settings(told | {"ROCS_PUSH_FIELDS": types}))
    wanted = {name: value for name, (_, value) in JSON_OF_ROCS.items()}
    before_all = {row["contact_id"]: row for row in world(clients["v2"], "contacts", "rocs")}
    ids = iter(sorted(before_all))
    changes: list[Values] = [wanted, *({name: value} for name, value in wanted.items())]
    changes += [wanted | {"first_name": "Åse"}, dict.fromkeys(wanted), {INTERESTS: []}]
    for change in changes:
        contact_id = next(ids)
        before, after = player.play(own(entities.ROCS_CONTACTS, contact_id), change)
        # An API may leave out an array without items.
        due = {name: None if value == [] else value for name, value in change.items()}
        assert _said(after) == _said({**before, **due})
        rows = world(clients["v2"], "contacts", "rocs")
        new = next(row for row in rows if row["contact_id"] == contact_id)
        old = before_all[contact_id]
        for members in (new, old):
            attributes = members.pop("attributes")
            members |= {n: v for n, v in attributes.items() if f"attributes.{n}" != INTERESTS}
        silent = change.keys() | {"dynamic_fields"}
        assert {n: v for n, v in new.items() if n not in silent} == {
            n: v for n, v in old.items() if n not in silent
        }


def test_what_can_be_read_of_a_tenant_is_read_back(
    players: dict[str, Player], clients: dict[str, httpx.Client]
) -> None:
    rows = world(clients["v2"], "tenants")
    moves = {3: "CreatedAsActive", 6: "Active", 9: "Inactive", 12: "Deleted"}
    for code, status in moves.items():
        for wanted in (status, "Failure"):
            row = next((row for row in rows if row["status_code"] == code), None)
            if row is None:
                continue
            rows.remove(row)
            change: Values = {"status": wanted, "metadata": {"é": [1, {"b": None}]}}
            target = own(entities.ROSAAS_TENANTS, row["tenant_name"])
            before, after = players["v2"].play(target, change)
            assert before == {"status": row["status"], "metadata": row["metadata"]}
            assert after == change
    assert {"rosaas/tenants": {"upgrade_applied"}} == UNREADABLE
    target = own(entities.ROSAAS_TENANTS, rows[0]["tenant_name"])
    before, after = players["v2"].play(target, {"upgrade_applied": True})
    assert after == before


def test_what_is_asked_for_is_read_as_the_warehouse_shows_it() -> None:
    asked: Values = {"email": " Ase@Example.ORG ", "language": "DEU", "gender": "f"}
    asked = {**asked, "phone": "040 65 43 21", "first_name": " Åse ", "last_name": ""}
    assert canonical_values(entities.CRMCOM_CONTACTS, asked, country="DE") == {
        "email": "ase@example.org",
        "language": "de",
        "gender": "FEMALE",
        "phone": "+4940654321",
        "first_name": "Åse",
        "last_name": None,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("phone", "12"), ("birth_on", "1980-02-30"), ("language", "xx"), ("gender", "N"), ("id", "1")],
)
def test_a_value_that_cannot_be_written_is_refused_without_showing_it(
    name: str, value: str
) -> None:
    with pytest.raises(UnwritableError) as refused:
        canonical_values(entities.CRMCOM_CONTACTS, {name: value})
    assert name in str(refused.value)
    assert value not in str(refused.value).replace(name, "").replace("1980", "")
