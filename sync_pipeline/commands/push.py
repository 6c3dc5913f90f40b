"""`sync-pipeline push`: send the updates that wait, look at them, and decide about them.

And `request-update`, which puts one of them in the outbox.
"""

import getpass
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Engine

from sync_pipeline import console
from sync_pipeline.commands.options import Json, streams_named
from sync_pipeline.errors import UndecidableError, UpdateRefusedError
from sync_pipeline.operate.ready import make_ready, warehouse_opened
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse import push_requests
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_requests import Ruling, Wanted, find_update, list_updates

app = typer.Typer(help="Send what waits in the outbox, look at it, and decide about it.")

_LARGEST_ID = 2**63 - 1
Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=_LARGEST_ID)]
Ids = Annotated[list[int], typer.Argument(metavar="ID...", min=1, max=_LARGEST_ID)]
SomeIds = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", min=1, max=_LARGEST_ID)]
Model = Annotated[str | None, typer.Option(help="All that this push model holds")]


@app.callback(invoke_without_command=True)
def push(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, field by field")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=_LARGEST_ID, help="At most so many updates")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send what is due, once: read each record, write, read back. See `push list` for the rest."""
    if context.invoked_subcommand is not None:
        return
    # Its clients and pandas take a second to import: the other commands do without.
    from sync_pipeline.pushing import push_once

    ready = make_ready()
    with ready.engine() as engine:
        pushed = push_once(engine, ready.settings, limit=limit, is_dry=dry_run)
    for line in pushed.said:
        console.err.print(line, markup=False)
    console.show_rows(pushed.rows, as_json=as_json)
    raise typer.Exit(1 if pushed.has_failed else 0)


@app.command("list")
def list_some(
    *,
    status: Annotated[
        list[str] | None, typer.Option(help="Only in this state; may be repeated")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Final ones, too")] = False,
    model: Annotated[str | None, typer.Option(help="Only those of this push model")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_LARGEST_ID, help="At most so many")] = 100,
    as_json: Json = False,
) -> None:
    """List the updates that wait: which record and fields, in which state and why; no value."""
    wanted = Wanted(status or (), is_all=everything, model=model)
    with _warehouse() as engine, transaction(engine) as connection:
        states = push_requests.states(connection)
        if unknown := sorted({*wanted.statuses} - {*states}):
            raise typer.BadParameter(
                f"--status {unknown[0]}: there is no such state; there are {', '.join(states)}"
            )
        updates, matching = list_updates(connection, wanted, most=limit)
    console.show_rows(updates, as_json=as_json)
    if matching > len(updates):
        console.err.print(f"the last {len(updates):,} of {matching:,} updates; see --limit")


@app.command()
def show(update_id: Id, *, as_json: Json = False) -> None:
    """Show one update with its values and all attempts at it: a person's data are in it."""
    with _warehouse() as engine, transaction(engine) as connection:
        update = find_update(connection, update_id)
    if update is None:
        raise UndecidableError(f"update {update_id}: there is none")
    if as_json:
        typer.echo(json.dumps(update, default=str))
        return
    for name, value in update.items():
        for line in value if isinstance(value, list) else [value]:
            if line is not None:
                shown = json.dumps(line, default=str) if isinstance(line, dict) else line
                console.out.print(f"{name:18} {shown}", markup=False)


@app.command()
def approve(ids: SomeIds = None, *, model: Model = None, as_json: Json = False) -> None:
    """Let held updates go."""
    _decide_held(ids or [], model, push_requests.APPROVE, as_json=as_json)


@app.command()
def decline(ids: SomeIds = None, *, model: Model = None, as_json: Json = False) -> None:
    """Keep held updates from ever going."""
    _decide_held(ids or [], model, push_requests.DECLINE, as_json=as_json)


@app.command()
def retry(ids: Ids, *, as_json: Json = False) -> None:
    """Have updates looked at and sent again at once: what failed, and what was in conflict."""
    _decide(ids, push_requests.RETRY, as_json=as_json)


@app.command()
def discard(ids: Ids, *, as_json: Json = False) -> None:
    """Drop updates that have not come to their end."""
    _decide(ids, push_requests.DISCARD, as_json=as_json)


def request_update(
    source: Annotated[str, typer.Argument(help="crmcom, rocs or rosaas")],
    entity: Annotated[str, typer.Argument(help="The table that the record is in")],
    record_id: Annotated[str, typer.Argument(metavar="ID", help="Its key; rocs contacts: new")],
    changes: Annotated[str, typer.Argument(metavar="JSON", help='{"field": value, …}')],
    *,
    base: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="What they are taken to be; else: the warehouse's"),
    ] = None,
) -> None:
    """Put one customer update in the outbox and print its number."""
    (stream,) = streams_named([f"{source}/{entity}"])
    wanted = _object("JSON", changes)
    taken_as = None if base is None else _object("--base", base)
    try:
        with _warehouse() as engine, transaction(engine) as connection:
            made = push_requests.request_update(
                connection, stream, record_id, wanted, base=taken_as
            )
    except UpdateRefusedError as exc:
        raise typer.BadParameter(str(exc)) from exc
    typer.echo(made)


def _decide_held(ids: Sequence[int], model: str | None, ruling: Ruling, *, as_json: bool) -> None:
    if bool(ids) == bool(model):
        raise typer.BadParameter("name updates by their ids, or give --model")
    _decide(ids, ruling, model=model, as_json=as_json)


def _decide(ids: Sequence[int], ruling: Ruling, *, model: str | None = None, as_json: bool) -> None:
    with _warehouse() as engine, transaction(engine) as connection:
        if model is not None:
            ids = push_requests.held_by_model(connection, model)
            if not ids:
                raise UndecidableError(f"no update of the push model {model} is held")
        decided = push_requests.decide(connection, ids, ruling, by=_user())
    states = [{"id": update_id, "status": decided[update_id]} for update_id in dict.fromkeys(ids)]
    console.show_rows(states, as_json=as_json)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name belongs to the account, as in some containers
        return f"account {os.getuid()}"


def _object(what: str, written: str) -> Mapping[str, object]:
    try:
        # Strict: what PostgreSQL would take for no JSON is none here.
        read = msgspec.json.decode(written)
    except (msgspec.DecodeError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise typer.BadParameter(f'{what} should be a JSON object like {{"email": "a@b.org"}}')
    if "\\u0000" in msgspec.json.encode(read).decode():
        raise typer.BadParameter(f"{what} should have no text with a NUL: no source can hold one")
    return read


def _warehouse() -> AbstractContextManager[Engine]:
    return warehouse_opened(read_settings(environment()))
