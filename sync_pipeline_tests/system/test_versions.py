"""Each way of reading CRM.COM brings the whole world, value by value."""

from __future__ import annotations

import pytest

from sync_pipeline.entities import ENTITIES
from sync_pipeline_tests.system.installation import Installation
from sync_pipeline_tests.system.rows import differences, warehouse_rows, world_rows
from sync_pipeline_tests.system.versions import WAYS, Way


# The first way is that of every other system test.
@pytest.mark.parametrize("way", WAYS[1:], ids=str)
def test_the_warehouse_equals_the_world_however_it_is_read(
    installation: Installation, way: Way
) -> None:
    installation.start_sandbox(contacts=120, crmcom_version=way.version)
    installation.run("pull", environ=way.environ(installation)).succeeded()
    for entity in ENTITIES.values():
        true = world_rows(installation, entity, crmcom_version=way.version)
        assert len(true) > 0
        assert differences(warehouse_rows(installation, entity), true, entity) == []
    assert installation.ask("SELECT count(*) FROM ops.quarantine") == [(0,)]
