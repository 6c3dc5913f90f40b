from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_pipeline_tests.system.embedded_postgres.homes import Homes


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    """Folders that another account can enter, which root's tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-")) if os.geteuid() == 0 else tmp_path
    folder.chmod(0o711)
    homes = Homes(folder)
    yield homes
    homes.end()
    shutil.rmtree(folder)
