"""`sync-pipeline sandbox`: the three APIs on loopback, as a process of its own."""

import os
from typing import Annotated, NoReturn

import typer

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.sandbox import (
    CONTACTS,
    SEED,
    World,
    find_sandbox,
    note_sandbox,
    sandbox_command,
)
from sync_pipeline.settings import CrmcomVersion, environment, read_settings


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
