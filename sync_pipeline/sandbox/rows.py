"""Canonical rows: what a perfect reader of the vendors' answers ends up with.

One dataclass per entity, fields named as in the warehouse; `attributes` is what no column
holds. No vendor's field name appears here except inside `attributes`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One person or company; key `source, contact_id`."""

    source: str
    contact_id: str
    code: str | None
    type: str | None
    status: str | None
    title: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    company_name: str | None
    email: str | None
    phone: str | None
    phone_country: str | None
    language: str | None
    gender: str | None
    birth_on: date | None
    country: str | None
    email_opt_out: bool | None
    sms_opt_out: bool | None
    consent_state: str | None
    external_id: str | None
    organisation_id: str | None
    source_created_at: datetime | None
    source_updated_at: datetime | None
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Communication:
    """One message to one contact; key `source, communication_id`."""

    source: str
    communication_id: str
    contact_id: str
    state: str
    channel: str
    is_viewed: bool
    viewed_at: datetime | None
    is_archived: bool
    clicked_at: datetime | None
    language: str | None
    sender: str | None
    recipient: str | None
    subject: str | None
    content: str | None
    plan_name: str | None
    source_created_at: datetime
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant of the product; key `source, tenant_name`."""

    source: str
    tenant_name: str
    tenant_id: str
    subscription_id: str
    display_name: str | None
    status_code: int
    status: str
    step: int
    is_running: bool
    subscription_is_active: bool
    plan: str | None
    started_at: datetime | None
    ends_at: datetime | None
    metadata: JsonValue
    specifications: list[JsonValue]
    source_created_at: datetime
    source_updated_at: datetime
    attributes: JsonObject


def as_json_object(row: Contact | Communication | Tenant) -> JsonObject:
    """Write the row as JSON: instants and dates in ISO 8601, everything else as it is."""
    return {field.name: _as_json(getattr(row, field.name)) for field in fields(row)}


def _as_json(value: JsonValue | date) -> JsonValue:
    # A datetime is a date too; both write themselves in ISO 8601.
    return value.isoformat() if isinstance(value, date) else value
