"""A PostgreSQL of the benchmark's own, as the product starts it: fsync on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_pipeline.operate.postgres import EmbeddedPostgres


@contextmanager
def new_postgres() -> Iterator[str]:
    """Yield the address of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-bench-"))
    # The account that runs the server has to enter it.
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "home", state_dir=folder / "state")
    try:
        server.start()
        yield server.dsn("postgres")
    finally:
        server.stop()
        shutil.rmtree(folder)
