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
from sync_pipeline.warehouse.descriptions import mart_descriptions

MARTS: dict[str, tuple[Stream, ...]] = {
    "approval_requests_open": (CRMCOM_APPROVAL_REQUESTS, CRMCOM_CONTACTS),
    "communication_engagement": (CRMCOM_COMMUNICATIONS, ROCS_COMMUNICATIONS),
    "customer_360": (CRMCOM_CONTACTS, ROCS_CONTACTS, ROSAAS_TENANTS),
    "data_freshness": tuple(STREAMS.values()),
    "tenant_status_history": (ROSAAS_TENANTS,),
}


def mart_assets() -> list[dg.AssetSpec]:
    """Return one external asset per view."""
    said = mart_descriptions()
    return [
        dg.AssetSpec(
            dg.AssetKey(["mart", name]),
            deps=[asset_key(stream) for stream in streams],
            group_name="mart",
            kinds={"postgres", "view"},
            description=f"{said[name]}; with personal data in mart_pii.{name}",
            metadata={"dagster/table_name": f"mart.{name}"},
        )
        for name, streams in MARTS.items()
    ]
