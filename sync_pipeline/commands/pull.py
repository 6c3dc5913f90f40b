"""`sync-pipeline pull`, and `run`, the first of all pulls: streams read as Dagster runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sync_pipeline import console
from sync_pipeline.commands.options import Json, span_of, streams_named
from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.operate.ready import Ready, home_scarcity, make_ready
from sync_pipeline.operate.samples import answer_samples
from sync_pipeline.operate.status import stream_states
from sync_pipeline.pull.backfill_windows import Window
from sync_pipeline.settings import Settings

if TYPE_CHECKING:
    from sync_pipeline.pulling import Pulled


def run() -> None:
    """First sync, end to end: set everything up, pull every stream, show what was loaded."""
    ready = make_ready()
    if ready.sandbox_url:
        console.out.print(f"No source is configured: the sandbox {ready.sandbox_url} stands in.")
    pulled = _pulled(ready, _streams_on(ready.settings))
    has_pushed = _push(ready)
    with ready.engine() as engine:
        states = stream_states(engine, ready.settings)
        console.show_rows(states, as_json=False, title="Loaded")
        for sample in answer_samples(engine):
            console.out.print(f"\n{sample.question}\n\n{sample.sql};\n", markup=False)
            console.show_table(sample.columns, sample.rows)
    console.out.print('\nDatabase    psql "$(.venv/bin/sync-pipeline url)"', markup=False)
    console.out.print(f"Dagster UI  make up, then http://127.0.0.1:{ready.settings.ui_port}")
    raise typer.Exit(_exit_code(ready.settings, pulled, is_strict=False) or int(not has_pushed))


def pull(  # noqa: PLR0913 -- each is an option of the command
    streams: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE/ENTITY]...", help="Default: all")
    ] = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="Disregard the stored hashes")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was created since (UTC)")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was created before (UTC)")
    ] = None,
    contact: Annotated[
        list[str] | None, typer.Option(help="Only this contact (or tenant); may be repeated")
    ] = None,
    allow_deletes: Annotated[
        bool,
        typer.Option("--allow-deletes", help="Delete also more than MAX_DELETE_SHARE allows"),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 for incomplete, denied or quarantined")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read streams until everything asked for is read; the runs show in the Dagster UI."""
    named = streams_named(streams or [])
    if not all(one.strip() for one in contact or ()):
        raise typer.BadParameter("--contact needs an id")
    whole = [stream for stream in named if not stream.has_single_reads]
    if contact and whole:
        raise typer.BadParameter(f"{whole[0]} is one list: none of it can be read alone")
    span = span_of(named, since, until)
    ready = make_ready()
    streams_on = named or _streams_on(ready.settings)
    if span:
        streams_on = [stream for stream in streams_on if stream.has_creation_time]
    if contact:
        streams_on = [stream for stream in streams_on if stream.has_single_reads]
    pulled = _pulled(
        ready,
        streams_on,
        is_full=full,
        only=tuple(contact or ()),
        allow_deletes=allow_deletes,
        span=span,
    )
    console.show_rows([one.row() for one in pulled], as_json=as_json)
    raise typer.Exit(_exit_code(ready.settings, pulled, is_strict=strict))


def _push(ready: Ready) -> bool:
    """Make the one push cycle of a first sync; tell whether every source took part."""
    from sync_pipeline.pushing import push_once

    with ready.engine() as engine:
        pushed = push_once(engine, ready.settings)
    for line in pushed.said:
        console.err.print(line, markup=False)
    if pushed.updates:
        console.show_rows(pushed.rows, as_json=False, title="Pushed")
    else:
        console.out.print("Push: no update was due.")
    return not pushed.has_failed


def _streams_on(settings: Settings) -> list[Stream]:
    missing = {s: settings.missing_for(s.source, s.entity.name) for s in STREAMS.values()}
    for variable in dict.fromkeys(filter(None, missing.values())):
        off = ", ".join(str(s) for s, lacking in missing.items() if lacking == variable)
        console.err.print(f"off, as {variable} is not set: {off}")
    return [stream for stream, lacking in missing.items() if lacking is None]


def _pulled(  # noqa: PLR0913 -- each may be asked of a pull
    ready: Ready,
    streams: Sequence[Stream],
    *,
    is_full: bool = False,
    only: tuple[str, ...] = (),
    allow_deletes: bool = False,
    span: Window | None = None,
) -> "list[Pulled]":
    # Dagster and pandas take seconds to import: the other commands do without.
    from sync_pipeline.orchestration.launch import Asked
    from sync_pipeline.pulling import pull_streams

    asked = Asked(is_full=is_full, only=only, allow_deletes=allow_deletes, span=span)
    return pull_streams(ready, streams, asked)


def _exit_code(settings: Settings, pulled: "list[Pulled]", *, is_strict: bool) -> int:
    for one in pulled:
        for line in one.complaints():
            console.err.print(line, markup=False)
    failed = any(one.error for one in pulled)
    if failed and (scarce := home_scarcity(settings)):
        console.err.print(f"sync-pipeline: {scarce}", markup=False)
    return 1 if failed or (is_strict and any(one.complaints() for one in pulled)) else 0
