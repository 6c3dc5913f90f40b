"""A run that is told to end does so, wherever the signal finds it, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS
from sync_pipeline_tests.pull_vendors import Vendors
from sync_pipeline_tests.pulls import Pulls

CONTACTS = [f"c{number}" for number in range(300)]


class ToldToEndError(BaseException):
    """What the handler raises, as Dagster's does."""


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def told(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Yield a signal whose handler raises."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise ToldToEndError

    number: signal.Signals = request.param
    before = signal.signal(number, end)
    try:
        yield number
    finally:
        signal.signal(number, before)


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
    threading.Timer(after_s, os.kill, (os.getpid(), told)).start()
    with pytest.raises(ToldToEndError):
        pull_until_told(pull)
    assert signal.getsignal(told) is handler
    assert pull(CRMCOM_COMMUNICATIONS).row["outcome"] == "succeeded"
    unfinished = "SELECT count(*) FROM ops.sync_runs WHERE outcome = 'running'"
    assert pull.rows(unfinished) == [(0,)]
