"""From a change at the vendor, told by its webhook, to the row: through the whole stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from sync_pipeline_tests.system.installation import Installation, awaited, interrupt

MOST_S, MOST_BESIDE_A_SWEEP_S = 15, 30
EVENTS = 6
_STORED = "SELECT status FROM warehouse.tenants WHERE tenant_name = %s"
_PAUSE_S = 1.7


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Seconds from each change to its row, with nothing else to do and beside a long sweep."""

    alone: list[float]
    beside_a_sweep: list[float]


def measure(events: int = EVENTS) -> Arrivals:
    """Bring a stack up and change tenants in its sandbox."""
    with Installation() as installation:
        installation.start_sandbox(contacts=1_000, latency_ms=50)
        installation.run("pull", "rosaas/tenants").succeeded()
        with up(installation, is_at_work=lambda: _is_working(installation), ask=_change):
            alone = [_seconds(installation) for _ in range(events)]
            sweep = installation.start("pull", "crmcom/communications", "--full")
            beside = [_seconds(installation) for _ in range(events)]
            sweep.kill()
            sweep.wait()
    return Arrivals(alone, beside)


@contextmanager
def up(
    installation: Installation,
    *,
    ask: Callable[[Installation], object],
    is_at_work: Callable[[], bool],
) -> Iterator[None]:
    """Have the stack up, and the daemon at work on what ``ask`` asks it for."""
    process = installation.start("up")
    assert process.stdout is not None
    while "Stop" not in process.stdout.readline():
        assert process.poll() is None
    # What the schedules start at once is no part of it.
    ask(installation)
    awaited(is_at_work, "the daemon works", timeout_s=120)
    yield
    interrupt(process)


def _is_working(installation: Installation) -> bool:
    first = "SELECT count(*) FROM ops.sync_runs WHERE cause = 'webhook'"
    return installation.ask(first) != [(0,)]


def _seconds(installation: Installation) -> float:
    time.sleep(_PAUSE_S)
    began = time.monotonic()
    name = _change(installation)
    awaited(
        lambda: installation.ask(_STORED, name) == [("Activating",)], "it arrives", timeout_s=120
    )
    return time.monotonic() - began


def _change(installation: Installation) -> str:
    tenants = installation.world("tenants")
    name = next(str(t["tenant_name"]) for t in tenants if t["status"] in {"Inactive", "Active"})
    fields = {"status": "SendingActivationRequest"}
    change = {"entity": "tenants", "action": "update", "id": name, "fields": fields}
    url = f"{installation.sandbox_url}/_sandbox/changes"
    httpx.post(url, json=[change], timeout=60, trust_env=False).raise_for_status()
    return name
