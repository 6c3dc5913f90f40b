"""A world that stands still is complete after one pull of each stream, however it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import Settings, read_settings
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.sandbox_process import sandbox
from sync_pipeline_tests.system.versions import NO_SERVICE, WAYS, Way

PROOFS = (
    "SELECT source || '/' || entity, scope = '', proof, reason, count(*) "
    "FROM ops.watermarks GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 DESC, 3"
)
TO_READ = "SELECT count(*) FROM ops.watermarks WHERE proof = 'incomplete'"


def settings_of(client: httpx.Client, way: Way, folder: Path) -> Settings:
    """Return the settings that read the sandbox in this way, several pages a list."""
    environ: dict[str, str] = client.get("/_sandbox/env").raise_for_status().json()
    # The world has messages of the same second; with pages of 90 none of these are at a boundary.
    pages = {"ROCS_PAGE_SIZE": "20", "CRMCOM_PAGE_SIZE": "90"}
    own: dict[str, str] = {}
    if way.auth == "per_contact":
        file = folder / "contacts.csv"
        file.write_bytes(client.get("/_sandbox/contacts.csv").content)
        own = {"CRMCOM_AUTH": way.auth, "CRMCOM_CONTACTS_FILE": str(file)} | NO_SERVICE
    return read_settings(environ | pages | own)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_stream_is_complete_after_one_pull(engine: Engine, way: Way, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    complete = {}
    arguments = ("--contacts", "60", "--crmcom-version", way.version)
    with sandbox(*arguments) as client:
        settings = settings_of(client, way, tmp_path)
        for name, stream in STREAMS.items():
            request = PullRequest(Due(datetime.now(UTC), as_of=began), slice_s=300)
            report = pull_stream(stream, request, settings=settings, engine=engine, run_id=name)
            row = report.row
            complete[name] = (row["is_complete"], row["scopes_incomplete"], report.remaining)

    with engine.connect() as connection:
        proofs = [tuple(row) for row in connection.execute(text(PROOFS))]
        incomplete = connection.execute(text(TO_READ)).scalar_one()

    assert complete == dict.fromkeys(STREAMS, (True, 0, 0)), proofs
    assert incomplete == 0
    # Long lists are there, and each is proven by what its rows show.
    long_lists = {proof for name, _, proof, *_ in proofs if name == "crmcom/communications"}
    shown = "tail_first" if way.version == "v2" else "agreeing_passes"
    assert long_lists == {"single_response", shown}
