"""The files of one embedded PostgreSQL and where they lie.

Everything is in SYNC_HOME, with one exception: when the account that runs the server cannot enter
that folder (root's own home is the usual case), the data lies in a folder below /var/lib and a
pointer file in SYNC_HOME names it. The pointer is kept: data never changes place by itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.postgres.account import Account
from sync_pipeline.operate.postgres.processes import end_members

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Names only; nothing is created or read before it is asked for.

    `state` is used by root alone, for what another account must reach and cannot reach in `home`.
    """

    home: Path
    state: Path

    @property
    def base(self) -> Path:
        """The server's corner of SYNC_HOME."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """Where the server's messages go; opened before the server changes its user."""
        return self.home / "logs" / "postgres.log"

    @property
    def pointer(self) -> Path:
        """Names the folder of the data where that is not `base`."""
        return self.base / "location"

    @property
    def root(self) -> Path:
        """The folder that holds the data folder."""
        return Path(read(self.pointer) or self.base)

    @property
    def data(self) -> Path:
        """The cluster: PostgreSQL's own files."""
        return self.root / "data"

    @property
    def port(self) -> int | None:
        """The remembered port."""
        text = read(self.base / "port")
        return int(text) if text is not None and text.isdecimal() else None

    def remember_port(self, port: int) -> None:
        """Keep the port, so that addresses handed out stay good over restarts."""
        write_private(self.base / "port", str(port))

    @property
    def password(self) -> str | None:
        """The superuser's password."""
        return read(self.base / "password")

    def ensure_password(self) -> str:
        """Return the password, generated when there is none."""
        if self.password is None:
            write_private(self.base / "password", secrets.token_urlsafe(32))
        return self.password or ""

    @property
    def major(self) -> int | None:
        """The cluster's major version; None when there is no cluster."""
        text = read(self.data / "PG_VERSION")
        return None if text is None else int(text)

    def prepare(self, account: Account) -> None:
        """Create the folders, and decide once where the data lies."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not account.is_lent or self.pointer.exists():
            return
        # Others may pass through but not look around: the account has to reach its data.
        self.base.chmod(0o711)
        if account.can_enter(self.base):
            return
        if self.data.exists():
            raise SetupError(
                f"PostgreSQL runs as the user {account.name}, who cannot enter {self.base} any "
                "more: give every folder above it the x permission for others"
            )
        root = self.state / hashlib.sha256(os.fsencode(self.base)).hexdigest()[:16]
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o711)
        set_aside(root / "data")
        write_private(self.pointer, str(root))

    @contextmanager
    def locked(self, timeout_s: float) -> Iterator[None]:
        """Hold the home for this process; the lock falls with the process, however it ends."""
        self.base.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + timeout_s
        # Not for writing: what runs can be stopped also on a disk that became read-only.
        with open(self.base / "lock", "rb", opener=_created) as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise SetupError(
                            f"another process has been starting or stopping the PostgreSQL in "
                            f"{self.home} for more than {timeout_s:.0f} s"
                        ) from None
                time.sleep(0.02)
            yield


def _created(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def set_aside(data: Path) -> None:
    """Keep the data of a SYNC_HOME that was removed: nobody has its password, but it is data."""
    if data.exists():
        end_members(data)
        kept = data.with_name(f"data-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        data.rename(kept)
        logger.warning("data of an earlier SYNC_HOME at this path is kept in %s", kept)


def read(path: Path) -> str | None:
    """Return the text of a small file; None when it is missing or empty."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
