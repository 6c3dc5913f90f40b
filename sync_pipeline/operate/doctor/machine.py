"""Checks of this machine: Python, the C library, SYNC_HOME and its disk, ports."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.disk import MIB, Space, full_in_words, space_of
from sync_pipeline.operate.doctor.findings import Finding, failed, ok, warning
from sync_pipeline.operate.home import Home, find_noted
from sync_pipeline.operate.postgres.libc import is_musl_here
from sync_pipeline.operate.postgres.ports import is_free
from sync_pipeline.settings import Settings
from sync_pipeline.shipped import shipped_path

OLDEST_PYTHON = (3, 11)
# A new cluster with its two databases takes 60 MB; the write-ahead log grows beside it.
COMFORTABLE_BYTES = 1024 * MIB


def check_machine(root: Path) -> Iterator[Finding]:
    """Yield what can be checked without any other setting than SYNC_HOME."""
    yield python_finding(sys.version_info[:2], platform.python_version())
    libc = "musl" if is_musl_here() else " ".join(platform.libc_ver()).strip()
    system = f"{platform.system()} {platform.machine()}"
    yield ok("platform", f"{system}, {libc}" if libc else system)
    home = home_finding(root)
    yield home
    if home.state != "failed":
        yield space_finding(space_of(root), root)
    yield _shipped_files()


def python_finding(version: tuple[int, ...], shown: str) -> Finding:
    """Judge the version of Python."""
    if version < OLDEST_PYTHON:
        return failed("python", shown, "use Python 3.11 or newer")
    return ok("python", f"{shown} ({sys.executable})")


def home_finding(root: Path) -> Finding:
    """Judge whether SYNC_HOME is, or can become, a folder that we may write; writes nothing."""
    existing = next(path for path in (root, *root.parents) if path.exists())
    if not existing.is_dir():
        return failed(
            "sync_home", f"{existing} is a file", "set SYNC_HOME to a folder, or move the file"
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        return failed(
            "sync_home",
            f"{existing} cannot be written (read-only, or no right to)",
            "give the present user the right to write there, or set SYNC_HOME elsewhere",
        )
    return ok("sync_home", str(root) if existing == root else f"{root} (not made yet)")


def space_finding(space: Space, root: Path) -> Finding:
    """Judge the space left on the disk of SYNC_HOME."""
    remedy = "free some space there, or set SYNC_HOME to a larger disk"
    if full_in_words(space, root):
        return failed("disk", str(space), remedy)
    if space.free < COMFORTABLE_BYTES:
        return warning("disk", str(space), remedy)
    return ok("disk", str(space))


def check_ports(settings: Settings, home: Home) -> Iterator[Finding]:
    """Yield whether each port is free, or held by what this SYNC_HOME started."""
    for variable, port, name in (
        ("UI_PORT", settings.ui_port, "webserver"),
        ("SANDBOX_PORT", settings.sandbox_port, "sandbox"),
    ):
        if name == "sandbox" and settings.is_any_source_on:
            continue
        noted = find_noted(home, name)
        is_ours = noted is not None and noted.process() is not None
        yield port_finding(variable, port, is_ours=is_ours, is_free=is_free(port))


def port_finding(variable: str, port: int, *, is_ours: bool, is_free: bool) -> Finding:
    """Judge one port; a port that somebody else holds only stops who needs it."""
    check = variable.lower()
    if is_ours:
        return ok(check, f"{port} is in use by this SYNC_HOME's own process")
    if is_free:
        return ok(check, f"{port} is free")
    return warning(check, f"{port} is taken by another program", f"set {variable} to a free port")


def _shipped_files() -> Finding:
    try:
        found = [shipped_path(name) for name in ("sql", "dagster.yaml", "workspace.yaml")]
    except SetupError as exc:
        return failed("installation", str(exc), "install sync-pipeline again")
    return ok("installation", f"sql, dagster.yaml and workspace.yaml in {found[0].parent}")
