"""The lines in which a pull tells how far it is, where nobody watches a terminal."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Engine

from sync_pipeline import console
from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.warehouse.runs import (
    BatchCounts,
    RunKey,
    Traffic,
    begin_run,
    count_batch,
    plan_run,
)

KEY = RunKey("run-1", CRMCOM_CONTACTS)


def plan(engine: Engine, scopes: int) -> None:
    with engine.begin() as connection:
        begin_run(connection, KEY, cause="pull")
        plan_run(connection, KEY, scopes_total=scopes)


def read(engine: Engine, scopes: int) -> None:
    with engine.begin() as connection:
        counts = BatchCounts(inserted=scopes, scopes_read=scopes)
        count_batch(connection, KEY, counts, Traffic())


def test_the_last_line_tells_how_the_run_ended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "_LINE_EVERY_S", 0.01)
    told = ""
    with console.progress_of(engine, CRMCOM_CONTACTS, KEY.run_id):
        plan(engine, 150)
        while "0 of 150 read, 0 rows/s" not in told:
            time.sleep(0.01)
            told += capsys.readouterr().err
        read(engine, 150)

    lines = (told + capsys.readouterr().err).splitlines()
    assert lines[0] == "crmcom/contacts …"
    assert lines[-1].startswith("crmcom/contacts: 150 of 150 read, ")
    assert not any("0 of 0 read" in line for line in lines)


def test_a_run_that_ends_before_the_first_line_needs_none(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with console.progress_of(engine, CRMCOM_CONTACTS, KEY.run_id):
        plan(engine, 150)
        read(engine, 150)

    assert capsys.readouterr().err == "crmcom/contacts …\n"
