"""A sample of the kill harness; the whole of it is `python -m sync_pipeline_tests.pushes`."""

from __future__ import annotations

from sync_pipeline_tests.pushes.__main__ import play


def test_pushes_that_are_killed_or_outrun_break_no_promise(empty_url: str) -> None:
    campaign = play(empty_url, points=8, seed=5)
    assert campaign.findings == []
    assert campaign.hits.total() >= 8
