"""ROCS: the names of its fields.

Only those of the contact are published. For the other streams, whose shape the vendor leaves to
the customer's set-up, each column takes the first of the names that such an API is likely to use;
whatever else comes is kept in `attributes`.
"""

from __future__ import annotations

from sync_pipeline.mapping.crmcom import CHANNELS, COMMUNICATION_STATES, GENDERS
from sync_pipeline.mapping.fields import Field, Form, writable

CONTACT = (
    Field("contact_id", Form.TEXT, ("id",)),
    Field("type", Form.TEXT, ("contactType",)),
    Field("status", Form.TEXT, ("contactStatus",)),
    Field("first_name", Form.TEXT, ("firstname",)),
    Field("last_name", Form.TEXT, ("lastname",)),
    Field("email", Form.LOWER, ("email",)),
    Field("phone", Form.PHONE, ("phoneMobile",)),
    Field("gender", Form.KEYWORD, ("gender",), GENDERS),
    Field("birth_on", Form.DAY_OF_INSTANT, ("dob",)),
    Field("external_id", Form.TEXT, ("externalId",)),
    Field("organisation_id", Form.ID, ("organizationId",)),
)

PERMISSIONS = "contactPermissions"
OPT_OUTS = {"email_opt_out": "EMAIL", "sms_opt_out": "SMS"}
CONTACT_OPT_OUTS = tuple(Field(column, Form.BOOLEAN, (PERMISSIONS,)) for column in OPT_OUTS)

# The vendor's sample has these letters; what else it would take is not known.
GENDERS_WRITTEN = {"MALE": "M", "FEMALE": "F"}
_WRITTEN: tuple[str, ...]
_WRITTEN = ("first_name", "last_name", "email", "phone", "gender", "birth_on")
_WRITTEN += ("status", "type", "external_id")
CONTACT_WRITES: dict[str, Field] = writable(CONTACT, _WRITTEN)
OPT_OUT_WRITES = {"email_opt_out": OPT_OUTS["email_opt_out"]}
# A global permission as the vendor's sample spells it.
NEW_PERMISSION = {
    "optinType": "Single",
    "permissionGroupType": "Global",
    "permissionType": "GLobal",
}

INTERESTS = "contactInterests"

# Where the answer for a contact's dynamic fields goes, as a whole.
DYNAMIC_FIELDS = "dynamic_fields"

# Members that have no column: of a contact those of the vendor's sample, and what customers make
# up themselves as one; of the others those that such an API is likely to have.
BESIDES_CONTACT = frozenset(
    {
        "contactAddresses",
        INTERESTS,
        DYNAMIC_FIELDS,
        "organizationEmployees",
        "sourceType",
    }
)
BESIDES_COMMUNICATION = frozenset({"campaignId", "deviceInfo"})
BESIDES_CONTACT_LIST = frozenset({"owner"})
BESIDES_CAMPAIGN = frozenset({"budget"})

COMMUNICATION = (
    Field("communication_id", Form.TEXT, ("id", "communicationId", "activityId", "messageId")),
    Field("contact_id", Form.TEXT, ("contactId", "customerId")),
    Field("state", Form.KEYWORD, ("status", "state"), COMMUNICATION_STATES),
    Field("channel", Form.KEYWORD, ("channelType", "channel"), CHANNELS),
    Field("is_viewed", Form.BOOLEAN, ("isViewed", "isOpened", "viewed", "opened")),
    Field("viewed_at", Form.INSTANT, ("viewedDate", "openedDate", "viewedAt", "openedAt")),
    Field("is_archived", Form.BOOLEAN, ("isArchived", "archived")),
    Field("clicked_at", Form.INSTANT, ("clickedDate", "clickedAt")),
    Field("language", Form.LANGUAGE, ("language", "languageCode")),
    Field("sender", Form.TEXT, ("sender", "from")),
    Field("recipient", Form.TEXT, ("recipient", "to")),
    Field("subject", Form.VERBATIM, ("subject",)),
    Field("content", Form.VERBATIM, ("content", "body")),
    Field("plan_name", Form.TEXT, ("name", "campaignName")),
    Field("source_created_at", Form.INSTANT, ("createdDate", "created", "createdAt", "sentDate")),
)

CONTACT_LIST = (
    Field("list_id", Form.TEXT, ("id", "listId")),
    Field("display_name", Form.TEXT, ("name", "displayName", "listName")),
    Field("description", Form.TEXT, ("description",)),
    Field("type", Form.TEXT, ("listType", "type")),
    Field("status", Form.TEXT, ("status", "state")),
    Field("member_count", Form.INTEGER, ("memberCount", "members", "count")),
    Field("source_created_at", Form.INSTANT, ("createdDate", "created", "createdAt")),
    Field("source_updated_at", Form.INSTANT, ("modifiedDate", "modified", "updatedAt")),
)

CAMPAIGN = (
    Field("campaign_id", Form.TEXT, ("id", "campaignId")),
    Field("display_name", Form.TEXT, ("name", "displayName", "campaignName")),
    Field("status", Form.TEXT, ("status", "state")),
    Field("channel", Form.KEYWORD, ("channelType", "channel"), CHANNELS),
    Field("subject", Form.VERBATIM, ("subject",)),
    Field("sent_count", Form.INTEGER, ("statistics.sent", "sent")),
    Field("delivered_count", Form.INTEGER, ("statistics.delivered", "delivered")),
    Field("viewed_count", Form.INTEGER, ("statistics.viewed", "statistics.opened", "opened")),
    Field("clicked_count", Form.INTEGER, ("statistics.clicked", "clicked")),
    Field("bounced_count", Form.INTEGER, ("statistics.bounced", "bounced")),
    Field("unsubscribed_count", Form.INTEGER, ("statistics.unsubscribed", "unsubscribed")),
    Field("started_at", Form.INSTANT, ("startDate", "startedAt")),
    Field("ended_at", Form.INSTANT, ("endDate", "endedAt")),
    Field("source_created_at", Form.INSTANT, ("createdDate", "created", "createdAt")),
    Field("source_updated_at", Form.INSTANT, ("modifiedDate", "modified", "updatedAt")),
)
