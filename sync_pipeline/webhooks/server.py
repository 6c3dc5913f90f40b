"""The process of the receiver: its socket, its server, its end."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from sqlalchemy import Engine

from sync_pipeline.errors import SettingsError, SetupError
from sync_pipeline.settings import Settings
from sync_pipeline.webhooks.access_log import AccessLog
from sync_pipeline.webhooks.app import Doors, Receiver, create_app
from sync_pipeline.webhooks.connection import BoundedConnection
from sync_pipeline.webhooks.group_commit import GroupCommit, store_in
from sync_pipeline.webhooks.keys import Keys
from sync_pipeline.webhooks.metrics import Metrics
from sync_pipeline.webhooks.watch import WarehouseWatch

_BACKLOG = 1024
_KEEP_ALIVE_S = 30
_GRACE_S = 20


def serve(engine: Engine, settings: Settings, is_listening: Callable[[], None]) -> None:
    """Receive webhooks until asked to stop; what was accepted by then is finished.

    ``is_listening`` is called once senders can connect. Raises SettingsError without a key,
    SetupError where the address is taken.
    """
    server = make_server(engine, doors_of(settings), AccessLog(sys.stdout))
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    with listen(settings.webhook_host, settings.webhook_port) as listener:
        is_listening()
        for number in (signal.SIGINT, signal.SIGTERM):
            # The server ends by itself when asked, and then sends itself the signal once more.
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listener])


def make_server(engine: Engine, doors: Doors, log: AccessLog) -> uvicorn.Server:
    """Return the server over a warehouse."""
    watch = WarehouseWatch(engine)
    receiver = Receiver(doors, GroupCommit(store_in(engine)), watch, Metrics(lambda: watch.depths))
    config = uvicorn.Config(
        create_app(receiver, log),
        http=BoundedConnection,
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return uvicorn.Server(config)


def doors_of(settings: Settings) -> Doors:
    """Return which keys open what; raise SettingsError where none is set."""
    if settings.webhook_api_key is None:
        raise SettingsError("WEBHOOK_API_KEY is missing: without a key nothing is received")
    rosaas = Keys.read(settings.webhook_api_key.get_secret_value())
    secret = settings.webhook_rocs_secret
    return Doors(rosaas, Keys.read(secret.get_secret_value()) if secret else rosaas)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise SetupError where the address is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise SetupError(
            f"the webhook receiver cannot listen on {host}:{port} ({exc.strerror}): "
            "set WEBHOOK_HOST and WEBHOOK_PORT"
        ) from exc
    # Inherited by every connection: an answer does not wait for the sender's delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
