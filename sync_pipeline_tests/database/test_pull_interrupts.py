"""A run that is told to end does so, wherever the signal finds it, and leaves nothing behind."""

from __future__ import annotations

import signal

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline_tests.pull_vendors import Vendors
from sync_pipeline_tests.pulls import Pulls
from sync_pipeline_tests.told import ToldToEndError, tell

CONTACTS = [f"c{number}" for number in range(300)]


def pull_until_told(pull: Pulls) -> None:
    while True:
        pull(CRMCOM_COMMUNICATIONS)


@pytest.mark.parametrize("after_s", [0.05, 0.15, 0.3, 0.5, 0.8])
def test_a_pull_ends_when_it_is_told_to_and_its_stream_is_free(
    pull: Pulls, vendors: Vendors, told: signal.Signals, after_s: float
) -> None:
    vendors.hold_contacts(*CONTACTS)
    pull(CRMCOM_CONTACTS)
    handler = signal.getsignal(told)
    tell(told, after_s=after_s)
    with pytest.raises(ToldToEndError):
        pull_until_told(pull)
    assert signal.getsignal(told) is handler
    assert pull(CRMCOM_COMMUNICATIONS).row["outcome"] == "succeeded"
    unfinished = "SELECT count(*) FROM ops.sync_runs WHERE outcome = 'running'"
    assert pull.rows(unfinished) == [(0,)]
