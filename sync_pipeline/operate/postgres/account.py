"""The operating-system account that runs the server and owns its data.

PostgreSQL refuses to run as root, so root lends the server an unprivileged account. Whether that
account can reach a folder or a program is found out by trying it as that account: access lists,
mount options and security modules all have their say, which mode bits do not show.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sync_pipeline.errors import SetupError

UNPRIVILEGED: Final = ("postgres", "nobody")
PROGRAM_TIMEOUT_S: Final = 300.0
# Detaches the server: the shell says its pid and is gone, so nobody is left with a zombie to reap.
DETACH: Final = 'exec "$@" >&2 & echo $!'


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server; `uid` and `gid` are None for the present user."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def is_lent(self) -> bool:
        """Whether the server runs as somebody else than this process."""
        return self.uid is not None

    def run(self, argv: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run to the end and return the output; raises OSError when it does not execute."""
        return subprocess.run(  # noqa: S603 - the programs are the server's own, no shell, no input
            argv,
            user=self.uid,
            group=self.gid,
            extra_groups=[] if self.is_lent else None,
            env=server_environment(),
            cwd="/",
            umask=0o077,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROGRAM_TIMEOUT_S,
            check=False,
        )

    def detach(self, argv: Sequence[str | Path], log: IO[bytes]) -> int:
        """Start a daemon in a session of its own and return its pid."""
        with subprocess.Popen(  # noqa: S603 - a constant script; the rest are its arguments
            ["/bin/sh", "-c", DETACH, "sh", *argv],
            user=self.uid,
            group=self.gid,
            extra_groups=[] if self.is_lent else None,
            env=server_environment(),
            cwd="/",
            umask=0o077,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as shell:
            said, _ = shell.communicate()
        return int(said)

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach what lies in the folder."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0

    def own(self, path: Path) -> None:
        """Give the path to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Choose the present user, or for root the first unprivileged account known here."""
    if os.geteuid() != 0:
        return Account(f"uid {os.geteuid()}")
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise SetupError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)} here: "
        "create one, run as a normal user, or set WAREHOUSE_URL to a server of your own"
    )


def server_environment() -> dict[str, str]:
    """Return what the server may know: no PG* variable that bends it, no credential of ours."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **kept}
