"""Which normaliser reads which stream: a new stream gets its line here (see docs/extend.md)."""

from __future__ import annotations

from sync_pipeline import entities
from sync_pipeline.entities import Stream
from sync_pipeline.mapping import crmcom, rocs, rosaas
from sync_pipeline.normalise.communications import (
    normalise_communications,
    normalise_rocs_communications,
)
from sync_pipeline.normalise.contacts import normalise_contacts, normalise_rocs_contacts
from sync_pipeline.normalise.normaliser import Normaliser
from sync_pipeline.normalise.tenants import normalise_tenants

NORMALISERS: dict[Stream, Normaliser] = {
    entities.CRMCOM_CONTACTS: normalise_contacts,
    entities.CRMCOM_COMMUNICATIONS: normalise_communications,
    entities.CRMCOM_APPROVAL_REQUESTS: Normaliser(
        entities.APPROVAL_REQUESTS,
        crmcom.APPROVAL_REQUEST,
        scope_column="contact_id",
        besides=crmcom.BESIDES_APPROVAL_REQUEST,
    ),
    entities.ROCS_CONTACTS: normalise_rocs_contacts,
    entities.ROCS_COMMUNICATIONS: normalise_rocs_communications,
    entities.ROCS_CONTACT_LISTS: Normaliser(
        entities.CONTACT_LISTS, rocs.CONTACT_LIST, besides=rocs.BESIDES_CONTACT_LIST
    ),
    entities.ROCS_CAMPAIGNS: Normaliser(
        entities.CAMPAIGNS, rocs.CAMPAIGN, besides=rocs.BESIDES_CAMPAIGN
    ),
    entities.ROSAAS_TENANTS: normalise_tenants,
    entities.ROSAAS_PLANS: Normaliser(entities.PLANS, rosaas.PLAN, besides=rosaas.BESIDES_PLAN),
    entities.ROSAAS_SPECIFICATIONS: Normaliser(
        entities.SPECIFICATIONS, rosaas.SPECIFICATION, besides=rosaas.BESIDES_SPECIFICATION
    ),
}
