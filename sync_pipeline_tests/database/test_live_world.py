"""A world that changes while it is read, with faults; `sync_pipeline_tests.live` runs longer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from sync_pipeline.entities import ENTITIES
from sync_pipeline_tests.live.rounds import is_settled, pull_round, unproven
from sync_pipeline_tests.live.world import Unrest, differing
from sync_pipeline_tests.sandbox_process import sandbox

MOST_ROUNDS = 8
# Those that nobody has to wait for.
FAULTS = "token=0.01,cut=0.01,html200=0.01,500=0.005,total=0.005"


def test_almost_all_is_proven_while_the_world_changes_and_all_is_found_when_it_rests(
    engine: Engine, tmp_path: Path
) -> None:
    unrest = Unrest(40, FAULTS, "v2", tmp_path / "sandbox", page_size=20)
    with sandbox(*unrest.options(changes_per_minute=1_200)) as client:
        figures = pull_round(engine, unrest.settings(client))
        changes = len(client.get("/_sandbox/log").json())
    assert changes > 20
    assert unproven(figures) == []

    with sandbox(*unrest.options(changes_per_minute=0)) as client:
        settings = unrest.settings(client)
        rounds = (pull_round(engine, settings, is_full=True) for _ in range(MOST_ROUNDS))
        assert any(map(is_settled, rounds))
        outcome = differing(engine, client, version=unrest.version)
    assert {name: differ for name, (_, differ) in outcome.items()} == dict.fromkeys(ENTITIES, 0)
