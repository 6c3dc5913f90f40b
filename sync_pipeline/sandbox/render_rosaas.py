"""Canonical tenants in RoSaaS's own form: camelCase, integer enumerations, loose dates.

The list item and the detail carry different fields; only the list has ids, only the detail
has step, metadata and specifications.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .chance import chance
from .wire import encode

if TYPE_CHECKING:
    from random import Random

    from .rows import JsonObject, JsonValue, Tenant

_ONLY_IN_DETAIL = ("lastResetDate", "lastLimitsResetDate")
_MICRO_DIGITS = 6
_MOST_DIGITS = 7


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
    """Mostly naive, some with Z or an offset; 0 to 7 fraction digits.

    A seventh digit below 5 leaves no doubt between cutting and rounding.
    """
    if at is None:
        return None
    fraction = f"{at.microsecond:06d}".rstrip("0")
    if len(fraction) == _MICRO_DIGITS:
        fraction += draw.choice(("", "1", "3", "4"))
    else:
        fraction = fraction.ljust(draw.randint(len(fraction), _MOST_DIGITS), "0")
    suffix = draw.choice(("", "", "", "", "Z", "+03:00", "-05:30"))
    local = at.astimezone(_zone(suffix))
    return local.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + suffix


def _zone(suffix: str) -> timezone:
    if suffix in ("", "Z"):
        return UTC
    hours, minutes = suffix[1:].split(":")
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-size if suffix[0] == "-" else size)
