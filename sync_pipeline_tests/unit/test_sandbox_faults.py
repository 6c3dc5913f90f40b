"""A sandbox in trouble: which answers go wrong, how, and which writes arrive all the same."""

import time
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sync_pipeline_tests.sandbox_process import bearer, sandbox, world

Json = dict[str, Any]
KEY = {"api_key": "sandbox-secret-key"}
LIST = "/backoffice/v1/contacts"
PLANS = "/api/management/apps/v1/plans"


@pytest.fixture
def quiet(client: httpx.Client) -> Iterator[httpx.Client]:
    yield client
    set_faults(client, "0")


def set_faults(client: httpx.Client, text: str) -> None:
    assert client.post("/_sandbox/faults", content=text).status_code == 200


def page(client: httpx.Client, number: int = 1) -> httpx.Response:
    return client.get(LIST, params={"size": 20, "page": number}, headers=KEY)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("429", 429, "application/json; charset=utf-8"),
        ("503", 503, "application/json; charset=utf-8"),
        ("500", 500, "application/json; charset=utf-8"),
        ("html", 502, "text/html; charset=utf-8"),
        ("html200", 200, "text/html; charset=utf-8"),
    ],
)
def test_a_refusal_stands_for_the_answer(
    quiet: httpx.Client, fault: str, status: int, kind: str
) -> None:
    set_faults(quiet, f"{fault}=1")
    answer = page(quiet)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    wait = answer.headers.get("retry-after")
    assert (wait is not None) == (fault in ("429", "503"))
    assert wait is None or wait.isdigit() or parsedate_to_datetime(wait)
    told = quiet.get("/_sandbox/faults").json()
    assert told["shares"] == {fault: 1}
    assert told["counts"][fault] == 1


def test_pages_are_short_empty_repeated_or_wrongly_counted(quiet: httpx.Client) -> None:
    whole, second = page(quiet).json(), page(quiet, 2).json()
    set_faults(quiet, "short=1")
    assert page(quiet).json() == whole | {"content": whole["content"][:10]}
    set_faults(quiet, "empty=1")
    assert page(quiet).json() == whole | {"content": []}
    set_faults(quiet, "total=1")
    assert page(quiet).json() == whole | {"paging": whole["paging"] | {"total": 63}}
    set_faults(quiet, "repeated=1")
    assert page(quiet).json() == whole
    assert page(quiet, 2).json() == whole
    assert page(quiet, 3).json() == second


def test_a_connection_is_cut_in_the_middle_of_an_answer(quiet: httpx.Client) -> None:
    set_faults(quiet, "cut=1")
    with pytest.raises(httpx.RemoteProtocolError):
        page(quiet)


def test_no_answer_comes_at_all(quiet: httpx.Client) -> None:
    set_faults(quiet, "timeout=1")
    with pytest.raises(httpx.ReadTimeout):
        quiet.get(LIST, headers=KEY, timeout=0.3)


def test_a_login_ends_in_the_middle(quiet: httpx.Client) -> None:
    headers = bearer(quiet)
    path = f"/self-service/v2/contacts/{world(quiet, 'contacts')[0]['contact_id']}"
    set_faults(quiet, "token=1")
    assert quiet.get(path, headers=headers).status_code == 401
    set_faults(quiet, "0")
    assert quiet.get(path, headers=headers).status_code == 401
    assert quiet.get(path, headers=bearer(quiet)).status_code == 200


def test_the_same_seed_has_the_same_faults_in_whatever_order_it_is_asked() -> None:
    def statuses(numbers: list[int]) -> dict[int, list[int]]:
        with sandbox("--contacts", "60", "--faults", "429=0.3,500=0.2") as client:
            rounds = [{number: page(client, number).status_code for number in numbers}] * 1
            rounds += [{number: page(client, number).status_code for number in numbers}]
            return {number: [seen[number] for seen in rounds] for number in sorted(numbers)}

    forward, backward = statuses([*range(1, 40)]), statuses([*range(39, 0, -1)])
    assert forward == backward
    found = Counter(status for seen in forward.values() for status in seen)
    assert {*found} == {200, 429, 500}


@pytest.mark.parametrize(
    "text", ["x", "2", "-1", "429=0.9,500=0.9", "nothing=0.1", "429=x", "late=1,late_s=x"]
)
def test_wrong_faults_are_refused(quiet: httpx.Client, text: str) -> None:
    answer = quiet.post("/_sandbox/faults", content=text)
    assert answer.status_code == 400
    assert quiet.get("/_sandbox/faults").json()["shares"] == {}


def test_one_number_is_shared_out_among_faults_that_pass(quiet: httpx.Client) -> None:
    set_faults(quiet, "0.12")
    shares = quiet.get("/_sandbox/faults").json()["shares"]
    kinds = "429 503 500 html html200 slow cut token short repeated empty total"
    assert shares == dict.fromkeys(kinds.split(), 0.01)


@pytest.mark.parametrize(
    ("fault", "status", "is_applied"),
    [
        ("429", 429, False),
        ("500", 500, False),
        ("timeout", None, False),
        ("applied_500", 500, True),
        ("applied_timeout", None, True),
        ("applied_empty", 200, True),
        ("applied_id", 200, True),
    ],
)
def test_a_write_may_arrive_whatever_its_answer(
    quiet: httpx.Client, fault: str, status: int | None, *, is_applied: bool
) -> None:
    key = world(quiet, "contacts", "crmcom")[0]["contact_id"]
    path, headers = f"/self-service/v2/contacts/{key}", bearer(quiet)
    set_faults(quiet, f"{fault}=1")
    try:
        body = {"first_name": fault}
        answer = quiet.put(path, json=body, headers=headers, timeout=0.5)
        assert answer.status_code == status
        assert key not in answer.text
    except httpx.ReadTimeout:
        assert status is None
    rows = {row["contact_id"]: row["first_name"] for row in world(quiet, "contacts", "crmcom")}
    assert (rows[key] == fault) == is_applied
    entry = quiet.get("/_sandbox/log").json()[-1]
    assert (entry["fault"], entry["is_applied"]) == (fault, is_applied)


def test_a_late_write_is_applied_after_its_answer(quiet: httpx.Client) -> None:
    key = world(quiet, "contacts", "crmcom")[0]["contact_id"]
    path, headers = f"/self-service/v2/contacts/{key}", bearer(quiet)
    set_faults(quiet, "late=1,late_s=0.5")
    assert quiet.put(path, json={"first_name": "Late"}, headers=headers).status_code == 504
    assert quiet.get("/_sandbox/log").json()[-1]["is_applied"] is False
    deadline = time.monotonic() + 30
    while not (entry := quiet.get("/_sandbox/log").json()[-1])["is_applied"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (entry["fault"], entry["after"]) == ("late", {"first_name": "Late"})


def test_traffic_is_counted_by_source() -> None:
    with sandbox("--contacts", "60", "--latency-ms", "1") as client:
        for _ in range(3):
            page(client)
        client.get(PLANS)
        counts = client.get("/_sandbox/traffic").json()
        assert counts["rosaas"] | {"most_a_second": 1} == {
            "requests": 1,
            "in_flight": 0,
            "most_in_flight": 1,
            "most_a_second": 1,
            "answers": {"401": 1},
        }
        assert (counts["crmcom"]["requests"], counts["crmcom"]["answers"]) == (3, {"200": 3})
        assert 1 <= counts["crmcom"]["most_a_second"] <= 3
        assert client.delete("/_sandbox/traffic").status_code == 204
        assert client.get("/_sandbox/traffic").json()["crmcom"]["requests"] == 0
