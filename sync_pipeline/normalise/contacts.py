"""CRM.COM contacts: one row per contact, from the contact's own answer."""

from __future__ import annotations

from collections.abc import Iterable

from sync_pipeline.entities import CONTACTS
from sync_pipeline.mapping import crmcom
from sync_pipeline.normalise.frame import Normalised, normalise
from sync_pipeline.records import Record


def normalise_contacts(records: Iterable[Record]) -> Normalised:
    """Return the frame of contacts."""
    return normalise(CONTACTS, records, crmcom.CONTACT)
