"""The logs of processes that run for months."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_pipeline.operate.home import Home
from sync_pipeline.operate.logs import cut_logs


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.make()
    return home


def test_a_long_log_begins_anew_and_the_end_of_what_it_held_is_kept_once(home: Home) -> None:
    path = home.logs / "daemon.log"
    # As the process that writes it has it open all the time.
    with path.open("ab", buffering=0) as log:
        for lines in (b"first\n", b"second\n", b"grown for months\nthird\n"):
            log.write(lines)
            cut_logs(home, most_bytes=5)
        log.write(b"now\n")
        cut_logs(home, most_bytes=5)
    kept = {path.name: path.read_bytes() for path in home.logs.iterdir()}
    assert kept == {"daemon.log": b"now\n", "daemon.log.1": b"hird\n"}


def test_a_short_log_stays_as_it_is(home: Home) -> None:
    (home.logs / "postgres.log").write_bytes(b"12345")
    cut_logs(home, most_bytes=5)
    assert [path.name for path in home.logs.iterdir()] == ["postgres.log"]
