"""Canonical tenants in RoSaaS's own form: camelCase, integer enumerations, loose dates.

The list item and the detail carry different fields; only the list has ids, only the detail
has step, metadata and specifications.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING

from .chance import chance
from .instants import instant_text
from .wire import encode

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from .rows import JsonObject, JsonValue, Plan, Specification, Tenant

_ONLY_IN_DETAIL = ("lastResetDate", "lastLimitsResetDate")
_ACTIVE = 7


def list_item(seed: int, tenant: Tenant) -> bytes:
    """One element of `data` in the list's answer."""
    draw = chance(seed, "rosaas-list", tenant.tenant_name)
    item: JsonObject = {
        "id": tenant.subscription_id,
        "subscriptionId": tenant.subscription_id,
        "tenantId": tenant.tenant_id,
        **_shared_fields(draw, tenant),
    }
    for name in _ONLY_IN_DETAIL:
        item.pop(name)
    return encode(item)


def detail(seed: int, tenant: Tenant) -> bytes:
    """Render `data` of one tenant's answer."""
    draw = chance(seed, "rosaas-detail", tenant.tenant_name)
    return encode(
        {
            **_shared_fields(draw, tenant),
            "step": tenant.step,
            "metadata": _metadata_text(tenant.metadata),
            "specifications": tenant.specifications,
        }
    )


def status(tenant: Tenant) -> bytes:
    """Render `data` of one tenant's status, where `isActive` means status 7, not the payment."""
    code = tenant.status_code
    return encode({"isActive": code == _ACTIVE, "status": code})


def metadata(tenant: Tenant) -> bytes:
    """Render the stored JSON of one tenant, as the call for it alone gives it: not in a string."""
    return encode(tenant.metadata)


def plan(row: Plan) -> bytes:
    """One element of `data` in the list of plans."""
    item: JsonObject = {
        "systemName": row.plan,
        "displayName": row.display_name,
        "description": row.description,
        "displayOrder": row.display_order,
        "isPublished": row.is_published,
        "isSubscribed": row.is_subscribed,
        "isLockedBySystem": row.is_locked_by_system,
        "tenancyTypeName": row.tenancy_type,
        "prices": row.prices,
    }
    return encode(item | row.attributes)


def specification(row: Specification) -> bytes:
    """One element of `data` in the list of specifications; its texts in two languages."""
    left = row.attributes
    item: JsonObject = {
        "systemName": row.specification,
        "isRequired": row.is_required,
        "isUserEditable": row.is_user_editable,
        "regularExpression": row.regular_expression,
        "isPublished": row.is_published,
        "isSubscribed": row.is_subscribed,
    }
    texts: JsonObject = {
        "displayName": _translations(row.display_name, left.get("displayName")),
        "description": _translations(row.description, left.get("description")),
    }
    return encode(item | left | texts)


def _translations(english: str | None, others: JsonValue) -> JsonValue:
    if english is None and others is None:
        return None
    return {"en": english, **(others if isinstance(others, dict) else {})}


def _shared_fields(draw: Random, tenant: Tenant) -> JsonObject:
    return {
        **tenant.attributes,
        "displayName": tenant.display_name,
        "systemName": tenant.tenant_name,
        "isActive": tenant.subscription_is_active,
        "status": tenant.status_code,
        "startDate": _date_text(draw, tenant.started_at),
        "endDate": _date_text(draw, tenant.ends_at),
        "plan": _plan(tenant),
        "createdDate": _date_text(draw, tenant.source_created_at),
        "editedDate": _date_text(draw, tenant.source_updated_at),
    }


def _plan(tenant: Tenant) -> JsonValue:
    left_over = tenant.attributes.get("plan")
    if tenant.plan is None or not isinstance(left_over, dict):
        return None
    return {**left_over, "systemName": tenant.plan}


def _metadata_text(metadata: JsonValue) -> str | None:
    """Put JSON into a string; free text stays free text, which is then no JSON."""
    if metadata is None or isinstance(metadata, str):
        return metadata
    return json.dumps(metadata)


def _date_text(draw: Random, at: datetime | None) -> str | None:
    """Mostly naive, some with Z or an offset."""
    if at is None:
        return None
    suffix = draw.choice(("", "", "", "", "Z", "+03:00", "-05:30"))
    return instant_text(draw, at.astimezone(_zone(suffix))) + suffix


def _zone(suffix: str) -> timezone:
    if suffix in ("", "Z"):
        return UTC
    hours, minutes = suffix[1:].split(":")
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-size if suffix[0] == "-" else size)
