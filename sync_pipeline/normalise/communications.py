"""Communications: one row per communication.

At CRM.COM the contact of a row is the one that its list hangs under, also where the row does not
say so.
"""

from __future__ import annotations

from sync_pipeline.entities import COMMUNICATIONS
from sync_pipeline.mapping import crmcom, rocs
from sync_pipeline.normalise.normaliser import Normaliser

normalise_communications = Normaliser(
    COMMUNICATIONS,
    crmcom.COMMUNICATION,
    scope_column="contact_id",
    besides=crmcom.BESIDES_COMMUNICATION,
)
normalise_rocs_communications = Normaliser(
    COMMUNICATIONS, rocs.COMMUNICATION, besides=rocs.BESIDES_COMMUNICATION
)
