"""A headless Chromium for tests: the installed one, or Debian's package, installed where we may.

Each page is opened by a process of its own, with a profile of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # So much of the page's own time, which does not pass while it waits for an answer.
    "--virtual-time-budget=20000",
    "--window-size=1600,1200",
)
LONGEST_S = 120
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser made of an address: its elements as HTML, and a picture."""

    html: str
    screenshot: Path


def find_browser() -> str:
    """Return the path of a Chromium; install Debian's package where there is none."""
    return _installed() or _install()


def open_page(url: str, screenshot: Path) -> Page:
    """Open ``url`` until it has settled, and take its picture."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        command = [find_browser(), *FLAGS, f"--user-data-dir={profile}"]
        done = subprocess.run(
            [*command, f"--screenshot={screenshot}", "--dump-dom", url],
            # Nothing is reached but this machine, whatever proxy the developer has set.
            env=os.environ | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    assert screenshot.read_bytes().startswith(PNG), said
    return Page(done.stdout.decode(), screenshot)


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> str:
    apt = shutil.which("apt-get")
    may_install = apt is not None and os.geteuid() == 0
    assert may_install, f"install a Chromium (one of {', '.join(NAMES)})"
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([str(apt), "-qq", *arguments], env=quiet, check=True)
    installed = _installed()
    assert installed, "Debian's package chromium brought no browser"
    return installed
