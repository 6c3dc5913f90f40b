"""`sync-pipeline`: the commands, put together from the layers below.

Exit codes: 0 done, 1 something failed, 2 wrong use or settings.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from sync_pipeline import console
from sync_pipeline.commands import backfill, drift, pull, push, quarantine, sandbox, webhooks
from sync_pipeline.commands.options import Json
from sync_pipeline.errors import SettingsError, SyncError, WarehouseError
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.logins import login_url
from sync_pipeline.operate.ready import (
    home_scarcity,
    make_ready,
    open_warehouse,
    start_warehouse,
    warehouse_opened,
)
from sync_pipeline.operate.stack import run_stack, stop_all
from sync_pipeline.operate.status import stream_states
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.roles import ROLES, statements_for_missing_roles

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Syncs CRM.COM, ROCS and RoSaaS into PostgreSQL.",
)

app.command()(pull.run)
app.command()(pull.pull)
app.command()(backfill.backfill)
app.command()(drift.drift)
app.command()(sandbox.sandbox)
app.command()(push.request_update)
app.add_typer(push.app, name="push")
app.command()(webhooks.webhooks)
app.add_typer(quarantine.app, name="quarantine")


def main() -> NoReturn:
    """Run the command line; an error of the project becomes one message and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name may hold letters that the terminal's charset lacks: shown escaped, not a crash.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _check_arguments(sys.argv[1:])
        app()
    except SyncError as exc:
        scarce = (
            home_scarcity(read_settings(environment())) if isinstance(exc, WarehouseError) else None
        )
        said = f"{scarce} (what failed: {exc})" if scarce else str(exc)
        sys.stderr.write(f"sync-pipeline: {said}\n")
        sys.exit(2 if isinstance(exc, SettingsError) else 1)
    sys.exit(0)


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
        open_warehouse(warehouse_url, settings)
        warehouse_url = login_url(Home(settings.sync_home), warehouse_url, role)
    sys.stdout.write(warehouse_url + "\n")


@app.command()
def migrate() -> None:
    """Bring the warehouse's schema up to date."""
    settings = read_settings(environment())
    warehouse_url = start_warehouse(settings)
    applied = open_warehouse(warehouse_url, settings)
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
    from sync_pipeline.operate.doctor import (
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


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise SettingsError for one whose bytes are no text: no id, code or name can be that."""
    for position, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError as exc:
            raise SettingsError(f"argument {position} is not readable as text in UTF-8") from exc
