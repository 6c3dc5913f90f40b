"""Struck anywhere and begun again, a pull ends in the same warehouse.

The whole of it is `python -m sync_pipeline_tests.crashes`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_pipeline.entities import STREAMS
from sync_pipeline_tests.crashes.campaign import Campaign, differences
from sync_pipeline_tests.crashes.points import Act, Blow, Cell, Course, Side, Strike
from sync_pipeline_tests.crashes.site import Site, open_site
from sync_pipeline_tests.crashes.trial import STATES, run_trial

POINTS = 30
# A list in one answer, and records that are read one by one.
SPLIT = ("rosaas/plans", "crmcom/contacts")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve both states of a world, and a PostgreSQL to be killed."""
    with open_site() as site:
        yield site


def test_a_run_struck_anywhere_and_begun_again_ends_in_the_same_warehouse(site: Site) -> None:
    # A first reading; then what changed, read twice.
    undisturbed = run_trial(site, {}, states=STATES[:3])
    campaign = Campaign(site, undisturbed, seed=1, say=print)

    campaign.strike(POINTS)

    assert campaign.findings == []
    assert len(campaign.hits) == POINTS
    assert {hit.strike.blow for hit in campaign.hits} == set(Blow)
    # There was something to lose of every kind.
    last = [undisturbed.pictures[Cell(2, stream)] for stream in STREAMS]
    assert all(min(picture.sums) > 0 and picture.history for picture in last)
    assert sum(picture.beside["quarantine"].total() for picture in last) > 0


def test_a_loader_that_commits_its_progress_apart_from_its_rows_is_found(site: Site) -> None:
    first = STATES[:1]
    split = run_trial(site, {}, states=first, streams=SPLIT, is_split=True)
    strikes = {cell: between_the_halves(course) for cell, course in split.courses.items()}

    struck = run_trial(site, strikes, states=first, streams=SPLIT, is_split=True)

    found = [finding.partition(" missing")[0] for finding in differences(split, struck)]
    assert {finding.rpartition(": ")[0] for finding in found} >= {f"0 {s}: rows" for s in SPLIT}


def between_the_halves(course: Course) -> Strike:
    """Return what kills the pull after the progress of the last batch, before its rows."""
    batches = [place.number for place in course.acts if place.what == "pull/batch: load_batch"]
    return Strike(Blow.PULL, Side.AFTER, Act.COMMIT, batches[-2])
