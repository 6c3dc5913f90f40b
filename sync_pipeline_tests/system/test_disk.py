"""A disk that refuses: one line says what, where and what to do; nothing is lost; then it goes on.

A real small disk is mounted where this machine lets us; where it does not, the limit on the size
of files takes its place, which refuses in the same calls.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync_pipeline.entities import ENTITIES
from sync_pipeline.operate.disk import FULL_BELOW_BYTES, MIB
from sync_pipeline_tests.system.installation import Done, Installation, lines
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

REFUSED = ("the disk is full", "a file may not grow further")
COMMANDS = (["pull", "rosaas/tenants"], ["url"], ["migrate"])


def refusal(done: Done) -> str:
    """Return the line with which a command gave up because of the disk."""
    assert done.code == 1, done
    assert "Traceback" not in done.out + done.err
    message = lines(done.err)[-1]
    assert message.startswith("sync-pipeline: ")
    assert any(words in message for words in REFUSED), done.err
    return message


def can_mount(folder: Path) -> bool:
    """Whether a disk of our own can be mounted here."""
    if not mount(folder, MIB):
        return False
    unmount(folder)
    return True


def mount(folder: Path, size: int) -> bool:
    options = f"size={size},mode=755"
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    return shutil.which("mount") is not None and is_done(command)


def unmount(folder: Path) -> None:
    assert is_done(["umount", folder]) or is_done(["umount", "-l", folder])


def is_done(command: list[str | Path]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def little_space(folder: Path, size: int) -> Iterator[None]:
    """Give what is below ``folder`` no more than ``size`` bytes (or each file, see above)."""
    if can_mount(folder):
        mount(folder, size)
        try:
            yield
        finally:
            unmount(folder)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [MIB // 8, 12 * MIB], ids=["own files", "cluster"])
def test_a_disk_too_small_to_begin_with_is_said_and_space_is_all_it_takes(
    installation: Installation, size: int
) -> None:
    installation.home.mkdir()
    with little_space(installation.home, size):
        for command in COMMANDS:
            message = refusal(installation.run(*command))
            assert str(installation.home) in message
            assert len(lines(message)) == 1
        installation.run("down").succeeded()
    installation.run("migrate").succeeded()


def test_a_disk_that_fills_up_loses_nothing_and_space_is_all_it_takes() -> None:
    with Installation() as installation:
        installation.home.mkdir()
        with little_space(installation.home, 160 * MIB):
            installation.start_sandbox(contacts=20)
            installation.run("pull", "rosaas/tenants").succeeded()
            before = warehouse_rows(installation, ENTITIES["tenants"])
            with filled(installation.home):
                for _again in range(2):
                    message = refusal(installation.run("pull"))
                    assert str(installation.home) in message
                # Nothing but space is lacking: what is there can still be asked for.
                installation.run("status").succeeded()
            assert warehouse_rows(installation, ENTITIES["tenants"]) == before
            installation.run("pull").succeeded()
            for name in ("tenants", "contacts", "communications"):
                entity = ENTITIES[name]
                assert warehouse_rows(installation, entity) == world_rows(installation, entity)
            installation.run("down").succeeded()


@contextmanager
def filled(home: Path) -> Iterator[None]:
    """Leave less than the server needs to go on; where files are limited, nothing for our own."""
    ballast = home / "ballast"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    free = shutil.disk_usage(home).free
    if free > 200 * MIB:
        (home / "dagster" / "dagster.yaml").unlink()
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    else:
        ballast.write_bytes(bytes(free - FULL_BELOW_BYTES // 2))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        ballast.unlink(missing_ok=True)
