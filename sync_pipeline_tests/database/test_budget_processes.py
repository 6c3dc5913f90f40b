"""Four processes with one budget, against a server that counts what really comes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from sync_pipeline.warehouse.budget import Lane
from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer
from sync_pipeline_tests.waiting import eventually

NAMES = ("one", "two", "three", "four")
RATE = 40
IN_FLIGHT = 4
ANSWER_S = 0.05
SILENCE_S = 2.0


class Counting:
    """Answers everybody and notes when each request came."""

    def __init__(self) -> None:
        self.came: list[tuple[float, str]] = []
        self.most_in_flight = 0
        self.told_at = 0.0
        self._in_flight = 0
        self._is_to_tell = False
        self._lock = threading.Lock()

    def answer(self, request: Received) -> Scripted:
        with self._lock:
            self.came.append((time.monotonic(), request.path.strip("/")))
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            is_told, self._is_to_tell = self._is_to_tell, False
        time.sleep(ANSWER_S)
        with self._lock:
            self._in_flight -= 1
            if is_told:
                self.told_at = time.monotonic()
        if is_told:
            return Scripted(429, headers={"Retry-After": f"{SILENCE_S:g}"})
        return Scripted.json({})

    def ask_for_fewer(self) -> None:
        """Answer 429 once."""
        with self._lock:
            self._is_to_tell = True

    def by_name(self, *, since: float = 0) -> Counter[str]:
        """Return how often each has asked since then."""
        with self._lock:
            return Counter(name for at, name in self.came if at >= since)

    def most_a_second(self) -> int:
        """Return the most requests that came within any second."""
        times = [at for at, _ in self.came]
        return max(bisect_left(times, at + 1) - number for number, at in enumerate(times))

    def longest_gap_s(self, *, since: float) -> float:
        """Return for how long nobody at all asked, at most."""
        times = [at for at, _ in self.came if at >= since]
        return max(later - earlier for earlier, later in pairwise(times))


@contextmanager
def worker(
    warehouse_url: str, api_url: str, name: str, *, lane: Lane = "pull"
) -> Iterator[subprocess.Popen[bytes]]:
    module = "sync_pipeline_tests.database.budget_worker"
    settled = (name, str(RATE), str(IN_FLIGHT), lane)
    with subprocess.Popen(
        (sys.executable, "-m", module, warehouse_url, api_url, *settled),
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_four_processes_keep_to_one_budget_whatever_happens_to_them(
    engine: Engine, warehouse_url: str
) -> None:
    counting = Counting()
    with ScriptedServer() as server, ExitStack() as stack:
        for name in NAMES:
            server.respond("GET", f"/{name}", counting.answer)
        workers = [stack.enter_context(worker(warehouse_url, server.url, n)) for n in NAMES]
        eventually(lambda: len(counting.by_name()) == len(NAMES))
        began = time.monotonic()

        # All make progress.
        eventually(lambda: min((*counting.by_name(since=began).values(), 10)) == 10)

        # What a killed one held is the others' in the end.
        workers[0].kill()
        workers[0].wait()
        killed_at = time.monotonic()
        shares = "SELECT count(*), sum(places) FROM ops.budget_holders"
        eventually(lambda: rows(engine, shares) == [(len(NAMES) - 1, IN_FLIGHT)])
        assert "one" not in counting.by_name(since=killed_at + 1)

        # One is told to wait; all wait, and all go on.
        counting.ask_for_fewer()
        eventually(lambda: counting.told_at > 0)
        told_at = counting.told_at
        rest = NAMES[1:]
        eventually(
            lambda: all(counting.by_name(since=told_at + SILENCE_S)[name] >= 2 for name in rest)
        )
    assert counting.longest_gap_s(since=told_at - 1) > SILENCE_S / 2
    assert counting.most_in_flight <= IN_FLIGHT
    # A moment may be used a quarter of a second late, and whoever learns of it late (a busy
    # machine) counts from then; those in flight may have left in the second before.
    assert counting.most_a_second() <= RATE * 1.4 + IN_FLIGHT


@pytest.mark.usefixtures("engine")
def test_a_process_that_pushes_goes_before_three_that_pull(warehouse_url: str) -> None:
    counting = Counting()
    push, *pulls = NAMES
    with ScriptedServer() as server, ExitStack() as stack:
        for name in NAMES:
            server.respond("GET", f"/{name}", counting.answer)
        for name in pulls:
            stack.enter_context(worker(warehouse_url, server.url, name))
        eventually(lambda: len(counting.by_name()) == len(pulls))

        stack.enter_context(worker(warehouse_url, server.url, push, lane="push"))
        eventually(lambda: counting.by_name()[push] > 0)
        began = time.monotonic()
        eventually(lambda: counting.by_name(since=began).total() >= 5 * RATE)

    sent = counting.by_name(since=began)
    # It wants all that there is, and has it.
    assert sent[push] > 2 * sum(sent[name] for name in pulls)
