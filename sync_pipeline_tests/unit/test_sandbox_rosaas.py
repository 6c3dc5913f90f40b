"""What the sandbox's RoSaaS answers beside tenants, byte by byte where another serializer shows."""

import json
from typing import Any

import pytest

from sync_pipeline.sandbox.live import LiveWorld
from sync_pipeline.sandbox.rosaas_api import RosaasApi
from sync_pipeline.sandbox.wire import Reply, Request
from sync_pipeline.sandbox.world import World

Json = dict[str, Any]
MANAGEMENT = ("api", "management", "apps", "v1")
SUCCESS = {"errors": [], "success": True}


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 100)


@pytest.fixture(scope="module")
def api(world: World) -> RosaasApi:
    return RosaasApi(LiveWorld(world))


def asked(
    api: RosaasApi, *rest: str, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Reply:
    return api.reply(Request(method, (*MANAGEMENT, *rest), b"", headers, b""))


@pytest.fixture(scope="module")
def bearer(api: RosaasApi) -> tuple[tuple[bytes, bytes], ...]:
    body = json.dumps({"clientId": "sandbox-client", "clientSecret": "sandbox-client-secret"})
    segments = ("api", "identity", "apps", "v1", "auth")
    answer = json.loads(api.reply(Request("POST", segments, b"", (), body.encode())).body)
    return ((b"authorization", f"Bearer {answer['data']['token']['accessToken']}".encode()),)


def test_every_plan_comes_as_in_the_world_under_the_vendors_names(
    api: RosaasApi, world: World, bearer: tuple[tuple[bytes, bytes], ...]
) -> None:
    answer = json.loads(asked(api, "plans", headers=bearer).body)
    assert answer["metadata"] == SUCCESS
    assert answer["data"] == [
        {
            "systemName": plan.plan,
            "displayName": plan.display_name,
            "description": plan.description,
            "displayOrder": plan.display_order,
            "isPublished": plan.is_published,
            "isSubscribed": plan.is_subscribed,
            "isLockedBySystem": plan.is_locked_by_system,
            "tenancyType": plan.attributes["tenancyType"],
            "tenancyTypeName": plan.tenancy_type,
            "prices": plan.prices,
        }
        for plan in world.plans
    ]
    assert {plan.tenancy_type for plan in world.plans} == {
        "Unlimited",
        "Limited",
        "Planed",
        "Hybrid",
    }
    assert [] in [plan.prices for plan in world.plans]
    assert {tenant.plan for tenant in world.tenants if tenant.plan} <= {
        plan.plan for plan in world.plans
    }


def test_every_specification_comes_with_its_texts_in_two_languages(
    api: RosaasApi, world: World, bearer: tuple[tuple[bytes, bytes], ...]
) -> None:
    answer = json.loads(asked(api, "specifications", headers=bearer).body)
    assert answer["metadata"] == SUCCESS
    first = answer["data"][0]
    row = world.specifications[0]
    assert first == {
        "systemName": "adminEmail",
        "displayName": {"en": "Adminemail", "ar": "مواصفة"},
        "description": {"en": "The adminEmail: “as agreed”", "ar": ""},
        "isRequired": row.is_required,
        "isUserEditable": row.is_user_editable,
        "regularExpression": None,
        "validationFailureDescription": row.attributes["validationFailureDescription"],
        "isPublished": row.is_published,
        "isSubscribed": row.is_subscribed,
    }
    last = answer["data"][-1]
    assert (last["displayName"], last["description"]) == ({"en": None, "ar": None}, None)
    assert [item["systemName"] for item in answer["data"]] == [
        row.specification for row in world.specifications
    ]


def test_the_status_call_means_status_seven_by_active_and_null_by_an_unknown_name(
    api: RosaasApi, world: World, bearer: tuple[tuple[bytes, bytes], ...]
) -> None:
    for tenant in world.tenants:
        reply = asked(api, "tenants", tenant.tenant_name.upper(), "status", headers=bearer)
        assert json.loads(reply.body) == {
            "data": {"isActive": tenant.status_code == 7, "status": tenant.status_code},
            "metadata": SUCCESS,
        }
    unknown = asked(api, "tenants", "nobody", "status", headers=bearer)
    assert (unknown.status, json.loads(unknown.body)) == (200, {"data": None, "metadata": SUCCESS})


def test_the_metadata_call_is_written_in_pascal_case_and_fails_by_an_unknown_name(
    api: RosaasApi, world: World, bearer: tuple[tuple[bytes, bytes], ...]
) -> None:
    for tenant in world.tenants:
        reply = asked(api, "tenants", tenant.tenant_name, "metadata", headers=bearer)
        assert json.loads(reply.body) == {
            "Data": tenant.metadata,
            "Metadata": {"Errors": [], "Success": True},
        }
    unknown = asked(api, "tenants", "nobody", "metadata", headers=bearer)
    assert unknown.status == 500
    assert b"application/json" in unknown.content_type
    with pytest.raises(json.JSONDecodeError):
        json.loads(unknown.body)


@pytest.mark.parametrize("rest", [("plans",), ("specifications",), ("tenants", "7", "status")])
def test_nothing_is_told_without_a_token(api: RosaasApi, rest: tuple[str, ...]) -> None:
    assert asked(api, *rest) == Reply(401)


def test_other_verbs_and_paths_are_refused(
    api: RosaasApi, bearer: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert asked(api, "plans", method="DELETE", headers=bearer).status == 405
    assert asked(api, "tenants", "7", "nothing", headers=bearer).status == 404
