"""The sandbox's webhooks: what it sends by itself and on request, to a server that listens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sync_pipeline_tests.sandbox_process import Json, change, sandbox, world
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

CALLS = "/api/integration"
LOG = "/_sandbox/log?cause=webhook"


@pytest.fixture
def listener() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        for path in (f"{CALLS}/activation", f"{CALLS}/events", "/webhooks/rocs"):
            server.script("POST", path, Scripted.json({}))
        yield server


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with sandbox("--contacts", "20") as running:
        yield running


def register(client: httpx.Client, listener: ScriptedServer, **also: float) -> None:
    body = {"url": listener.url, "key": "the-key", "rocs_key": "the-rocs-key"} | also
    assert client.post("/_sandbox/webhooks", json=body).status_code == 204


def awaited(client: httpx.Client, count: int) -> list[Json]:
    """Return the log of webhooks once it has so many entries of calls."""
    deadline = time.monotonic() + 30
    while True:
        log: list[Json] = client.get(LOG).json()
        sent = [entry for entry in log if "sent_to" in entry]
        if len(sent) >= count:
            return sent
        assert time.monotonic() < deadline, log
        time.sleep(0.02)


def bodies(received: list[Received]) -> list[Json]:
    return [json.loads(one.body) for one in received]


def status_of(client: httpx.Client, name: str) -> object:
    return next(t["status"] for t in world(client, "tenants") if t["tenant_name"] == name)


def activate(client: httpx.Client) -> str:
    name = next(t["tenant_name"] for t in world(client, "tenants") if t["status"] == "Inactive")
    asked = {"entity": "tenants", "action": "update", "id": name}
    change(client, asked | {"fields": {"status": "SendingActivationRequest"}})
    return str(name)


def test_a_status_that_asks_for_work_is_told_and_a_good_answer_moves_the_tenant_on(
    client: httpx.Client, listener: ScriptedServer
) -> None:
    register(client, listener)
    name = activate(client)
    sent = awaited(client, 3)
    assert {(one["path"], one["status"], one["subject"]) for one in sent} == {
        (f"{CALLS}/activation", 200, name),
        (f"{CALLS}/events", 200, name),
    }
    assert status_of(client, name) == "Activating"
    (call,) = listener.of("POST", f"{CALLS}/activation")
    assert (call.headers["api-key"], json.loads(call.body)) == ("the-key", {"tenantName": name})
    events = listener.of("POST", f"{CALLS}/events")
    assert {one.headers["apikey"] for one in events} == {"the-key"}
    told = {body["MetaData"]["NewTenantStatus"] for body in bodies(events)}
    assert told == {5, 6}


def test_a_bad_answer_leaves_the_tenant_and_is_in_the_log(
    client: httpx.Client, listener: ScriptedServer
) -> None:
    listener.script("POST", f"{CALLS}/activation", Scripted.json({"x": ["no"]}, 400))
    register(client, listener)
    name = activate(client)
    assert {one["status"] for one in awaited(client, 2)} == {200, 400}
    assert status_of(client, name) == "SendingActivationRequest"


def test_what_is_lost_is_not_sent_and_is_in_the_log(
    client: httpx.Client, listener: ScriptedServer
) -> None:
    register(client, listener, lost=1)
    activate(client)
    assert {(one["status"], one["fault"]) for one in awaited(client, 2)} == {(None, "lost")}
    assert listener.received == []


def test_calls_are_sent_on_request_with_any_key_body_and_number(
    client: httpx.Client, listener: ScriptedServer
) -> None:
    register(client, listener)
    asked = [
        {"call": "event", "code": 19, "tenant": "acme", "envelope": "old", "times": 3},
        {"call": "activation", "tenant": "acme", "key": "wrong", "body": "{"},
        {"call": "rocs", "contact": "7"},
    ]
    answer = client.post("/_sandbox/webhooks/send", json=asked)
    assert [one["status"] for one in answer.json()["sent"]] == [200] * 5
    assert [body["EventType"] for body in bodies(listener.of("POST", f"{CALLS}/events"))] == [
        19
    ] * 3
    (call,) = listener.of("POST", f"{CALLS}/activation")
    assert (call.headers["api-key"], call.body) == ("wrong", b"{")
    (rocs,) = listener.of("POST", "/webhooks/rocs")
    assert rocs.headers["authorization"] == "the-rocs-key"


@pytest.mark.parametrize(
    "asked", [{"call": "nosuch", "tenant": "a"}, {"call": "event", "code": 20}, {"x": 1}, "text"]
)
def test_what_is_no_call_is_refused(
    client: httpx.Client, listener: ScriptedServer, asked: object
) -> None:
    register(client, listener)
    assert client.post("/_sandbox/webhooks/send", json=[asked]).status_code == 400


def test_a_restarted_sandbox_goes_on_sending(listener: ScriptedServer, tmp_path: Path) -> None:
    options = ("--contacts", "20", "--state", str(tmp_path))
    with sandbox(*options) as client:
        assert client.post("/_sandbox/webhooks/send", json=[]).status_code == 400
        register(client, listener)
    with sandbox(*options) as client:
        activate(client)
        awaited(client, 3)
        assert client.delete("/_sandbox/webhooks").status_code == 204
    with sandbox(*options) as client:
        assert client.post("/_sandbox/webhooks/send", json=[]).status_code == 400
