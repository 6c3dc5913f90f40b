"""What several modules of unit tests start from."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sync_pipeline_tests.sandbox_process import sandbox


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Serve a small world, alone for the tests of one module."""
    with sandbox("--contacts", "60") as running:
        yield running
