"""ROCS's writes as calls (contract 1.2, rows 2 and 3); a call is sent by `RocsApi.write`.

The path of an update is not published: it is the one of the contacts unless set otherwise.
"""

from __future__ import annotations

from sync_pipeline.settings import RocsSettings
from sync_pipeline.sources.calls import Call

DECLARED = {"Content-Type": "application/json", "Accept": "application/json"}
"""The vendor asks for both on every call, also on one without a body."""


def create_contact(settings: RocsSettings, body: bytes) -> Call:
    """Return the call that creates a contact; the body has no ``id``."""
    return Call("POST", settings.contacts_path, payload=body, headers=DECLARED)


def update_contact(settings: RocsSettings, body: bytes) -> Call:
    """Return the call that replaces the contact whose ``id`` is in the body."""
    path = settings.update_path or settings.contacts_path
    return Call("PUT", path, payload=body, headers=DECLARED)
