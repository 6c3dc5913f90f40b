"""Webhooks through the whole stack: the sandbox sends, and the warehouse shows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from sync_pipeline_tests.system.installation import Installation, awaited, interrupt

SENT = ("method", "path", "status")
KINDS = "SELECT kind, repeats FROM warehouse.tenant_events WHERE tenant_name = %s ORDER BY event_id"


@pytest.fixture(scope="module")
def up() -> Iterator[Installation]:
    """A stack that is up, over a small world that was read once."""
    with Installation() as installation:
        installation.environ["ROSAAS_AUTO_CONFIRM"] = "held"
        installation.start_sandbox(contacts=20)
        installation.run("pull", "rosaas/tenants").succeeded()
        process = installation.start("up")
        assert process.stdout is not None
        said = ""
        while "Stop" not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        assert f"Webhooks       {receiver(installation)}\n" in said
        yield installation
        done = interrupt(process)
        assert done.code == 0, done


def receiver(installation: Installation) -> str:
    return f"http://127.0.0.1:{installation.webhook_port}"


def key(installation: Installation) -> str:
    return (installation.home / "webhook-key").read_text(encoding="utf-8")


def tell_sandbox(installation: Installation, path: str, body: object) -> httpx.Response:
    url = f"{installation.sandbox_url}/_sandbox/{path}"
    return httpx.post(url, json=body, timeout=60, trust_env=False).raise_for_status()


def tenant_in(installation: Installation, status: str) -> str:
    return next(
        str(row["tenant_name"]) for row in installation.world("tenants") if row["status"] == status
    )


def status_of(installation: Installation, name: str) -> object:
    stored = "SELECT status FROM warehouse.tenants WHERE tenant_name = %s"
    return installation.ask(stored, name)[0][0]


def test_a_change_at_the_vendor_arrives_by_its_webhooks(up: Installation) -> None:
    name = tenant_in(up, "Inactive")
    change = {"entity": "tenants", "action": "update", "id": name}
    tell_sandbox(up, "changes", [change | {"fields": {"status": "SendingActivationRequest"}}])

    # Answered well, the vendor moves it on by itself, and tells of that, too.
    awaited(lambda: status_of(up, name) == "Activating", "the change arrives", timeout_s=90)

    log = httpx.get(f"{up.sandbox_url}/_sandbox/log?cause=webhook", trust_env=False).json()
    sent = {tuple(one[fact] for fact in SENT) for one in log if one.get("subject") == name}
    assert sent == {
        ("POST", "/api/integration/activation", 200),
        ("POST", "/api/integration/events", 200),
    }
    waiting = "SELECT count(*) FROM ops.webhook_events WHERE processed_at IS NULL"
    awaited(lambda: up.ask(waiting) == [(0,)], "all of its events are settled", timeout_s=90)
    assert {kind for kind, _ in up.ask(KINDS, name)} == {"activation"}
    history = "SELECT status FROM warehouse.tenants_versions WHERE tenant_name = %s"
    assert ("Inactive",) in up.ask(history, name)
    causes = "SELECT DISTINCT outcome FROM ops.sync_runs WHERE cause = 'webhook'"
    assert up.ask(causes) == [("succeeded",)]


def test_each_end_of_work_is_confirmed_to_the_vendor_after_approval_or_by_hand(
    up: Installation,
) -> None:
    # What each tenant is in, what the vendor asks for, and what it is told in the end.
    asked = [
        ("RecordCreated", "SendingCreationRequest", "CreatedAsActive"),
        ("Inactive", "SendingActivationRequest", "Active"),
        ("Active", "SendingDeactivationRequest", "Inactive"),
        ("Failure", "SendingDeletionRequest", "Deleted"),
        ("CreatedAsActive", "SendingDeactivationRequest", "Failure"),
    ]
    ends = {tenant_in(up, start): end for start, _, end in asked}
    for name, (_, sent, _) in zip(ends, asked, strict=True):
        change = {"entity": "tenants", "action": "update", "id": name}
        tell_sandbox(up, "changes", [change | {"fields": {"status": sent}}])

    held = "SELECT entity_id, id FROM push.updates WHERE status = 'held' AND entity_id = ANY(%s)"
    awaited(
        lambda: len(up.ask(held, list(ends))) == len(ends),
        "a report of each waits for approval",
        timeout_s=90,
    )
    reports = {str(name): str(number) for name, number in up.ask(held, list(ends))}
    (failing,) = (name for name, end in ends.items() if end == "Failure")
    up.run("push", "decline", reports.pop(failing)).succeeded()
    up.run("request-update", "rosaas", "tenants", failing, '{"status": "Failure"}').succeeded()
    up.run("push", "approve", *reports.values()).succeeded()

    def in_the_warehouse() -> dict[str, object]:
        return {name: status_of(up, name) for name in ends}

    awaited(lambda: in_the_warehouse() == ends, "all of it is read back", timeout_s=120)
    world = {str(row["tenant_name"]): row["status"] for row in up.world("tenants")}
    assert {name: world[name] for name in ends} == ends
    states = "SELECT status, count(*) FROM push.updates WHERE entity_id = ANY(%s) GROUP BY 1"
    assert sorted(up.ask(states, list(ends))) == [("confirmed", 5), ("declined", 1)]


def test_health_checks_duplicates_wrong_keys_and_floods_are_answered(up: Installation) -> None:
    running, idle = tenant_in(up, "Active"), tenant_in(up, "Deleted")
    calls: list[dict[str, object]] = [
        {"call": "health", "tenant": running},
        {"call": "health", "tenant": idle},
        {"call": "health", "tenant": "nobody"},
        {"call": "unavailable", "tenant": running},
        {"call": "event", "code": 3, "tenant": running, "envelope": "old", "times": 3},
        {"call": "creation", "tenant": "intruder", "key": "wrong"},
        {"call": "creation", "tenant": "broken", "body": "{"},
        *({"call": "event", "code": code, "tenant": running} for code in range(1, 20)),
        {"call": "downgrade", "tenant": running, "times": 500},
    ]
    sent = tell_sandbox(up, "webhooks/send", calls).json()["sent"]
    statuses = [one["status"] for one in sent]
    assert statuses[:4] == [200, 503, 404, 200]
    assert statuses[4:9] == [200, 200, 200, 401, 400]
    assert set(statuses[9:]) == {200}
    counted = "SELECT sum(repeats + 1) FROM ops.webhook_events WHERE event = 'downgrade'"
    assert up.ask(counted) == [(500,)]
    stored = "SELECT count(*) FROM ops.webhook_events WHERE subject IN ('intruder', 'broken')"
    assert up.ask(stored) == [(0,)]


def test_a_killed_receiver_is_started_again(up: Installation) -> None:
    before = up.noted_pid("webhooks")
    os.kill(before, signal.SIGKILL)
    awaited(lambda: up.noted_pid("webhooks") != before, "another one is started")

    def is_taken() -> bool:
        try:
            answer = httpx.post(
                f"{receiver(up)}/api/integration/creation",
                json={"tenantName": "after"},
                headers={"api-key": key(up)},
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    awaited(is_taken, "it takes events")


def test_no_key_and_no_name_is_in_any_log(up: Installation) -> None:
    for path, content in up.log_files():
        assert key(up) not in content, path
    log = (up.home / "logs" / "webhooks.log").read_text(encoding="utf-8")
    assert tenant_in(up, "Active") not in log
