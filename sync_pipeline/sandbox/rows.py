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
    is_viewed: bool | None
    viewed_at: datetime | None
    is_archived: bool | None
    clicked_at: datetime | None
    language: str | None
    sender: str | None
    recipient: str | None
    subject: str | None
    content: str | None
    plan_name: str | None
    source_created_at: datetime | None
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """What waits for one contact's yes or no; key `source, approval_request_id`."""

    source: str
    approval_request_id: str
    contact_id: str
    state: str
    entity_type: str
    entity_id: str
    entity_reference: str | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan that tenants can be on; key `source, plan`."""

    source: str
    plan: str
    display_name: str | None
    description: str | None
    tenancy_type: str | None
    display_order: int | None
    is_published: bool | None
    is_subscribed: bool | None
    is_locked_by_system: bool | None
    prices: JsonValue
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One thing that a tenant is asked for; key `source, specification`; its texts in English."""

    source: str
    specification: str
    display_name: str | None
    description: str | None
    is_required: bool | None
    is_user_editable: bool | None
    regular_expression: str | None
    is_published: bool | None
    is_subscribed: bool | None
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """One list that contacts are on; key `source, list_id`."""

    source: str
    list_id: str
    display_name: str | None
    description: str | None
    type: str | None
    status: str | None
    member_count: int | None
    source_created_at: datetime | None
    source_updated_at: datetime | None
    attributes: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign with its statistics; key `source, campaign_id`."""

    source: str
    campaign_id: str
    display_name: str | None
    status: str | None
    channel: str | None
    subject: str | None
    sent_count: int | None
    delivered_count: int | None
    viewed_count: int | None
    clicked_count: int | None
    bounced_count: int | None
    unsubscribed_count: int | None
    started_at: datetime | None
    ended_at: datetime | None
    source_created_at: datetime | None
    source_updated_at: datetime | None
    attributes: JsonObject


Row: TypeAlias = (
    Contact
    | Communication
    | ApprovalRequest
    | Tenant
    | Plan
    | Specification
    | ContactList
    | Campaign
)


ENTITIES: dict[str, type[Row]] = {
    "contacts": Contact,
    "communications": Communication,
    "approval_requests": ApprovalRequest,
    "tenants": Tenant,
    "plans": Plan,
    "specifications": Specification,
    "contact_lists": ContactList,
    "campaigns": Campaign,
}

_KEY_NAMES = {kind.__name__: fields(kind)[1].name for kind in ENTITIES.values()}


def key_name(kind: type[Row]) -> str:
    """Name the column that tells rows of one source apart: the one after `source`."""
    return _KEY_NAMES[kind.__name__]


def key_of(row: Row) -> str:
    """Tell the row's id within its source."""
    return str(getattr(row, key_name(type(row))))


def as_json_object(row: Row) -> JsonObject:
    """Write the row as JSON: instants and dates in ISO 8601, everything else as it is."""
    return {field.name: _as_json(getattr(row, field.name)) for field in fields(row)}


def _as_json(value: JsonValue | date) -> JsonValue:
    # A datetime is a date too; both write themselves in ISO 8601.
    return value.isoformat() if isinstance(value, date) else value
