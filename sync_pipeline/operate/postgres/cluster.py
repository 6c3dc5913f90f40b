"""Making a cluster, and the settings that this project gives it."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.disk import cause_in, in_words
from sync_pipeline.operate.postgres.account import Account
from sync_pipeline.operate.postgres.binaries import Binaries
from sync_pipeline.operate.postgres.processes import cluster_name

SUPERUSER: Final = "sync"
SETTINGS_FILE: Final = "sync_pipeline.conf"
FIRST_WITH_BUILTIN_LOCALE: Final = 17
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    # A socket's path ends at 107 bytes, which a SYNC_HOME may well exceed; TCP serves everybody.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    # People's data must not get into logs. Statements, parameters and DETAIL hold them, and so does
    # the first line of many an ERROR ("invalid input syntax: ..."): errors go to the client alone.
    # In this scale LOG ranks above ERROR, so what the server says about itself stays.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


def initialise(binaries: Binaries, account: Account, data: Path, password: str) -> None:
    """Make a cluster at `data`, whole or not at all.

    A killed initdb leaves a folder that looks like a cluster, and may itself be still at work in
    it. So each attempt has a staging folder of its own, and only the finished one gets the name.
    """
    remove_staging(data.parent)
    staging = data.parent / f"staging-{secrets.token_hex(4)}"
    try:
        staging.mkdir()
        staging.chmod(0o711)
        password_file = staging / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="utf-8")
        account.own(password_file)
        run_initdb(binaries, account, staging).rename(data)
        sync_folder(data.parent)
    finally:
        remove_staging(data.parent)


def run_initdb(binaries: Binaries, account: Account, staging: Path) -> Path:
    """Make a cluster in the staging folder, with the best locale that this system has."""
    data = staging / "data"
    said = ""
    for locale in locales(binaries.major):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        account.own(data)
        attempt = account.run(
            [
                binaries.folder / "initdb",
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={staging / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                *locale,
            ]
        )
        if attempt.returncode == 0:
            return data
        said = said or (attempt.stderr or attempt.stdout).strip()
    refused = in_words(cause_in(said), staging.parent)
    raise SetupError(refused or f"PostgreSQL could not be initialised in {staging.parent}:\n{said}")


def locales(major: int) -> list[list[str]]:
    """Return options of initdb, the best first.

    All order by code point, so that indexes outlive the system's updates; the later ones know
    fewer letters outside ASCII.
    """
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    newer = [builtin] if major >= FIRST_WITH_BUILTIN_LOCALE else []
    return [["--locale=C.UTF-8"], *newer, ["--no-locale"]]


def write_settings(data: Path, account: Account) -> None:
    """Bring our settings up to date; ALTER SYSTEM of an operator still overrides them."""
    path = data / SETTINGS_FILE
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    lines = [f"{name} = '{value}'\n" for name, value in SETTINGS.items()]
    partial.write_text("".join(lines), encoding="utf-8")
    account.own(partial)
    partial.replace(path)
    include = f"include_if_exists = '{SETTINGS_FILE}'\n"
    main = data / "postgresql.conf"
    if include not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as file:
            file.write(include)


def server_command(binaries: Binaries, data: Path, port: int) -> list[str | Path]:
    """Return the server's command line; it carries the name by which its processes are found."""
    server = binaries.folder / "postgres"
    return [server, f"-D{data}", f"--port={port}", f"--cluster_name={cluster_name(data)}"]


def remove_staging(root: Path) -> None:
    """Clear what killed attempts left; one still at work ends in a folder that nobody looks at."""
    for staging in root.glob("staging-*"):
        shutil.rmtree(staging, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
