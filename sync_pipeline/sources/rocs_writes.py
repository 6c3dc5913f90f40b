"""ROCS's writes as calls (contract 1.2, rows 2, 3 and 6); a call is sent by `RocsApi.write`.

The paths of updates are not published: they are those of the readings unless set otherwise.
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


def update_dynamic_fields(path: str, contact_id: str, body: bytes) -> Call:
    """Return the call that writes the dynamic fields of a contact, in the form they are read in."""
    ids = (contact_id,)
    return Call("PUT", f"{path}?id={{id}}", ids=ids, payload=body, headers=DECLARED)
