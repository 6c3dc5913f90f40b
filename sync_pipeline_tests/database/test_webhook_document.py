"""The OpenAPI document of the receiver is true: Schemathesis asks over HTTP whether it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import schemathesis
from sqlalchemy import Engine

from sync_pipeline_tests.database.readings import rows
from sync_pipeline_tests.webhooks.receiver_server import (
    KEY,
    ROCS_SECRET,
    Served,
    add_tenant,
    serving_receiver,
)

CASES_PER_ROUTE = 10


def ask_everything(served: Served, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have Schemathesis send what is valid and what is not, and judge each answer."""
    document = f"{served.client.base_url}/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--seed", "1"]
    # The first opens RoSaaS's routes, the second ROCS's.
    keys = ["-H", f"api-key: {KEY}", "-H", f"Authorization: Bearer {ROCS_SECRET}"]
    amount = ["--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES_PER_ROUTE)]
    return subprocess.run(
        [*command, *keys, *amount], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_answer_is_as_the_document_says_for_valid_and_invalid_requests(
    engine: Engine, tmp_path: Path
) -> None:
    add_tenant(engine, "acme", "Active")
    with serving_receiver(engine) as served:
        judged = ask_everything(served, tmp_path)
    assert judged.returncode == 0, judged.stdout
    assert "Tested: 15" in judged.stdout
    assert rows(engine, "SELECT DISTINCT source FROM ops.webhook_events ORDER BY 1") == [
        ("rocs",),
        ("rosaas",),
    ]


def test_the_answer_about_a_tenant_that_does_not_run_is_as_the_document_says(
    engine: Engine,
) -> None:
    add_tenant(engine, "idle", "Inactive")
    with serving_receiver(engine) as served:
        document = schemathesis.openapi.from_dict(served.client.get("/openapi.json").json())
        path = "/api/integration/{name}/health-status"
        answer = served.client.get(path.format(name="idle"))
    assert answer.status_code == 503
    document[path]["GET"].validate_response(answer)
