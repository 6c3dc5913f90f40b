"""The sandbox's whole world, read for the first time: no field of it breaks the contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import STREAMS
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.sandbox import World, sandbox_environment, start_sandbox
from sync_pipeline.operate.stack import stop_all
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import CrmcomVersion, Settings, read_settings
from sync_pipeline.warehouse.drift import field_news
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.progress import Due

# What the world has on purpose: contacts of ROCS with members of a customer's own, and words
# that no enumeration has.
PLANTED = {
    ("crmcom/approval_requests", "unknown_value", "state"),
    ("crmcom/communications", "unknown_value", "life_cycle_state"),
    ("crmcom/contacts", "unknown_value", "demographics.gender"),
    ("crmcom/contacts", "unknown_value", "type"),
    ("rocs/campaigns", "unknown_value", "channelType"),
    ("rocs/communications", "unknown_value", "status"),
    ("rocs/contacts", "unknown_value", "gender"),
    *{
        ("rocs/contacts", "new", name)
        for name in ("createdBy", "customerNumber", "isVip", "middleInitial", "score")
    },
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Return a home whose processes are stopped in the end."""
    home = Home(tmp_path / "home")
    home.make()
    yield home
    stop_all(Settings(sync_home=home.root), home)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_first_reading_of_either_version_tells_only_of_what_was_planted(
    engine: Engine, home: Home, version: CrmcomVersion
) -> None:
    world = World(300, 1, 0.0, version)
    url = start_sandbox(Settings(sync_home=home.root), home, world)
    settings = read_settings(sandbox_environment(url) | {"SYNC_HOME": str(home.root)})
    now = datetime.now(UTC)
    for number, stream in enumerate(STREAMS.values()):
        request = PullRequest(Due(now, as_of=now), slice_s=600)
        pull_stream(stream, request, settings=settings, engine=engine, run_id=f"run-{number}")
    with transaction(engine) as connection:
        news = field_news(connection)
    assert {(one.stream, one.kind.value, one.field) for one in news} <= PLANTED
    assert any(one.kind.value == "new" for one in news)
