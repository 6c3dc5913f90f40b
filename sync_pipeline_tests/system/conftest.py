"""Installations that tests share, because making one takes longer than asking it something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_pipeline_tests.system.installation import Done, Installation


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Return a new installation in which nothing was started."""
    with Installation() as installation:
        yield installation


@pytest.fixture(scope="session")
def first_run() -> Iterator[tuple[Installation, Done]]:
    """Return an installation after its first `run`, with what that printed; nothing changes it."""
    with Installation() as installation:
        yield installation, installation.run("run")


@pytest.fixture(scope="session")
def small() -> Iterator[Installation]:
    """Return an installation with a small world, everything in it read once."""
    with Installation() as installation:
        installation.start_sandbox(contacts=60)
        installation.run("pull").succeeded()
        yield installation
