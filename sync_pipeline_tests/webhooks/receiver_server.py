"""The webhook receiver on a port of its own, in a thread of the test's process."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from sqlalchemy import Engine, text

from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.webhooks.access_log import AccessLog
from sync_pipeline.webhooks.app import Doors
from sync_pipeline.webhooks.keys import Keys
from sync_pipeline.webhooks.server import listen, make_server

KEY, OLD_KEY, ROCS_SECRET = "the-new-key", "the-old-key", "the-rocs-secret"
PATIENCE_S = 30.0
_TENANT = """
    INSERT INTO warehouse.tenants (
        source, tenant_name, status, is_running, attributes, content_hash, observed_at, cause,
        deleted_at, run_id, loaded_at
    ) VALUES (
        'rosaas', :name, :status, :is_running, '{}', '', '2026-01-02T03:04:05Z', 'source',
        :deleted_at, 'r', now()
    )
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A receiver that runs: a client that sends the key, its address, what it logs."""

    client: httpx.Client
    address: tuple[str, int]
    log: io.StringIO

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Post JSON to a route of RoSaaS."""
        return self.client.post(f"/api/integration/{path}", json=body, headers=headers)


@contextlib.contextmanager
def serving_receiver(engine: Engine, log: io.StringIO | None = None) -> Iterator[Served]:
    """Serve until the end of the block, then stop as on SIGTERM."""
    log = log or io.StringIO()
    doors = Doors(Keys.read(f"{KEY}, {OLD_KEY}"), Keys.read(ROCS_SECRET))
    server = make_server(engine, doors, AccessLog(log))
    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            _await(lambda: server.started or not thread.is_alive())
            url = f"http://127.0.0.1:{address[1]}"
            with httpx.Client(base_url=url, headers={"api-key": KEY}, timeout=PATIENCE_S) as client:
                yield Served(client, ("127.0.0.1", address[1]), log)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def add_tenant(engine: Engine, name: str, status: str, *, is_gone: bool = False) -> None:
    """Have the warehouse know a tenant."""
    values = {"name": name, "status": status, "is_running": status == "Active"}
    with transaction(engine) as session:
        session.execute(text(_TENANT), values | {"deleted_at": "2026-01-03" if is_gone else None})


def _await(is_so: object) -> None:
    assert callable(is_so)
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
