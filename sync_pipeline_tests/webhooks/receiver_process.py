"""The webhook receiver as the command runs it: a process of its own, over any warehouse."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sync_pipeline.settings import known_variables
from sync_pipeline_tests.system.installation import free_port

KEY = "the-key-of-the-receiver"


class ReceiverProcess:
    """`sync-pipeline webhooks` with its own SYNC_HOME; a source is named that nobody asks."""

    def __init__(self, warehouse_url: str, folder: Path) -> None:
        self.port = free_port()
        others = {k: v for k, v in os.environ.items() if k not in known_variables()}
        self._environ = others | {
            "SYNC_HOME": str(folder / "home"),
            "WAREHOUSE_URL": warehouse_url,
            "WEBHOOK_API_KEY": KEY,
            "WEBHOOK_PORT": str(self.port),
            "ROSAAS_BASE_URL": "https://rosaas.invalid",
            "ROSAAS_CLIENT_ID": "client",
            "ROSAAS_CLIENT_SECRET": "the-client-secret",
        }
        self._folder = folder
        self._log = folder / "log.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it and wait until it listens; return its process id."""
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sync_pipeline", "webhooks"],
                env=self._environ,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith(b"webhooks: "), self._log.read_text(encoding="utf-8")
        # What it logs from then on is not looked at, but it must not wait for a reader.
        self._drain = subprocess.Popen(
            ["/bin/cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL
        )
        self.process.stdout.close()
        return self.process.pid

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(timeout=60)
        self._drain.wait(timeout=60)
        return code


@contextlib.contextmanager
def receiver_process(warehouse_url: str) -> Iterator[ReceiverProcess]:
    """Run one until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-receiver-"))
    receiver = ReceiverProcess(warehouse_url, folder)
    receiver.start()
    try:
        yield receiver
    finally:
        if receiver.process is not None and receiver.process.poll() is None:
            receiver.kill()
        shutil.rmtree(folder)
