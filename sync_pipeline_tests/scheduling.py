"""Which files go to the same of several test processes: those that share an installation.

Each process would make one of its own, which takes longer than many a file.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

SHARED = (
    {"test_query_docs.py", "test_run.py"},  # first_run
    {"test_backfill.py", "test_commands.py", "test_pull.py"},  # small
)
FOLDER = "sync_pipeline_tests/system/"


class FilesTogether(LoadFileScheduling):  # type: ignore[misc]  # xdist publishes no types
    """Keeps the tests of a file together, and files that share an installation."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        name = file.removeprefix(FOLDER)
        return next((min(files) for files in SHARED if name in files), file)
