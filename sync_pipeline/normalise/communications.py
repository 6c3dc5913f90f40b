"""CRM.COM communications: one row per communication, from its contact's list.

The contact of a row is the one that its list hangs under, also where the row does not say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sync_pipeline.entities import COMMUNICATIONS
from sync_pipeline.mapping import crmcom
from sync_pipeline.normalise.frame import Normalised, normalise
from sync_pipeline.records import Record


def normalise_communications(records: Iterable[Record]) -> Normalised:
    """Return the frame of communications."""
    normalised = normalise(COMMUNICATIONS, records, crmcom.COMMUNICATION)
    frame = normalised.frame
    contact_id = frame["contact_id"].fillna(frame["scope"])
    return replace(normalised, frame=frame.assign(contact_id=contact_id))
