"""`sync-pipeline quarantine`: look at the records that break the contract, and settle them."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Engine

from sync_pipeline import console
from sync_pipeline.commands.options import Json, streams_named
from sync_pipeline.errors import NotInQuarantineError
from sync_pipeline.operate.ready import make_ready, warehouse_opened
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse import quarantine_rows
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.quarantine_rows import Chosen, Kept, find_row, list_open

app = typer.Typer(
    no_args_is_help=True, help="Records that break the contract: kept with their bytes."
)

_LARGEST_ID = 2**63 - 1
_MOST_DIGITS = 1_000
Code = Annotated[str | None, typer.Option(help="Only rows with this kind of defect")]
Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=_LARGEST_ID)]


@app.command("list")
def list_rows(
    streams: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE/ENTITY]...", help="Default: all")
    ] = None,
    *,
    code: Code = None,
    limit: Annotated[int, typer.Option(min=1, max=_LARGEST_ID, help="At most so many rows")] = 100,
    as_json: Json = False,
) -> None:
    """List the open rows: which record, what is wrong with it, and since when; not its values."""
    chosen = Chosen(streams=streams_named(streams or []), code=code)
    with _warehouse() as engine, transaction(engine) as connection:
        kept, matching = list_open(connection, chosen, most=limit)
    console.show_rows([_line(one) for one in kept], as_json=as_json)
    if matching > len(kept):
        console.err.print(f"the first {len(kept):,} of {matching:,} open rows; see --limit")


@app.command()
def show(row_id: Id, *, as_json: Json = False) -> None:
    """Show one row with the record as it was received: a person's data may be in it."""
    with _warehouse() as engine, transaction(engine) as connection:
        row = find_row(connection, row_id)
    if row is None:
        raise NotInQuarantineError(f"the quarantine has no row with the id {row_id}")
    shown = dict(row) | {"payload_raw": _readable(row["payload_raw"])}
    if as_json:
        typer.echo(json.dumps(shown, default=str))
        return
    for name, value in shown.items():
        if value is not None:
            console.out.print(f"{name:14} {value}", markup=False)


@app.command()
def replay(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID|SOURCE/ENTITY]...", help="Rows, or all open rows of streams"),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All open rows")] = False,
    code: Code = None,
    as_json: Json = False,
) -> None:
    """Read the records again from their source; exit 1 when one of them could not be read.

    What its source has no more is loaded from the bytes that were kept, as of the time when they
    were read: a later reading that is stored stays.
    """
    chosen = _chosen(which or [], code=code, is_all=everything)
    ready = make_ready()
    # It takes pandas along: the other commands do without.
    from sync_pipeline.operate import quarantine

    with ready.engine() as engine:
        replayed = list(quarantine.replay(engine, ready.settings, chosen))
    console.show_rows([one.row() for one in replayed], as_json=as_json)
    raise typer.Exit(int(any(one.result is quarantine.Result.UNREAD for one in replayed)))


@app.command()
def discard(
    row_ids: Annotated[list[int], typer.Argument(metavar="ID...", min=1, max=_LARGEST_ID)],
    *,
    reason: Annotated[str, typer.Option(help="Why; kept with the row")],
) -> None:
    """Settle rows for good, unless the record changes or breaks in another way."""
    if not reason.strip():
        raise typer.BadParameter("--reason needs words")
    with _warehouse() as engine, transaction(engine) as connection:
        quarantine_rows.discard(connection, row_ids, reason=reason.strip())


def _chosen(which: Sequence[str], *, code: str | None, is_all: bool) -> Chosen:
    numbers = [one for one in which if one.isdecimal()]
    streams = streams_named([one for one in which if not one.isdecimal()])
    if bool(numbers) + bool(streams) + is_all != 1:
        raise typer.BadParameter("name rows by their ids, or streams, or give --all")
    # Python refuses to read a number of thousands of digits.
    ids = [int(one) if len(one) <= _MOST_DIGITS else 0 for one in numbers]
    if any(not 0 < row_id <= _LARGEST_ID for row_id in ids):
        raise typer.BadParameter("an id is a positive number, as `quarantine list` shows it")
    return Chosen(ids, streams, code)


def _warehouse() -> AbstractContextManager[Engine]:
    return warehouse_opened(read_settings(environment()))


def _line(kept: Kept) -> Mapping[str, object]:
    return asdict(kept) | {"stream": str(kept.stream)}


def _readable(payload: object) -> str:
    """Return bytes as text; what is no text, and what would steer a terminal, is escaped."""
    text = bytes(payload).decode("utf-8", "backslashreplace") if isinstance(payload, bytes) else ""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1]
        for letter in text
    )
