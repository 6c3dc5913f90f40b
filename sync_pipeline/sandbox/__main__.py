"""The command: `python -m sync_pipeline.sandbox`; arguments, the socket and the server."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import socket
import sys
from pathlib import Path

import uvicorn

from .access import CRMCOM_VERSION, environment
from .app import create_app
from .denial import Denial
from .fault_plan import KINDS, FaultPlan
from .options import Options
from .versions import VERSIONS
from .world import World

_KEEP_ALIVE_S = 75
_KINDS = ", ".join(KINDS)


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, or print the variables; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.print_env:
        address = _address(options.host, options.port)
        for name, value in environment(address, options.crmcom_version).items():
            sys.stdout.write(f"{name}={shlex.quote(value)}\n")
        return 0
    try:
        listener = socket.create_server((options.host, options.port), backlog=512)
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot listen on {options.host}:{options.port}: {error}\n")
        return 1
    # Inherited by every connection: without it each answer waits for the client's delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        _serve(listener, options)
    return 0


def _serve(listener: socket.socket, options: argparse.Namespace) -> None:
    # Port 0 asks the system for a free one, so the address is known only now.
    address = _address(options.host, listener.getsockname()[1])
    world = World(options.seed, options.contacts)
    behaviour = Options(
        latency_ms=options.latency_ms,
        crmcom_version=options.crmcom_version,
        changes_per_minute=options.changes_per_minute,
        faults=options.faults,
        denied=options.denied,
        state=options.state,
    )
    app = create_app(world, address, behaviour)
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="on",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    # The socket already listens: whoever reads this line may connect.
    sys.stdout.write(f"sandbox: {address}\n")
    sys.stdout.flush()
    # Ctrl-C is how this process is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sync_pipeline.sandbox",
        description="CRM.COM, its Back-Office, ROCS and RoSaaS on loopback: one made-up world.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free port")
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument(
        "--crmcom-version",
        choices=sorted(VERSIONS),
        default=CRMCOM_VERSION,
        help="the one that the variables name; all are served",
    )
    parser.add_argument(
        "--changes-per-minute",
        type=float,
        default=0.0,
        help="so many random changes come by themselves; by default the world stands still",
    )
    parser.add_argument(
        "--faults",
        type=_faults,
        default=FaultPlan(),
        help=f"a share of all requests (0.02), or shares by kind (429=0.01,cut=0.005): {_KINDS}",
    )
    parser.add_argument(
        "--denied",
        type=Denial.read,
        default=Denial(),
        help="a share of the contacts, or ids with commas, that CRM.COM refuses with 403",
    )
    parser.add_argument(
        "--state", type=Path, help="folder in which changes are kept over a restart"
    )
    parser.add_argument(
        "--print-env", action="store_true", help="print the variables that point here, and exit"
    )
    return parser


def _faults(text: str) -> FaultPlan:
    try:
        return FaultPlan.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
