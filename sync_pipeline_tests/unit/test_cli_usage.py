from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync_pipeline.cli import main

DAYS = ("--from", "2026-01-01", "--to", "2026-01-02")
# Each takes a good part of a second to import; Dagster takes seconds.
HEAVY = {"aiohttp", "dagster", "numpy", "pandas", "phonenumbers", "pyarrow"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a new folder, where commands may make their state, with nothing set."""
    for name in list(os.environ):
        if "_" in name and not name.startswith("PYTEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SYNC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the command in this process, which spares the start of one; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["sync-pipeline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nosuch",), "nosuch"),
        (("--nosuch",), "--nosuch"),
        (("pull", "--since", "2020"), "--since"),
        (("pull", "crmcom/nosuch"), "crmcom/nosuch"),
        (("pull", "rosaas/plans", "--since", "2026-01-01"), "crmcom/communications"),
        (("pull", "--since", "2026-01-02", "--until", "2026-01-02"), "--until"),
        (("backfill", "crmcom/nosuch", *DAYS), "crmcom/nosuch"),
        (("backfill", "rosaas/plans", *DAYS), "--full"),
        (("backfill", "crmcom/communications", "--from", "2026-01-01"), "--to"),
        (("backfill", "crmcom/communications", "--from", "2026", *DAYS[2:]), "2026-03-31"),
        (("backfill", "crmcom/communications", *DAYS[:2], "--to", "2025-12-31"), "before"),
        (("backfill", "crmcom/communications", *DAYS[:2], "--to", "9999-12-31"), "future"),
        (("backfill", "crmcom/communications", "--from", "1999-12-31", *DAYS[2:]), "2000-01-01"),
        (("pull", "--contact", " "), "--contact"),
        (("url", "--role", "x"), "--role"),
        (("quarantine", "list", "crmcom/nosuch"), "crmcom/nosuch"),
        (("quarantine", "list", "--limit", "0"), "--limit"),
        (("quarantine", "list", "--limit", "9" * 20), "--limit"),
        (("drift", "crmcom/nosuch"), "crmcom/nosuch"),
        (("quarantine", "show", "x"), "ID"),
        (("quarantine", "replay"), "--all"),
        (("quarantine", "replay", "--all", "7"), "--all"),
        (("quarantine", "replay", "7", "rocs/contacts"), "--all"),
        (("quarantine", "replay", "0"), "positive"),
        (("quarantine", "replay", "9" * 5_000), "positive"),
        (("quarantine", "replay", "nosuch"), "nosuch"),
        (("quarantine", "discard", "7"), "--reason"),
        (("quarantine", "discard", "7", "--reason", " "), "--reason"),
        (("quarantine", "list", "--code", "\udcff"), "argument 4 is not readable as text in UTF-8"),
        (("pull", "crmcom/contacts", "--contact", "a\udcffb"), "argument 4 is not readable"),
        (("sandbox", "--contacts", "0"), "--contacts"),
        (("sandbox", "--latency-ms", "abc"), "--latency-ms"),
    ],
)
def test_wrong_use_is_told_in_words_and_begins_nothing(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    named: str,
) -> None:
    assert run(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert named in told
    assert "Traceback" not in told
    assert list(folder.iterdir()) == []


def test_no_command_shows_the_commands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    assert "status" in told.out + told.err
    assert list(folder.iterdir()) == []


def test_a_dotenv_that_is_no_text_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_bytes(b"\xff\xfe x")
    assert run(monkeypatch, "status") == 2
    told = capsys.readouterr().err
    assert told == f"sync-pipeline: {folder / '.env'}: not readable as text in UTF-8\n"


def test_a_command_that_reads_no_source_starts_without_what_is_slow_to_import() -> None:
    code = "import sys, sync_pipeline.cli; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "sync_pipeline.operate.status" in imported
    assert HEAVY & set(imported) == set()
