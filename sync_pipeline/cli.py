"""`sync-pipeline`: the commands, put together from the layers below.

Exit codes: 0 done, 1 something failed, 2 wrong use or settings.
"""

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sync_pipeline import console
from sync_pipeline.commands import backfill, drift, quarantine
from sync_pipeline.commands.options import Json, span_of, streams_named
from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import SettingsError, SetupError, SyncError, WarehouseError
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.logins import login_url
from sync_pipeline.operate.ready import (
    Ready,
    home_scarcity,
    make_ready,
    open_warehouse,
    start_warehouse,
    warehouse_opened,
)
from sync_pipeline.operate.samples import answer_samples
from sync_pipeline.operate.sandbox import (
    CONTACTS,
    SEED,
    World,
    find_sandbox,
    note_sandbox,
    sandbox_command,
)
from sync_pipeline.operate.stack import run_stack, stop_all
from sync_pipeline.operate.status import stream_states
from sync_pipeline.pull.backfill_windows import Window
from sync_pipeline.settings import CrmcomVersion, Settings, environment, read_settings
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.roles import ROLES, statements_for_missing_roles

if TYPE_CHECKING:
    from sync_pipeline.pulling import Pulled

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Syncs CRM.COM, ROCS and RoSaaS into PostgreSQL.",
)

app.add_typer(quarantine.app, name="quarantine")
app.command()(drift.drift)
app.command()(backfill.backfill)


def main() -> NoReturn:
    """Run the command line; an error of the project becomes one message and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name may hold letters that the terminal's charset lacks: shown escaped, not a crash.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _check_arguments(sys.argv[1:])
        app()
    except SyncError as exc:
        scarce = _scarcity() if isinstance(exc, WarehouseError) else None
        said = f"{scarce} (what failed: {exc})" if scarce else str(exc)
        sys.stderr.write(f"sync-pipeline: {said}\n")
        sys.exit(2 if isinstance(exc, SettingsError) else 1)
    sys.exit(0)


@app.command()
def run() -> None:
    """First sync, end to end: set everything up, pull every stream, show what was loaded."""
    ready = make_ready()
    if ready.sandbox_url:
        console.out.print(f"No source is configured: the sandbox {ready.sandbox_url} stands in.")
    pulled = _pulled(ready, _streams_on(ready.settings))
    with ready.engine() as engine:
        states = stream_states(engine, ready.settings)
        console.show_rows(states, as_json=False, title="Loaded")
        for sample in answer_samples(engine):
            console.out.print(f"\n{sample.question}\n\n{sample.sql};\n", markup=False)
            console.show_table(sample.columns, sample.rows)
    console.out.print('\nDatabase    psql "$(.venv/bin/sync-pipeline url)"', markup=False)
    console.out.print(f"Dagster UI  make up, then http://127.0.0.1:{ready.settings.ui_port}")
    raise typer.Exit(_exit_code(pulled, is_strict=False))


@app.command()
def up() -> None:
    """Run the stack in the foreground: warehouse, Dagster UI, daemon with schedules."""
    ready = make_ready()
    console.out.print("Warehouse   `sync-pipeline url` prints its DSN", markup=False)
    if ready.sandbox_url:
        console.out.print(f"Sandbox     {ready.sandbox_url} (no source is configured)")
    run_stack(ready, console.out.print)


@app.command()
def down() -> None:
    """Stop everything that this SYNC_HOME started."""
    settings = read_settings(environment())
    home = Home(settings.sync_home)
    stopped = stop_all(settings, home) if settings.sync_home.is_dir() else []
    console.out.print(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")


@app.command()
def url(
    *,
    role: Annotated[
        str | None, typer.Option(help=f"For a login that has only this role: {', '.join(ROLES)}")
    ] = None,
) -> None:
    """Start the warehouse if need be and print its DSN."""
    if role is not None and role not in ROLES:
        raise typer.BadParameter(f"--role {role!r} is unknown; there are {', '.join(ROLES)}")
    settings = read_settings(environment())
    warehouse_url = start_warehouse(settings)
    if role is not None:
        open_warehouse(warehouse_url)
        warehouse_url = login_url(Home(settings.sync_home), warehouse_url, role)
    sys.stdout.write(warehouse_url + "\n")


@app.command()
def migrate() -> None:
    """Bring the warehouse's schema up to date."""
    warehouse_url = start_warehouse(read_settings(environment()))
    applied = open_warehouse(warehouse_url)
    console.out.print(f"Applied: {', '.join(applied)}" if applied else "Up to date.")
    with engine_on(warehouse_url) as engine:
        missing = statements_for_missing_roles(engine)
    if missing:
        console.err.print(
            "This user may not create roles here: let an administrator execute, then migrate again"
        )
        for statement in missing:
            console.out.print(f"{statement};", markup=False)


@app.command()
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
    raise typer.Exit(_exit_code(pulled, is_strict=strict))


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show freshness, proofs, last runs, what is due and quarantine per stream."""
    settings = read_settings(environment())
    with warehouse_opened(settings) as engine:
        console.show_rows(stream_states(engine, settings), as_json=as_json)


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Check this machine, the settings, the warehouse and every source; say what to do.

    Writes nothing. A stopped warehouse of this SYNC_HOME is started for the check and stopped
    again. Exit 0: nothing failed (warnings may be there), 1: something failed, 2: wrong settings.
    """
    # It logs in at the sources; the other commands do without their clients.
    from sync_pipeline.operate.doctor import (  # noqa: PLC0415
        examine,
        has_failed,
        has_wrong_settings,
    )

    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            console.show_finding(finding)
    if as_json:
        console.show_rows([asdict(finding) for finding in findings], as_json=True)
    if has_wrong_settings(findings):
        raise typer.Exit(2)
    raise typer.Exit(1 if has_failed(findings) else 0)


@app.command()
def sandbox(  # noqa: PLR0913 -- each is an option of the command
    *,
    contacts: Annotated[int, typer.Option(min=1, help="Size of the world")] = CONTACTS,
    seed: Annotated[int, typer.Option(help="The world is a function of it")] = SEED,
    latency_ms: Annotated[float, typer.Option(min=0, help="Each answer waits so long")] = 0.0,
    crmcom_version: Annotated[
        CrmcomVersion, typer.Option(help="Which CRM.COM its variables point at")
    ] = "v1",
    changes_per_minute: Annotated[
        float, typer.Option(min=0, help="Random changes that come by themselves")
    ] = 0.0,
    faults: Annotated[
        str, typer.Option(help="A share of all answers (0.02), or by kind (429=0.01,cut=0.005)")
    ] = "0",
    denied: Annotated[
        str, typer.Option(help="Contacts that CRM.COM refuses (403): a share, or ids with commas")
    ] = "0",
    print_env: Annotated[
        bool, typer.Option("--print-env", help="Print the variables that point at it")
    ] = False,
) -> NoReturn:
    """Serve the three APIs on loopback, over a made-up world, until Ctrl-C."""
    settings = read_settings(environment())
    home = Home(settings.sync_home)
    found = find_sandbox(home)
    if found and not print_env:
        raise SetupError(f"the sandbox of this SYNC_HOME runs at {found}; `down` stops it")
    port = int(found.rpartition(":")[2]) if found else settings.sandbox_port
    world = World(contacts, seed, latency_ms, crmcom_version, changes_per_minute, faults, denied)
    command = sandbox_command(home, port, world)
    if print_env:
        command.append("--print-env")
    else:
        home.make()
        note_sandbox(home, os.getpid(), f"http://127.0.0.1:{port}", world)
    # This process becomes the sandbox's: signals, output and exit code are its own.
    os.execv(command[0], command)  # noqa: S606 -- our own interpreter and module


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise SettingsError for one whose bytes are no text: no id, code or name can be that."""
    for position, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError as exc:
            raise SettingsError(f"argument {position} is not readable as text in UTF-8") from exc


def _scarcity() -> str | None:
    """Return what is to be said of a full disk, which is why much else fails."""
    return home_scarcity(read_settings(environment()))


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
    from sync_pipeline.orchestration.launch import Asked  # noqa: PLC0415
    from sync_pipeline.pulling import pull_streams  # noqa: PLC0415

    asked = Asked(is_full=is_full, only=only, allow_deletes=allow_deletes, span=span)
    return pull_streams(ready, streams, asked)


def _exit_code(pulled: "list[Pulled]", *, is_strict: bool) -> int:
    for one in pulled:
        for line in one.complaints():
            console.err.print(line, markup=False)
    failed = any(one.error for one in pulled)
    if failed and (scarce := _scarcity()):
        console.err.print(f"sync-pipeline: {scarce}", markup=False)
    return 1 if failed or (is_strict and any(one.complaints() for one in pulled)) else 0
