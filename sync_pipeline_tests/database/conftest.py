"""What tests of pulls ask for: vendors that hold nothing yet, and pulls from them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sync_pipeline_tests.pull_vendors import Vendors, serving_vendors
from sync_pipeline_tests.pulls import Pulls


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    """Serve vendors that hold nothing yet."""
    with serving_vendors() as vendors:
        yield vendors


@pytest.fixture
def pull(engine: Engine, vendors: Vendors) -> Pulls:
    """Return what pulls from the vendors into a new warehouse."""
    return Pulls(engine, vendors)
