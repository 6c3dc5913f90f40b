"""Where tests write: memory is given back at the end, and after a kill by the next tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sync_pipeline_tests.memory_folder import memory_folder

HOLD = """
import sys
from pathlib import Path
from sync_pipeline_tests.memory_folder import memory_folder
with memory_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_lives_as_long_as_its_tests_and_after_a_kill_until_the_next(
    tmp_path: Path,
) -> None:
    command: list[str | Path] = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with memory_folder(tmp_path) as ours:
            assert sorted(tmp_path.iterdir()) == sorted([ours, theirs])
        assert list(tmp_path.iterdir()) == [theirs]
        other.kill()
    with memory_folder(tmp_path) as ours:
        assert list(tmp_path.iterdir()) == [ours]
    assert list(tmp_path.iterdir()) == []
