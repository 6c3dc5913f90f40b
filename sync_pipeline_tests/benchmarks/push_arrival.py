"""From a committed request to `confirmed`: through sensor, daemon and the whole stack."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import cycle, islice

from sync_pipeline_tests.benchmarks.arrival import up
from sync_pipeline_tests.system.installation import Installation, awaited

MOST_S, MOST_TAKEN_S = 45, 30
REQUESTS = 6
_ASK = """
    SELECT push.request_update(
        'crmcom', 'contacts', %s, jsonb_build_object('first_name', 'At ' || clock_timestamp())
    )
"""
_CONFIRMED = "SELECT count(*) FROM push.updates WHERE id = %s AND status = 'confirmed'"
_TAKEN = "SELECT extract(epoch FROM sending_since - requested_at) FROM push.updates WHERE id = %s"
# Of other lengths, else each request would meet the sensor at the same moment of its interval.
_PAUSES_S = (1.0, 4.5, 8.0)


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Seconds from each request, until a run of push_job had it, and until it was confirmed."""

    taken: list[float]
    confirmed: list[float]


def measure(requests: int = REQUESTS) -> Confirmations:
    """Bring a stack up and ask for updates in SQL, one after the other."""
    with Installation() as installation:
        installation.start_sandbox(contacts=100, latency_ms=50)
        installation.run("pull", "crmcom/contacts").succeeded()
        with up(installation, ask=_asked, is_at_work=lambda: _is_confirmed(installation, 1)):
            pauses_s = islice(cycle(_PAUSES_S), requests)
            timed = [_seconds(installation, pause_s) for pause_s in pauses_s]
    return Confirmations([taken for taken, _ in timed], [confirmed for _, confirmed in timed])


def _seconds(installation: Installation, pause_s: float) -> tuple[float, float]:
    time.sleep(pause_s)
    update_id = _asked(installation)
    began = time.monotonic()
    awaited(lambda: _is_confirmed(installation, update_id), "it is confirmed", timeout_s=120)
    confirmed_s = time.monotonic() - began
    ((taken_s,),) = installation.ask(_TAKEN, update_id)
    return float(str(taken_s)), confirmed_s


def _asked(installation: Installation) -> int:
    contact_id = installation.world("contacts", source="crmcom")[0]["contact_id"]
    ((made,),) = installation.ask(_ASK, contact_id)
    return int(str(made))


def _is_confirmed(installation: Installation, update_id: int) -> bool:
    return installation.ask(_CONFIRMED, update_id) == [(1,)]
