"""The benchmarks' APIs: how one is served, started as a process of its own, and spoken to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import uvloop
from pydantic import SecretStr

from sync_pipeline.settings import CrmcomSettings

_WAITING = 512


def serve(connection: Callable[[], asyncio.Protocol], *, port: int = 0) -> None:
    """Serve until the process ends; prints the address once it listens."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(connection, port))


async def _serve(connection: Callable[[], asyncio.Protocol], port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", port, backlog=_WAITING)
    host, port = server.sockets[0].getsockname()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def started(module: str, **options: float) -> Iterator[tuple[psutil.Process, str]]:
    """Run a module of this package that serves; yield its process and its address."""
    named = [
        part
        for name, value in options.items()
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    command = (sys.executable, "-m", f"{__package__}.{module}", *named)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield psutil.Process(process.pid), process.stdout.readline().strip()
        finally:
            process.kill()


def crmcom_at(base_url: str, in_flight: int) -> CrmcomSettings:
    """Return the settings of a CRM.COM whose budget is out of the way."""
    return CrmcomSettings(
        base_url=base_url,
        api_key=SecretStr("benchmark"),
        username="benchmark",
        password=SecretStr("benchmark"),
        requests_per_second=1_000_000,
        max_in_flight=in_flight,
    )


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)
