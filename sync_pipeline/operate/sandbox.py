"""Find the sandbox of this SYNC_HOME, or start it; its seed and size stay in SYNC_HOME."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from sync_pipeline.errors import SetupError
from sync_pipeline.operate.disk import writing
from sync_pipeline.operate.home import Home, find_noted, note_running
from sync_pipeline.settings import Settings

CONTACTS, SEED = 1_000, 1
_START_S = 60.0
_CONNECT_ATTEMPTS = 5
_ADDRESS = re.compile(r"^sandbox: (http://\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class World:
    """What makes a sandbox's world, how it behaves, and which CRM.COM it points at."""

    contacts: int = CONTACTS
    seed: int = SEED
    latency_ms: float = 0.0
    crmcom_version: str = "v1"
    changes_per_minute: float = 0.0
    # Shares of the answers, as the sandbox reads them; none by default.
    faults: str = "0"
    denied: str = "0"

    def arguments(self) -> list[str]:
        """Return the command-line arguments that ask for this world."""
        made = ["--contacts", str(self.contacts), "--seed", str(self.seed)]
        served = ["--latency-ms", str(self.latency_ms), "--crmcom-version", self.crmcom_version]
        troubled = ["--faults", self.faults, "--denied", self.denied]
        unrest = ["--changes-per-minute", str(self.changes_per_minute)]
        return [*made, *served, *troubled, *unrest]


def sandbox_command(home: Home, port: int, world: World) -> list[str]:
    """Return the command that serves ``world`` as it was changed; it is never imported."""
    served = [sys.executable, "-m", "sync_pipeline.sandbox", "--port", str(port)]
    return [*served, "--state", str(home.root / "sandbox"), *world.arguments()]


def find_sandbox(home: Home) -> str | None:
    """Return the address of this home's running sandbox."""
    noted = find_noted(home, "sandbox")
    if noted is None or noted.process() is None:
        return None
    return str(noted.facts["url"])


def start_sandbox(settings: Settings, home: Home, world: World | None = None) -> str:
    """Return the address of the running sandbox, starting it in the background if need be."""
    with home.exclusive("sandbox"):
        found = find_sandbox(home)
        if found:
            return found
        return _start(home, settings, world or _remembered(home))


def note_sandbox(home: Home, pid: int, url: str, world: World) -> None:
    """Write down that the sandbox at ``url`` runs, for other commands and for the next start."""
    size = {"contacts": world.contacts, "seed": world.seed}
    note_running(home, "sandbox", pid, url=url, crmcom=world.crmcom_version, **size)


def sandbox_environment(url: str) -> dict[str, str]:
    """Return the variables that point at the sandbox at ``url``."""
    try:
        # A transport of its own: no proxy of this machine comes between it and itself, and one
        # that was started this moment may not listen yet.
        transport = httpx.HTTPTransport(retries=_CONNECT_ATTEMPTS)
        with httpx.Client(transport=transport, timeout=10) as client:
            answer = client.get(f"{url}/_sandbox/env").raise_for_status().json()
    except (httpx.HTTPError, ValueError) as exc:
        raise SetupError(f"the sandbox at {url} does not answer as one") from exc
    return {str(name): str(value) for name, value in answer.items()}


def register_receiver(sandbox_url: str, receiver_url: str, key: str, rocs_key: str) -> None:
    """Have the sandbox send its webhooks to a receiver, as the vendors would be set up to."""
    body = {"url": receiver_url, "key": key, "rocs_key": rocs_key}
    try:
        with httpx.Client(transport=httpx.HTTPTransport(), timeout=10) as client:
            client.post(f"{sandbox_url}/_sandbox/webhooks", json=body).raise_for_status()
    except httpx.HTTPError as exc:
        raise SetupError(f"the sandbox at {sandbox_url} does not answer as one") from exc


def _remembered(home: Home) -> World:
    noted = find_noted(home, "sandbox")
    if noted is None:
        return World()
    contacts, seed = int(noted.facts["contacts"]), int(noted.facts["seed"])
    return World(contacts, seed, crmcom_version=str(noted.facts.get("crmcom", "v1")))


def _start(home: Home, settings: Settings, world: World) -> str:
    # A port that somebody asked for is theirs to free; the default gives way to any free one.
    asked_for = "sandbox_port" in settings.model_fields_set
    for port in (settings.sandbox_port, *(() if asked_for else (0,))):
        log = home.logs / "sandbox.log"
        with writing(log):
            output = log.open("w", encoding="utf-8")
        with output:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                sandbox_command(home, port, world),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        url = _address(process, log)
        if url:
            note_sandbox(home, process.pid, url, world)
            return url
    raise SetupError(f"the sandbox does not start (SANDBOX_PORT taken?): see {log}")


def _address(process: subprocess.Popen[bytes], log: Path) -> str | None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        said = _ADDRESS.search(log.read_text(encoding="utf-8"))
        if said:
            return said[1]
        if process.poll() is not None:
            return None
        time.sleep(0.05)
    process.kill()
    return None
