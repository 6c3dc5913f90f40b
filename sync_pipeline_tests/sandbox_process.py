"""A sandbox in a process of its own, its logins, its truth and its changes, for tests."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx

Json = dict[str, Any]


@contextlib.contextmanager
def sandbox(*options: str) -> Iterator[httpx.Client]:
    """Serve a world until the end of the block; the process is killed there, not asked."""
    command = [sys.executable, "-m", "sync_pipeline.sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().removeprefix("sandbox: ")
        try:
            with httpx.Client(base_url=address, timeout=20) as client:
                yield client
        finally:
            process.kill()
            process.wait(timeout=10)


def change(client: httpx.Client, *asked: Json) -> list[Json]:
    """Ask for changes, all of which must be made; return their entries in the log."""
    answer = client.post("/_sandbox/changes", json=[*asked])
    assert answer.status_code == 200, answer.text
    applied: list[Json] = answer.json()["applied"]
    return applied


def world(client: httpx.Client, entity: str, source: str | None = None) -> list[Json]:
    """Return the true rows of an entity (of one source)."""
    rows: list[Json] = client.get(f"/_sandbox/world/{entity}").json()
    return [row for row in rows if source in (None, row["source"])]


def bearer(client: httpx.Client, version: str = "v2") -> Json:
    """Log in at CRM.COM as the service identity."""
    body = {"provider": "EMAIL", "username": "service@sandbox.example"}
    body |= {"password": "sandbox-password"}
    path = f"/self-service/{version}/contacts/authenticate"
    answer = client.post(path, json=body, headers={"api_key": "sandbox-api-key"}).json()
    return {"Authorization": f"Bearer {answer['access_token']}"}


def rosaas_bearer(client: httpx.Client) -> Json:
    """Log in at RoSaaS."""
    body = {"clientId": "sandbox-client", "clientSecret": "sandbox-client-secret"}
    answer = client.post("/api/identity/apps/v1/auth", json=body).json()
    return {"Authorization": f"Bearer {answer['data']['token']['accessToken']}"}


def rocs_bearer(client: httpx.Client) -> Json:
    """Log in at ROCS."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox-rocs-client"}
    form |= {"client_secret": "sandbox-rocs-secret", "resource": "https://rocs.sandbox.example"}
    answer = client.post("/rocs-login/oauth2/token", data=form).json()
    return {"Authorization": f"Bearer {answer['access_token']}"}
