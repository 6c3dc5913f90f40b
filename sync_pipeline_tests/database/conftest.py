"""What tests of pulls ask for: vendors that hold nothing yet, and pulls from them."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sync_pipeline_tests.pull_vendors import Vendors, serving_vendors
from sync_pipeline_tests.pulls import Pulls
from sync_pipeline_tests.told import handled


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    """Serve vendors that hold nothing yet."""
    with serving_vendors() as vendors:
        yield vendors


@pytest.fixture
def pull(engine: Engine, vendors: Vendors) -> Pulls:
    """Return what pulls from the vendors into a new warehouse."""
    return Pulls(engine, vendors)


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def told(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Yield a signal whose handler raises."""
    number: signal.Signals = request.param
    with handled(number):
        yield number
