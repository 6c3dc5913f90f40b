"""The long-running stack: warehouse, sandbox, Dagster's web server and daemon; up and down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.home import Home, find_noted, note_running, stop_running
from sync_pipeline.operate.logs import cut_logs
from sync_pipeline.operate.postgres import EmbeddedPostgres
from sync_pipeline.operate.postgres.ports import is_free
from sync_pipeline.operate.ready import Ready, start_warehouse
from sync_pipeline.operate.receiver import RECEIVER, ReceiverProcess, announce_receiver
from sync_pipeline.operate.sandbox import start_sandbox
from sync_pipeline.operate.spawning import spawn
from sync_pipeline.settings import Settings
from sync_pipeline.shipped import shipped_path

PROCESSES = ("webserver", "daemon")
_START_S = 120.0
_LOOK_EVERY_S = 1.0


class StopRequestedError(Exception):
    """Somebody asked this process to end (Ctrl-C, SIGTERM)."""


def run_stack(ready: Ready, say: Callable[[str], None]) -> None:
    """Run everything in the foreground until asked to stop, then stop all of it.

    Raises SetupError when a part cannot start or ends by itself.
    """
    home = ready.home
    _refuse_second(home)
    ui_url = f"http://127.0.0.1:{ready.settings.ui_port}"
    if not is_free(ready.settings.ui_port):
        raise SetupError(f"port {ready.settings.ui_port} is taken: set UI_PORT to a free one")
    receiver = ReceiverProcess(ready)
    if receiver.is_on and not is_free(ready.settings.webhook_port):
        raise SetupError(
            f"port {ready.settings.webhook_port} is taken: set WEBHOOK_PORT to a free one"
        )
    note_running(home, "up", os.getpid())
    try:
        with _stop_signals():
            # First, so that no event is missed while the rest starts.
            receiver.start()
            announce_receiver(ready)
            processes = {name: _spawn(ready, name) for name in PROCESSES}
            _await_ui(ui_url, processes, home)
            say(f"Dagster UI     {ui_url}")
            say(f"Webhooks       {receiver.said()}")
            say("Stop with Ctrl-C.")
            _watch(ready, processes, receiver, say)
    except StopRequestedError:
        say("Stopping…")
    finally:
        stop_all(ready.settings, home)


def stop_all(settings: Settings, home: Home) -> list[str]:
    """Stop what this home started, in the order in which it depends on one another.

    Returns the names of what was running.
    """
    noted = find_noted(home, "up")
    names = [RECEIVER, *PROCESSES, "sandbox"]
    if noted is not None and noted.pid != os.getpid():
        names.insert(0, "up")
    stopped = [name for name in names if stop_running(home, name)]
    if settings.warehouse_url is None:
        server = EmbeddedPostgres(settings.sync_home, bin_dir=settings.postgres_bin)
        stopped += ["warehouse"] if server.stop() else []
    return stopped


def _refuse_second(home: Home) -> None:
    noted = find_noted(home, "up")
    if noted is not None and noted.process() is not None:
        raise SetupError("the stack is up already; `sync-pipeline down` stops it")
    for name in (RECEIVER, *PROCESSES):
        # Left behind by a stack that was killed.
        stop_running(home, name)


def _spawn(ready: Ready, name: str) -> subprocess.Popen[bytes]:
    workspace = ["-w", str(shipped_path("workspace.yaml"))]
    port = str(ready.settings.ui_port)
    arguments = {
        "webserver": ["dagster_webserver", "-h", "127.0.0.1", "-p", port, *workspace],
        "daemon": ["dagster._daemon", "run", *workspace],
    }
    return spawn(ready, name, arguments[name])


def _await_ui(url: str, processes: dict[str, subprocess.Popen[bytes]], home: Home) -> None:
    deadline = time.monotonic() + _START_S
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            _refuse_dead(processes, home)
            try:
                if client.get(f"{url}/server_info").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_LOOK_EVERY_S)
    raise SetupError(f"the Dagster UI does not answer: see {home.logs / 'webserver.log'}")


def _watch(
    ready: Ready,
    processes: dict[str, subprocess.Popen[bytes]],
    receiver: ReceiverProcess,
    say: Callable[[str], None],
) -> None:
    said = ""
    while True:
        _refuse_dead(processes, ready.home)
        trouble = _keep_well(ready, receiver)
        if trouble and trouble != said:
            say(f"{trouble} (tried again every {_LOOK_EVERY_S:g} s)")
        said = trouble
        time.sleep(_LOOK_EVERY_S)


def _keep_well(ready: Ready, receiver: ReceiverProcess) -> str:
    """Start again what was killed from outside (nothing that it holds is lost); cut long logs.

    Returns what stands in the way, which may well be gone at the next look.
    """
    try:
        start_warehouse(ready.settings)
        if ready.sandbox_url:
            start_sandbox(ready.settings, ready.home)
        receiver.start()
        cut_logs(ready.home)
    except SetupError as exc:
        return str(exc)
    return ""


def _refuse_dead(processes: dict[str, subprocess.Popen[bytes]], home: Home) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise SetupError(f"Dagster's {name} ended: see {home.logs / f'{name}.log'}")


@contextmanager
def _stop_signals() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise StopRequestedError

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        # While it stops, another Ctrl-C must not leave half of it running.
        for number in signals:
            signal.signal(number, signal.SIG_IGN if sys.exc_info()[0] else before[number])
