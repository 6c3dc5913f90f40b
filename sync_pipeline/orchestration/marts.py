"""The views of the schema `mart` in the asset graph: what they show, and of which streams.

They are plain views, always as fresh as the tables: external assets, with nothing to run.
"""

import dagster as dg

from sync_pipeline.entities import (
    CRMCOM_APPROVAL_REQUESTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    ROCS_COMMUNICATIONS,
    ROCS_CONTACTS,
    ROSAAS_TENANTS,
    STREAMS,
    Stream,
)
from sync_pipeline.orchestration.assets import asset_key

MARTS: dict[str, tuple[str, tuple[Stream, ...]]] = {
    "approval_requests_open": (
        "Approval requests that wait for an answer, with who is asked",
        (CRMCOM_APPROVAL_REQUESTS, CRMCOM_CONTACTS),
    ),
    "communication_engagement": (
        "What becomes of messages, by channel, plan, language and week",
        (CRMCOM_COMMUNICATIONS, ROCS_COMMUNICATIONS),
    ),
    "customer_360": (
        "Persons over CRM.COM and ROCS with what both say of them",
        (CRMCOM_CONTACTS, ROCS_CONTACTS, ROSAAS_TENANTS),
    ),
    "data_freshness": ("How fresh and how complete each stream is", tuple(STREAMS.values())),
    "tenant_status_history": ("Which tenant was in which status and when", (ROSAAS_TENANTS,)),
}


def mart_assets() -> list[dg.AssetSpec]:
    """Return one external asset per view."""
    return [
        dg.AssetSpec(
            dg.AssetKey(["mart", name]),
            deps=[asset_key(stream) for stream in streams],
            group_name="mart",
            kinds={"postgres", "view"},
            description=f"{about}; with personal data in mart_pii.{name}",
            metadata={"dagster/table_name": f"mart.{name}"},
        )
        for name, (about, streams) in MARTS.items()
    ]
