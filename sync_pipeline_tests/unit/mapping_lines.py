"""What each field of each stream is expected to fill, written out from the contracts.

Not taken from the mappings: these tables say what the mappings must say.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
EPOCH = str(int(AT.timestamp()))
ISO = '"2024-05-06T07:08:09"'


class Line(NamedTuple):
    """A field by its path, a value of it as JSON, the column that it fills, and with what."""

    path: str
    value: str
    column: str
    expected: object


# Of several fields of one column, the one that counts first comes first.
_ROWS: dict[str, list[tuple[str, str, str, object]]] = {
    "crmcom/contacts": [
        ("code", '" C12 "', "code", "C12"),
        ("type", '" person "', "type", "PERSON"),
        ("contact_type", '"Company"', "type", "COMPANY"),
        ("title", '" Sir "', "title", "Sir"),
        ("first_name", '" Ann "', "first_name", "Ann"),
        ("middle_name", '" Bea "', "middle_name", "Bea"),
        ("last_name", '" Cox "', "last_name", "Cox"),
        ("company_name", '" Dot "', "company_name", "Dot"),
        ("email_address", '" A@B.cy"', "email", "a@b.cy"),
        ("email", '"A@B.cy "', "email", "a@b.cy"),
        ("phone.country_code", '"GRC"', "phone_country", "GR"),
        ("phone.number", '"+357 99 123456"', "phone", "+35799123456"),
        ("preferred_language_code", '"GRE"', "language", "el"),
        ("language_code", '"EN"', "language", "en"),
        ("demographics.gender", '"f"', "gender", "FEMALE"),
        (
            "demographics.date_of_birth",
            '{"year": 1990, "month": 1, "day": "02"}',
            "birth_on",
            date(1990, 1, 2),
        ),
        ("country_of_agreement", '"CYP"', "country", "CY"),
        ("email_opt_out", '"True"', "email_opt_out", True),
        ("sms_opt_out", '"True"', "sms_opt_out", True),
        ("consent_state", '" Accepted "', "consent_state", "Accepted"),
    ],
    "crmcom/communications": [
        ("contact_id", '" C-2 "', "contact_id", "C-2"),
        ("contact.id", '" C-3 "', "contact_id", "C-3"),
        ("life_cycle_state", '"pending"', "state", "PENDING"),
        ("state", '"completed"', "state", "COMPLETED"),
        ("channel", '"sms"', "channel", "SMS"),
        ("is_viewed", '"True"', "is_viewed", True),
        ("viewed_on", EPOCH, "viewed_at", AT),
        ("is_archived", '"True"', "is_archived", True),
        ("clicked_on", EPOCH, "clicked_at", AT),
        ("language", '"ENG"', "language", "en"),
        ("sender", '" Dev "', "sender", "Dev"),
        ("recipient", '" Jon "', "recipient", "Jon"),
        ("subject", '" S "', "subject", " S "),
        ("content", '" C "', "content", " C "),
        ("name", '" Plan "', "plan_name", "Plan"),
        ("created_on", EPOCH, "source_created_at", AT),
    ],
    "crmcom/approval_requests": [
        ("contact_id", '" C-2 "', "contact_id", "C-2"),
        ("contact.id", '" C-3 "', "contact_id", "C-3"),
        ("state", '"approved"', "state", "APPROVED"),
        ("entity.type", '"order"', "entity_type", "ORDERS"),
        ("entity.id", '" Cf01 "', "entity_id", "Cf01"),
        ("entity.reference", '" CO1234 "', "entity_reference", "CO1234"),
    ],
    "rocs/contacts": [
        ("contactType", '" Customer "', "type", "Customer"),
        ("contactStatus", '" Active "', "status", "Active"),
        ("firstname", '" Kari "', "first_name", "Kari"),
        ("lastname", '" Løvik "', "last_name", "Løvik"),
        ("email", '" Kari@Post.NO "', "email", "kari@post.no"),
        ("phoneMobile", '"+47 40 61 20 00"', "phone", "+4740612000"),
        ("gender", '"F"', "gender", "FEMALE"),
        ("dob", '"1970-12-30T00:00:00"', "birth_on", date(1970, 12, 30)),
        ("externalId", '" A0042 "', "external_id", "A0042"),
        ("organizationId", "4711", "organisation_id", "4711"),
    ],
    "rocs/communications": [
        ("contactId", "11866", "contact_id", "11866"),
        ("customerId", '" A1 "', "contact_id", "A1"),
        ("status", '"Completed"', "state", "COMPLETED"),
        ("state", '"Pending"', "state", "PENDING"),
        ("channelType", '"InApp"', "channel", "INAPP"),
        ("channel", '"Device"', "channel", "DEVICE"),
        ("isViewed", '"True"', "is_viewed", True),
        ("isOpened", '"True"', "is_viewed", True),
        ("viewed", '"True"', "is_viewed", True),
        ("opened", '"True"', "is_viewed", True),
        ("viewedDate", ISO, "viewed_at", AT),
        ("openedDate", ISO, "viewed_at", AT),
        ("viewedAt", ISO, "viewed_at", AT),
        ("openedAt", ISO, "viewed_at", AT),
        ("isArchived", '"True"', "is_archived", True),
        ("archived", '"True"', "is_archived", True),
        ("clickedDate", ISO, "clicked_at", AT),
        ("clickedAt", ISO, "clicked_at", AT),
        ("language", '"EN"', "language", "en"),
        ("languageCode", '"NOR"', "language", "no"),
        ("sender", '" Dev "', "sender", "Dev"),
        ("from", '" Dev "', "sender", "Dev"),
        ("recipient", '" Jon "', "recipient", "Jon"),
        ("to", '" Jon "', "recipient", "Jon"),
        ("subject", '" S "', "subject", " S "),
        ("content", '" C "', "content", " C "),
        ("body", '" C "', "content", " C "),
        ("name", '" Plan "', "plan_name", "Plan"),
        ("campaignName", '" Plan "', "plan_name", "Plan"),
        ("createdDate", ISO, "source_created_at", AT),
        ("created", ISO, "source_created_at", AT),
        ("createdAt", ISO, "source_created_at", AT),
        ("sentDate", ISO, "source_created_at", AT),
    ],
    "rocs/contact_lists": [
        ("name", '" Friends "', "display_name", "Friends"),
        ("displayName", '" Friends "', "display_name", "Friends"),
        ("listName", '" Friends "', "display_name", "Friends"),
        ("description", '" Of ours "', "description", "Of ours"),
        ("listType", '" Static "', "type", "Static"),
        ("type", '" Static "', "type", "Static"),
        ("status", '" Active "', "status", "Active"),
        ("state", '" Active "', "status", "Active"),
        ("memberCount", "7.0", "member_count", 7),
        ("members", "7.0", "member_count", 7),
        ("count", "7.0", "member_count", 7),
        ("createdDate", ISO, "source_created_at", AT),
        ("created", ISO, "source_created_at", AT),
        ("createdAt", ISO, "source_created_at", AT),
        ("modifiedDate", ISO, "source_updated_at", AT),
        ("modified", ISO, "source_updated_at", AT),
        ("updatedAt", ISO, "source_updated_at", AT),
    ],
    "rocs/campaigns": [
        ("name", '" May "', "display_name", "May"),
        ("displayName", '" May "', "display_name", "May"),
        ("campaignName", '" May "', "display_name", "May"),
        ("status", '" Sent "', "status", "Sent"),
        ("state", '" Sent "', "status", "Sent"),
        ("channelType", '"email"', "channel", "EMAIL"),
        ("channel", '"sms"', "channel", "SMS"),
        ("subject", '" S "', "subject", " S "),
        ("statistics.sent", "6.0", "sent_count", 6),
        ("sent", "6.0", "sent_count", 6),
        ("statistics.delivered", "5.0", "delivered_count", 5),
        ("delivered", "5.0", "delivered_count", 5),
        ("statistics.viewed", "4.0", "viewed_count", 4),
        ("statistics.opened", "4.0", "viewed_count", 4),
        ("opened", "4.0", "viewed_count", 4),
        ("statistics.clicked", "3.0", "clicked_count", 3),
        ("clicked", "3.0", "clicked_count", 3),
        ("statistics.bounced", "2.0", "bounced_count", 2),
        ("bounced", "2.0", "bounced_count", 2),
        ("statistics.unsubscribed", "1.0", "unsubscribed_count", 1),
        ("unsubscribed", "1.0", "unsubscribed_count", 1),
        ("startDate", ISO, "started_at", AT),
        ("startedAt", ISO, "started_at", AT),
        ("endDate", ISO, "ended_at", AT),
        ("endedAt", ISO, "ended_at", AT),
        ("createdDate", ISO, "source_created_at", AT),
        ("created", ISO, "source_created_at", AT),
        ("createdAt", ISO, "source_created_at", AT),
        ("modifiedDate", ISO, "source_updated_at", AT),
        ("modified", ISO, "source_updated_at", AT),
        ("updatedAt", ISO, "source_updated_at", AT),
    ],
    "rosaas/tenants": [
        ("tenantId", '" T "', "tenant_id", "T"),
        ("subscriptionId", '" S "', "subscription_id", "S"),
        ("id", '" S "', "subscription_id", "S"),
        ("displayName", '" D "', "display_name", "D"),
        ("step", "3.0", "step", 3),
        ("isActive", '"True"', "subscription_is_active", True),
        ("plan.systemName", '" Basic "', "plan", "Basic"),
        ("startDate", ISO, "started_at", AT),
        ("endDate", ISO, "ends_at", AT),
        ("metadata", r'"{\"a\": [1]}"', "metadata", {"a": [1]}),
        ("specifications", '"[1]"', "specifications", "[1]"),
        ("createdDate", ISO, "source_created_at", AT),
        ("editedDate", ISO, "source_updated_at", AT),
    ],
    "rosaas/plans": [
        ("displayName", '" Basic "', "display_name", "Basic"),
        ("description", '" For all "', "description", "For all"),
        ("tenancyTypeName", '" Limited "', "tenancy_type", "Limited"),
        ("displayOrder", "3.0", "display_order", 3),
        ("isPublished", '"True"', "is_published", True),
        ("isSubscribed", '"True"', "is_subscribed", True),
        ("isLockedBySystem", '"True"', "is_locked_by_system", True),
        ("prices", '"[1]"', "prices", "[1]"),
    ],
    "rosaas/specifications": [
        ("displayName.en", '" Seats "', "display_name", "Seats"),
        ("displayName", '" Seats "', "display_name", "Seats"),
        ("description.en", '" How many "', "description", "How many"),
        ("description", '" How many "', "description", "How many"),
        ("isRequired", '"True"', "is_required", True),
        ("isUserEditable", '"True"', "is_user_editable", True),
        ("regularExpression", '" ^[0-9]+$"', "regular_expression", " ^[0-9]+$"),
        ("isPublished", '"True"', "is_published", True),
        ("isSubscribed", '"True"', "is_subscribed", True),
    ],
}
LINES = {stream: [Line(*row) for row in rows] for stream, rows in _ROWS.items()}

# The key as the field says it, and as the row has it.
KEYS: dict[str, list[Line]] = {
    "crmcom/contacts": [Line("id", '" C-1 "', "contact_id", "C-1")],
    "crmcom/communications": [Line("id", '" M-1 "', "communication_id", "M-1")],
    "crmcom/approval_requests": [Line("id", '" A-1 "', "approval_request_id", "A-1")],
    "rocs/contacts": [Line("id", '" K1 "', "contact_id", "K1")],
    "rocs/communications": [
        Line(path, '" M1 "', "communication_id", "M1")
        for path in ("id", "communicationId", "activityId", "messageId")
    ],
    "rocs/contact_lists": [Line(path, '" L1 "', "list_id", "L1") for path in ("id", "listId")],
    "rocs/campaigns": [Line(path, '" P1 "', "campaign_id", "P1") for path in ("id", "campaignId")],
    "rosaas/tenants": [Line("systemName", '" Blue "', "tenant_name", "blue")],
    "rosaas/plans": [Line("systemName", '" Basic "', "plan", "Basic")],
    "rosaas/specifications": [Line("systemName", '" Seats "', "specification", "Seats")],
}
