"""What the command line shows: tables, JSON, progress. Nothing is decided here."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine

from sync_pipeline.entities import Stream
from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.runs import RunKey, find_run

if TYPE_CHECKING:
    from sync_pipeline.operate.doctor import Finding

_TABLE_WIDTH = 400
# Sentences would not fit into a cell.
_BELOW = ("error", "pace")
_BAR_EVERY_S = 0.5
_LINE_EVERY_S = 10.0

# A narrower terminal breaks the lines itself: cut cells would hide what was asked for.
out = Console(highlight=False, soft_wrap=True, width=max(Console().width, _TABLE_WIDTH))
err = Console(stderr=True, highlight=False, soft_wrap=True)


def show_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool, title: str = "") -> None:
    """Print rows as a table with what went wrong below it, or as a JSON array."""
    if as_json:
        sys.stdout.write(json.dumps([dict(row) for row in rows], default=str) + "\n")
        return
    names = [name for name in (rows[0] if rows else ()) if name not in _BELOW]
    show_table(names, [[row[name] for name in names] for row in rows], title=title)
    for row in rows:
        if row.get("error"):
            err.print(f"{row['stream']}: {row['error']}", markup=False)
    for said in dict.fromkeys(row["pace"] for row in rows if row.get("pace")):
        err.print(str(said), markup=False)


def show_finding(finding: Finding) -> None:
    """Print one finding of the doctor: a line, and its remedy below it."""
    colour = {"ok": "green", "warning": "yellow", "failed": "red"}[finding.state]
    out.print(f"{finding.state:8} {finding.check}: {finding.found}", markup=False, style=colour)
    if finding.remedy:
        out.print(f"         remedy: {finding.remedy}", markup=False)


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1),
    )
    for position, name in enumerate(columns):
        numeric = any(isinstance(row[position], int | float | Decimal) for row in rows)
        heading = name.replace("_", "\n")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print(table, soft_wrap=False)


@contextmanager
def progress_of(engine: Engine, stream: Stream, run_id: str) -> Iterator[None]:
    """Show how far the run is, from its own record: a bar on a terminal, else plain lines."""
    ended = threading.Event()
    show = _show_bar if err.is_terminal else _show_lines
    watch = threading.Thread(target=show, args=(engine, RunKey(run_id, stream), ended))
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _show_bar(engine: Engine, key: RunKey, ended: threading.Event) -> None:
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(str(key.stream), total=None, rate="")
        while not ended.wait(_BAR_EVERY_S):
            row = _look(engine, key)
            if row is not None:
                total, read = _scopes(row)
                bar.update(task, total=total, completed=read, rate=_rate(row))


def _show_lines(engine: Engine, key: RunKey, ended: threading.Event) -> None:
    err.print(f"{key.stream} …")
    has_told = False
    while not ended.wait(_LINE_EVERY_S):
        has_told = _tell(engine, key) or has_told
    if has_told:
        # Else the last line would be one of a run that goes on.
        _tell(engine, key)


def _tell(engine: Engine, key: RunKey) -> bool:
    row = _look(engine, key)
    total, read = _scopes(row) if row else (0, 0)
    if row is None or not total:
        return False  # nothing is planned yet
    err.print(f"{key.stream}: {read:,} of {total:,} read, {_rate(row)}")
    return True


def _look(engine: Engine, key: RunKey) -> Mapping[str, object] | None:
    try:
        with transaction(engine) as connection:
            return find_run(connection, key)
    except WarehouseError:
        return None  # the run itself says so


def _scopes(row: Mapping[str, object]) -> tuple[int, int]:
    return int(str(row["scopes_total"])), int(str(row["scopes_read"]))


def _rate(row: Mapping[str, object]) -> str:
    began = row["started_at"]
    if not isinstance(began, datetime):
        return ""
    seconds = max((datetime.now(began.tzinfo) - began).total_seconds(), 0.1)
    return f"{int(str(row['rows_read'])) / seconds:,.0f} rows/s"


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)
