"""The receiver as a process, killed under load and sent nonsense: samples of the two commands."""

from __future__ import annotations

from sync_pipeline_tests.webhooks.fuzz import fuzz
from sync_pipeline_tests.webhooks.kills import kill_again_and_again


def test_what_was_answered_200_survives_any_kill(warehouse_url: str) -> None:
    campaign = kill_again_and_again(warehouse_url, points=4, seed=7)
    assert campaign.accepted > 100
    assert campaign.lost == set()


def test_malformed_requests_cause_no_fault_and_lose_no_event(warehouse_url: str) -> None:
    fuzzed = fuzz(warehouse_url, requests=2_000, seed=7)
    assert (fuzzed.faults, fuzzed.lost) == (0, set())
    assert len(fuzzed.accepted) == 100
    assert {200, 400, 401, 404, 405, 413, 415} <= set(fuzzed.statuses)
