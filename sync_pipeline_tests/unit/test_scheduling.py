"""Which test files go to one process."""

from __future__ import annotations

import re
from pathlib import Path

from sync_pipeline_tests.scheduling import FOLDER, SHARED


def test_the_files_that_share_an_installation_are_named_together() -> None:
    folder = Path(__file__).resolve().parents[2] / FOLDER
    asking = [
        {file.name for file in folder.glob("test_*.py") if re.search(asked, file.read_text())}
        for asked in (r"\bfirst_run: ", r"\bsmall: ")
    ]
    assert [*SHARED] == asking
