from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DAYS = ("--from", "2026-01-01", "--to", "2026-01-02")


def sync_pipeline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder``, where it may make its state."""
    kept = {name: value for name, value in os.environ.items() if "_" not in name}
    return subprocess.run(
        [sys.executable, "-m", "sync_pipeline", *arguments],
        cwd=folder,
        env=kept | {"SYNC_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


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
        (("drift", "crmcom/nosuch"), "crmcom/nosuch"),
        (("quarantine", "show", "x"), "ID"),
        (("quarantine", "replay"), "--all"),
        (("quarantine", "replay", "--all", "7"), "--all"),
        (("quarantine", "replay", "7", "rocs/contacts"), "--all"),
        (("quarantine", "replay", "0"), "positive"),
        (("quarantine", "replay", "nosuch"), "nosuch"),
        (("quarantine", "discard", "7"), "--reason"),
        (("quarantine", "discard", "7", "--reason", " "), "--reason"),
        (("sandbox", "--contacts", "0"), "--contacts"),
        (("sandbox", "--latency-ms", "abc"), "--latency-ms"),
    ],
)
def test_wrong_use_is_told_in_words_and_begins_nothing(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = sync_pipeline(tmp_path, *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_command_shows_the_commands(tmp_path: Path) -> None:
    done = sync_pipeline(tmp_path)
    assert "Traceback" not in done.stdout + done.stderr
    assert "status" in done.stdout + done.stderr


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe x")
    done = sync_pipeline(tmp_path, "status")
    assert done.returncode == 2
    assert done.stderr == f"sync-pipeline: {tmp_path / '.env'}: not readable as text in UTF-8\n"
