"""Killed and cut anywhere, a pull that is begun again ends in the same warehouse.

The whole of it is `python -m sync_pipeline_tests.crashes`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_pipeline_tests.crashes.campaign import Campaign
from sync_pipeline_tests.crashes.points import Blow
from sync_pipeline_tests.crashes.site import Site, open_site

POINTS = 30
# A first reading; then what changed, read twice.
STATES = (0, 1, 1)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve both states of a world, and a PostgreSQL to be killed."""
    with open_site() as site:
        yield site


def test_a_run_struck_anywhere_and_begun_again_ends_in_the_same_warehouse(site: Site) -> None:
    campaign = Campaign(site, seed=1, say=print, states=STATES)

    assert campaign.strike(POINTS) == []

    assert len(campaign.hits) == POINTS
    assert {hit.strike.blow for hit in campaign.hits} == set(Blow)
    # There was something to lose of every kind.
    last = [campaign.undisturbed.pictures[cell] for cell in campaign.undisturbed.pictures][-10:]
    assert all(min(picture.sums) > 0 and picture.history for picture in last)
    assert sum(picture.beside["quarantine"].total() for picture in last) > 0


def test_a_loader_that_commits_its_progress_apart_from_its_rows_is_found(site: Site) -> None:
    campaign = Campaign(site, seed=1, say=print, states=(0,), is_split=True)

    findings = campaign.strike(POINTS)

    assert any("rows: " in finding for finding in findings), findings
