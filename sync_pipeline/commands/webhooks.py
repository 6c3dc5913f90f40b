"""`sync-pipeline webhooks`: the receiver of webhooks, as a process of its own."""

import typer

from sync_pipeline.operate.ready import make_ready
from sync_pipeline.operate.receiver import announce_receiver, receiver_url


def webhooks() -> None:
    """Receive webhooks until Ctrl-C; events are stored in ops.webhook_events."""
    ready = make_ready()
    # The server takes a good part of a second to import.
    from sync_pipeline.webhooks.server import serve

    announce_receiver(ready)
    with ready.engine() as engine:
        # It listens when this is said: whoever reads the line may connect.
        url = receiver_url(ready.settings)
        serve(engine, ready.settings, lambda: typer.echo(f"webhooks: {url}"))
