"""The key of the webhook receiver where the sandbox stands in for the vendors."""

from __future__ import annotations

import secrets

from sync_pipeline.operate.disk import writing
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.postgres.places import read, write_private


def generated_key(home: Home) -> str:
    """Return the key of this home, made at the first call and kept for its owner alone."""
    path = home.root / "webhook-key"
    with home.exclusive("webhook-key"):
        known = read(path)
        if known is not None:
            return known
        made = secrets.token_urlsafe(32)
        with writing(path):
            write_private(path, made)
        return made
