"""What a disk refuses, in words: from an error number, a program's words, the space left."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.disk import (
    FULL_BELOW_BYTES,
    MIB,
    Space,
    cause_in,
    full_in_words,
    in_words,
    scarcity,
    space_of,
    writing,
)
from sync_pipeline.operate.home import Home, note_running, write_whole

WHERE = Path("/srv/sync/home")


@pytest.mark.parametrize(
    ("number", "cause", "remedy"),
    [
        (errno.ENOSPC, "the disk is full", "free some space"),
        (errno.EDQUOT, "the disk quota is used up", "free some space"),
        (errno.EFBIG, "a file may not grow further", "ulimit -f"),
        (errno.EROFS, "the disk is read-only", "mount it for writing"),
        (errno.EIO, "the disk fails", "checked"),
        (errno.EACCES, "no right to write", "right"),
        (errno.EPERM, "no right to write", "right"),
        (errno.EEXIST, "a file stands where a folder should be", "set SYNC_HOME"),
        (errno.ENOTDIR, "a file stands where a folder should be", "set SYNC_HOME"),
        (errno.ENOENT, "no folder can be made there", "set SYNC_HOME"),
    ],
)
def test_a_refusal_says_the_cause_the_place_and_what_to_do(
    number: int, cause: str, remedy: str
) -> None:
    said = in_words(number, WHERE)
    assert said is not None
    assert said.startswith(f"SYNC_HOME cannot be written, {cause}")
    assert f": {WHERE}; " in said
    assert remedy in said.partition(f": {WHERE}; ")[2]
    assert "\n" not in said


@pytest.mark.parametrize("number", [None, errno.ECONNREFUSED, errno.EAGAIN])
def test_what_is_not_about_a_disk_has_no_words(number: int | None) -> None:
    assert in_words(number, WHERE) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_the_words_of_a_program_tell_the_cause(number: int) -> None:
    said = f'FATAL:  could not write to file "pg_wal/xlogtemp.7": {os.strerror(number)}\nchild'
    assert cause_in(said) == number


def test_the_words_of_a_program_about_something_else_tell_no_cause() -> None:
    assert cause_in('FATAL:  could not open file "x": Permission denied') is None
    assert cause_in("") is None


def test_a_disk_is_full_when_the_server_could_not_go_on() -> None:
    assert full_in_words(Space(100 * MIB, FULL_BELOW_BYTES), WHERE) is None
    assert full_in_words(Space(100 * MIB, 3 * MIB), WHERE) == (
        f"the disk is full (3 of 100 MB free): {WHERE}; free some space there (or set SYNC_HOME "
        "to a larger disk) and run again; what was committed is kept"
    )


def test_the_space_of_a_folder_to_come_is_that_of_the_disk_it_will_be_on(tmp_path: Path) -> None:
    missing = tmp_path / "not" / "yet"
    assert space_of(missing).total == space_of(tmp_path).total
    assert scarcity([missing]) is None


def on_full(home: Home) -> None:
    (home.dagster / "dagster.yaml.draft").symlink_to("/dev/full")
    with writing(home.root):
        (home.dagster / "dagster.yaml.draft").write_text("x")


def in_a_file(home: Home) -> None:
    (home.root / "file").touch()
    Home(home.root / "file" / "below").make()


def at_a_file(home: Home) -> None:
    (home.root / "file").touch()
    Home(home.root / "file").make()


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (on_full, "the disk is full"),
        (in_a_file, "a file stands where a folder should be"),
        (at_a_file, "a file stands where a folder should be"),
    ],
)
def test_writing_in_a_home_that_refuses_is_a_set_up_error(
    tmp_path: Path, act: Callable[[Home], None], cause: str
) -> None:
    home = Home(tmp_path)
    home.make()
    with pytest.raises(SetupError, match=cause) as error:
        act(home)
    assert str(tmp_path) in str(error.value)


def test_an_error_about_another_place_is_not_taken_for_one_about_the_home(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), writing(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/usr/bin/elsewhere")


def test_a_small_file_that_cannot_be_written_keeps_what_it_held(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    note_running(home, "up", os.getpid(), url="http://127.0.0.1:1")
    path = home.running / "up.json"
    before = path.read_text()
    path.with_suffix(f".{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(SetupError, match="the disk is full"):
        note_running(home, "up", os.getpid(), url="http://127.0.0.1:2")
    assert path.read_text() == before
    write_whole(path, "{}")
    assert path.read_text() == "{}"
    assert [file.name for file in home.running.iterdir()] == ["up.json"]
