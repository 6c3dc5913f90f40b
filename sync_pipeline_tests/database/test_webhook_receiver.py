"""The receiver over HTTP: routes, keys, answers, what is stored, and what is not."""

from __future__ import annotations

import errno
import io
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.webhooks import connection
from sync_pipeline.webhooks.bodies import LONGEST_BYTES
from sync_pipeline.webhooks.codes import LIFECYCLE
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.receiver_server import (
    KEY,
    OLD_KEY,
    ROCS_SECRET,
    Served,
    add_tenant,
    serving_receiver,
)

LONGER_THAN_A_FLUSH_S = 0.6
STORED = "SELECT source, event, subject, payload_raw FROM ops.webhook_events ORDER BY id"


@pytest.fixture
def served(engine: Engine) -> Iterator[Served]:
    with serving_receiver(engine) as served:
        yield served


def raw(served: Served, sent: bytes) -> bytes:
    """Send bytes as they are; return all that comes back until the connection ends."""
    with socket.create_connection(served.address, timeout=30) as peer:
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)
        got = b""
        while more := peer.recv(65_536):
            got += more
        return got


@pytest.mark.parametrize("call", LIFECYCLE)
def test_a_lifecycle_call_is_stored_and_answered(served: Served, engine: Engine, call: str) -> None:
    answer = served.post(call, {"tenantName": "Acme?EU", "adminEmail": "x@example.com"})
    assert (answer.status_code, answer.json()) == (200, {})
    (found,) = rows(engine, STORED)
    assert found == ("rosaas", call, "acme?eu", answer.request.content)


def test_an_event_and_a_rocs_webhook_are_stored_byte_by_byte(
    served: Served, engine: Engine
) -> None:
    event = b'{ "TenantSystemName":"Acme",\r\n "EventCode":"3", "x":"\\u0000" }'
    rocs = b'\xef\xbb\xbf{"contactId": 7, "note": "\\ud800"}'
    as_json = {"Content-Type": "application/json"}
    first = served.client.post("/api/integration/events", content=event, headers=as_json)
    secret = as_json | {"Authorization": f"Bearer {ROCS_SECRET}"}
    second = served.client.post("/webhooks/rocs", content=rocs, headers=secret)
    assert (first.status_code, second.status_code) == (200, 200)
    assert rows(engine, STORED) == [
        ("rosaas", "Tenant.AvailabilityChangedToHealthy", "acme", event),
        ("rocs", "unknown", "7", rocs),
    ]
    assert rows(engine, "SELECT payload FROM ops.webhook_events") == [(None,), (None,)]


def test_either_of_two_keys_opens_while_they_are_rotated(served: Served) -> None:
    for headers in (
        {"api-key": OLD_KEY},
        {"api-key": "", "apiKey": KEY},
        {"api-key": "", "Authorization": KEY},
        {"api-key": "", "Authorization": f"Bearer {OLD_KEY}"},
    ):
        assert served.post("creation", {"tenantName": "a"}, **headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("POST", f"/api/integration/{call}") for call in LIFECYCLE],
        ("POST", "/api/integration/events"),
        ("POST", "/webhooks/rocs"),
        ("GET", "/api/integration/acme/health-status"),
        ("GET", "/api/integration/nobody/health-check"),
    ],
)
def test_without_a_key_nothing_is_stored_and_every_answer_is_the_same(
    served: Served, engine: Engine, method: str, path: str
) -> None:
    add_tenant(engine, "acme", "Active")
    answers = [
        served.client.request(method, path, content=body, headers={"api-key": key} | kind)
        for body in (b'{"tenantName": "acme"}', b"{", b"")
        for key in ("", "wrong", ROCS_SECRET if "rocs" not in path else KEY)
        for kind in ({"Content-Type": "application/json"}, {})
    ]
    assert {(one.status_code, one.text) for one in answers} == {
        (401, '{"error": "the API key is missing or wrong"}')
    }
    assert rows(engine, STORED) == []


def test_which_routes_there_are_is_told_to_those_with_a_key_alone(served: Served) -> None:
    wrong = [("GET", "/nosuch"), ("GET", "/api/integration/creation"), ("POST", "/healthz")]
    answers = {
        key: [
            (answer.status_code, answer.json()["error"])
            for method, path in wrong
            for answer in [served.client.request(method, path, headers={"api-key": key})]
        ]
        for key in ("", "wrong", KEY, ROCS_SECRET)
    }
    refused = [(401, "the API key is missing or wrong")] * 3
    another = (405, "this route takes another method")
    told = [(404, "no such route"), another, another]
    assert answers == {"": refused, "wrong": refused, KEY: told, ROCS_SECRET: told}


def test_malformed_input_is_refused_by_its_field_and_not_stored(
    served: Served, engine: Engine
) -> None:
    as_json = {"Content-Type": "application/json"}
    too_long = b'{"tenantName": "' + b"a" * LONGEST_BYTES + b'"}'

    def post(body: bytes, headers: dict[str, str] = as_json) -> tuple[int, list[str]]:
        answer = served.client.post("/api/integration/creation", content=body, headers=headers)
        return answer.status_code, list(answer.json())

    def chunks() -> Iterator[bytes]:
        yield too_long[: LONGEST_BYTES // 2]
        yield too_long[LONGEST_BYTES // 2 :]

    assert post(b"{") == (400, ["body"])
    assert post(b"[]") == (400, ["body"])
    assert post(b"") == (400, ["body"])
    assert post(b"{}") == (400, ["tenantName"])
    assert post(b'{"tenantName": 7}') == (400, ["tenantName"])
    assert post(too_long) == (413, ["body"])
    chunked = served.client.post("/api/integration/creation", content=chunks(), headers=as_json)
    assert chunked.status_code == 413
    assert post(b"{}", {}) == (415, ["content-type"])
    assert post(b"{}", {"Content-Type": "text/plain"}) == (415, ["content-type"])
    assert post(b"{}", as_json | {"Content-Encoding": "gzip"}) == (415, ["content-encoding"])
    assert rows(engine, STORED) == []


def test_the_health_of_a_tenant_is_what_the_warehouse_knows_also_for_a_get_with_a_body(
    engine: Engine,
) -> None:
    add_tenant(engine, "acme?eu", "Active")
    add_tenant(engine, "idle", "Inactive")
    add_tenant(engine, "gone", "Active", is_gone=True)
    with serving_receiver(engine) as served:

        def ask(name: str) -> tuple[int, object]:
            path = f"/api/integration/{name}/health-status"
            answer = served.client.request("GET", path, json={"tenantName": "any"})
            return answer.status_code, answer.json()

        at = "2026-01-02T03:04:05+00:00"
        running = {"tenantName": "acme?eu", "status": "Active", "isRunning": True, "observedAt": at}
        assert ask("Acme%3FEU") == (200, running)
        idle = {"tenantName": "idle", "status": "Inactive", "isRunning": False, "observedAt": at}
        assert ask("idle") == (503, idle)
        nobody = (404, {"error": "no such tenant is known"})
        assert ask("gone") == ask("nobody") == ask("%FF") == nobody


def test_while_the_database_is_away_senders_are_told_to_come_again_and_health_is_answered(
    engine: Engine, empty_url: str
) -> None:
    add_tenant(engine, "acme", "Active")
    refuse = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    name = engine.url.database
    elsewhere = open_engine(empty_url)

    def tell(*statements: str) -> None:
        with elsewhere.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            for one in statements:
                session.execute(text(one))

    with serving_receiver(engine) as served:
        tell(refuse.format(name, "false"), end.format(name))
        answer = served.post("creation", {"tenantName": "a"})
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert served.client.get("/api/integration/acme/health-status").status_code == 200
        tell(refuse.format(name, "true"))
        assert served.post("creation", {"tenantName": "b"}).status_code == 200
    elsewhere.dispose()
    assert [row[2] for row in rows(engine, STORED)] == ["b"]


def test_health_and_readiness_need_no_key_and_say_nothing(served: Served) -> None:
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(f"{served.client.base_url}{path}", trust_env=False)
        assert (answer.status_code, answer.json()) == (200, {})


def test_metrics_count_events_by_kind_and_outcome_and_no_name_is_in_them(
    served: Served,
) -> None:
    served.post("creation", {"tenantName": "acme"})
    served.post("events", {"TenantSystemName": "acme", "EventCode": "Weird.Thing"})
    told = served.client.get("/metrics").text
    assert 'webhook_events_total{kind="creation",outcome="stored",source="rosaas"} 1.0' in told
    assert 'webhook_events_total{kind="other",outcome="stored",source="rosaas"} 1.0' in told
    assert "acme" not in told
    assert "Weird" not in told


def test_metrics_and_the_document_ask_for_the_key_behind_a_proxy(served: Served) -> None:
    for path in ("/metrics", "/openapi.json"):
        from_afar = {"X-Forwarded-For": "192.0.2.7"}
        with_key = served.client.get(path, headers=from_afar)
        without = served.client.get(path, headers=from_afar | {"api-key": "wrong"})
        assert (with_key.status_code, without.status_code) == (200, 401)


def test_the_access_log_is_json_without_names_bodies_or_keys(engine: Engine) -> None:
    with serving_receiver(engine) as served:
        served.post("creation", {"tenantName": "acme-secret", "adminEmail": "x@example.com"})
        served.client.get("/api/integration/acme-secret/health-status?q=acme-secret")
        served.client.get("/acme-secret")
        log = served.log
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/api/integration/creation", 200),
        ("GET", "/api/integration/{name}/health-status", 404),
        ("GET", "none", 404),
    ]
    for word in ("acme-secret", "x@example.com", KEY):
        assert word not in log.getvalue()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"POST /webhooks/rocs HTTP/9.9\r\n\r\n",
        b"POST /webhooks/rocs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/rocs HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /webhooks/rocs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_broken_http_gets_an_answer_below_500_and_the_next_request_works(
    served: Served, sent: bytes
) -> None:
    got = raw(served, sent)
    assert got[:10] in (b"HTTP/1.1 4", b"")
    assert served.client.get("/healthz").status_code == 200


def test_a_head_without_end_is_cut_off(served: Served) -> None:
    with socket.create_connection(served.address, timeout=30) as peer:
        peer.sendall(b"GET /healthz HTTP/1.1\r\n")
        got = b""
        try:
            for number in range(100_000):
                peer.sendall(b"X-%d: " % number + b"y" * 1_000 + b"\r\n")
            got = peer.recv(1_000)
        except ConnectionError:
            got = b"HTTP/1.1 431"
    assert got.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    ("length", "status"), [(60_000, b"200 OK"), (70_000, b"431 Request Header Fields Too Large")]
)
def test_a_head_that_comes_in_one_go_is_held_to_the_same_limit(
    served: Served, length: int, status: bytes
) -> None:
    head = b"GET /healthz HTTP/1.1\r\nConnection: close\r\nX-A: " + b"a" * length + b"\r\n\r\n"
    assert raw(served, head).startswith(b"HTTP/1.1 " + status + b"\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /webhooks/rocs HT",
        b"POST /webhooks/rocs HTTP/1.1\r\napi-key: "
        + ROCS_SECRET.encode()
        + b"\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_a_sender_that_is_too_slow_is_cut_off(
    served: Served, engine: Engine, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    monkeypatch.setattr(connection, "BODY_TIMEOUT_S", 0.2)
    with socket.create_connection(served.address, timeout=30) as peer:
        peer.sendall(sent)
        assert peer.recv(1_000).startswith(b"HTTP/1.1 408")
    assert rows(engine, STORED) == []


def test_many_senders_at_once_are_stored_each(served: Served, engine: Engine) -> None:
    def send(number: int) -> int:
        return served.post("creation", {"tenantName": f"t-{number}"}).status_code

    with ThreadPoolExecutor(20) as senders:
        assert set(senders.map(send, range(300))) == {200}
    found = rows(engine, "SELECT DISTINCT subject FROM ops.webhook_events")
    assert {row[0] for row in found} == {f"t-{number}" for number in range(300)}


class FullDisk(io.StringIO):
    """A stream that takes nothing."""

    def write(self, _text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_events_are_received_though_the_log_cannot_be_written(engine: Engine) -> None:
    with serving_receiver(engine, FullDisk()) as served:
        for name in ("a", "b"):
            assert served.post("creation", {"tenantName": name}).status_code == 200
            time.sleep(LONGER_THAN_A_FLUSH_S)
    assert [row[2] for row in rows(engine, STORED)] == ["a", "b"]
