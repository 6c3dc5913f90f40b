"""What the command line shows: tables, JSON, progress. Nothing is decided here."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine

from sync_pipeline.entities import Stream
from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import open_engine, transaction
from sync_pipeline.warehouse.runs import RunKey, find_run

_LOOK_EVERY_S = 0.5

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def show_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool, title: str = "") -> None:
    """Print rows as a table, or as a JSON array."""
    if as_json:
        sys.stdout.write(json.dumps([dict(row) for row in rows], default=str) + "\n")
        return
    names = list(rows[0]) if rows else []
    show_table(names, [[row[name] for name in names] for row in rows], title=title)


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for position, name in enumerate(columns):
        numeric = any(isinstance(row[position], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print(table, soft_wrap=False)


@contextmanager
def engine_on(url: str) -> Iterator[Engine]:
    """Yield an engine on the warehouse, disposed of at the end."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def progress_of(engine: Engine, stream: Stream, run_id: str) -> Iterator[None]:
    """Show how far the run is, from its own record: a bar on a terminal, else plain lines."""
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(engine, RunKey(run_id, stream), ended))
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(engine: Engine, key: RunKey, ended: threading.Event) -> None:
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(str(key.stream), total=None, rate="")
        while not ended.wait(_LOOK_EVERY_S):
            try:
                with transaction(engine) as connection:
                    row = find_run(connection, key)
            except WarehouseError:
                continue  # the run itself says so
            if row is not None:
                scopes = (int(str(row["scopes_total"])), int(str(row["scopes_read"])))
                bar.update(task, total=scopes[0], completed=scopes[1], rate=_rate(row))


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
