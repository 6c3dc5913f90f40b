"""The webhook receiver as a part of the stack, and its address for the sandbox."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from sync_pipeline.operate.ready import Ready
from sync_pipeline.operate.sandbox import register_receiver
from sync_pipeline.operate.spawning import spawn
from sync_pipeline.settings import Settings

RECEIVER = "webhooks"


@dataclass(slots=True)
class ReceiverProcess:
    """The process that receives webhooks, where there is a key for it."""

    ready: Ready
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is a key."""
        return self.ready.settings.webhook_api_key is not None

    def start(self) -> None:
        """Have it run; one that ended is started again, as each event is sent only once."""
        if self.is_on and (self.process is None or self.process.poll() is not None):
            self.process = spawn(self.ready, RECEIVER, ["sync_pipeline", "webhooks"])

    def said(self) -> str:
        """Return what a person is told of it."""
        if self.is_on:
            return receiver_url(self.ready.settings)
        return "off: set WEBHOOK_API_KEY to receive them"


def receiver_url(settings: Settings) -> str:
    """Return where the receiver listens."""
    host = settings.webhook_host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.webhook_port}"


def announce_receiver(ready: Ready) -> None:
    """Tell the sandbox, where it stands in, where to send its webhooks."""
    settings = ready.settings
    if ready.sandbox_url and settings.webhook_api_key is not None:
        key = settings.webhook_api_key.get_secret_value().split(",")[0].strip()
        secret = settings.webhook_rocs_secret
        rocs_key = secret.get_secret_value().split(",")[0].strip() if secret else key
        register_receiver(ready.sandbox_url, receiver_url(settings), key, rocs_key)
