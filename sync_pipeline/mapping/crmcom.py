"""CRM.COM, Self Service API v1 and v2: the names of its fields, those of v1 first.

The vendor's v1 page lost most field names of answers; where it names a field only in an update
(PUT), the answer is taken to use the same name.
"""

from __future__ import annotations

from sync_pipeline.mapping.fields import Field, Form, same_words, writable

CONTACT_TYPES = same_words("PERSON", "COMPANY")
GENDERS = same_words("MALE", "FEMALE", "OTHER") | {"M": "MALE", "F": "FEMALE"}
CHANNELS = same_words("EMAIL", "SMS", "INAPP", "DEVICE")
COMMUNICATION_STATES = same_words("PENDING", "COMPLETED", "REJECTED")
APPROVAL_STATES = same_words("PENDING", "APPROVED", "REJECTED")
_APPROVED_KINDS = ("ORDER", "SERVICE_REQUEST", "REWARD_OFFER", "ORGANISATION")
APPROVED_KINDS = {word: f"{kind}S" for kind in _APPROVED_KINDS for word in (kind, f"{kind}S")}

CONTACT = (
    Field("contact_id", Form.TEXT, ("id",)),
    Field("code", Form.TEXT, ("code",)),
    Field("type", Form.KEYWORD, ("type", "contact_type"), CONTACT_TYPES),
    Field("title", Form.TEXT, ("title",)),
    Field("first_name", Form.TEXT, ("first_name",)),
    Field("middle_name", Form.TEXT, ("middle_name",)),
    Field("last_name", Form.TEXT, ("last_name",)),
    Field("company_name", Form.TEXT, ("company_name",)),
    Field("email", Form.LOWER, ("email_address", "email")),
    Field("phone_country", Form.COUNTRY, ("phone.country_code",)),
    Field("phone", Form.PHONE, ("phone.number",)),
    Field("language", Form.LANGUAGE, ("preferred_language_code", "language_code")),
    Field("gender", Form.KEYWORD, ("demographics.gender",), GENDERS),
    Field("birth_on", Form.DAY_PARTS, ("demographics.date_of_birth",)),
    Field("country", Form.COUNTRY, ("country_of_agreement",)),
    Field("email_opt_out", Form.BOOLEAN, ("email_opt_out",)),
    Field("sms_opt_out", Form.BOOLEAN, ("sms_opt_out",)),
    Field("consent_state", Form.TEXT, ("consent_state",)),
)

# What each version takes in an update (contract 3.6); customers' own fields go beside it.
_IN_BOTH: tuple[str, ...]
_IN_BOTH = ("first_name", "middle_name", "last_name", "company_name", "email", "language")
_IN_BOTH += ("gender", "birth_on", "email_opt_out", "sms_opt_out")
CONTACT_WRITES: dict[str, dict[str, Field]] = {
    "v1": writable(CONTACT, (*_IN_BOTH, "title", "consent_state"), spelling=0),
    "v2": writable(CONTACT, (*_IN_BOTH, "phone"), spelling=-1),
}
CUSTOM_FIELDS = "custom_fields"
PHONE = "phone"
DEMOGRAPHICS = "demographics"
# What an update may say in an object beside the columns: sent along as it was read, for nobody
# knows whether an object that is sent replaces the whole; by its own mandatory members.
DEMOGRAPHICS_KEPT: dict[str, dict[str, frozenset[str]]] = {
    "v1": {
        "passport": frozenset({"passport_number", "issue_country_code", "expiration_date"}),
        "id_details": frozenset({"id_number", "issue_country_code", "expiration_date"}),
    },
    "v2": {
        "passport": frozenset({"number", "issuing_country_code", "expiration_date"}),
        "id_details": frozenset({"number", "issuing_country_code", "expiration_date"}),
        "statutory_number": frozenset(),
    },
}

# Members of answers of either version that have no column. What customers make up themselves
# (`custom_fields`) is one of them, whatever is in it.
BESIDES_CONTACT = frozenset(
    {
        "avatar_url",
        "category_id",
        "communities",
        "company_profile",
        "company_profle",
        "creatives",
        "custom_fields",
        "demographics",
        "is_tax_exempt",
        "loyalty_identifiers",
        "organisations",
        "referral_code",
        "statutory_number",
        "viewed_onboarding_cards",
        "wallet",
    }
)
BESIDES_COMMUNICATION = frozenset(
    {
        "in_app_click_link_url",
        "in_app_image_url",
        "message_type",
        "subtitle",
        "title",
    }
)
BESIDES_APPROVAL_REQUEST = frozenset({"comments"})

COMMUNICATION = (
    Field("communication_id", Form.TEXT, ("id",)),
    Field("contact_id", Form.TEXT, ("contact_id", "contact.id")),
    Field("state", Form.KEYWORD, ("life_cycle_state", "state"), COMMUNICATION_STATES),
    Field("channel", Form.KEYWORD, ("channel",), CHANNELS),
    Field("is_viewed", Form.BOOLEAN, ("is_viewed",)),
    Field("viewed_at", Form.EPOCH, ("viewed_on",)),
    Field("is_archived", Form.BOOLEAN, ("is_archived",)),
    Field("clicked_at", Form.EPOCH, ("clicked_on",)),
    Field("language", Form.LANGUAGE, ("language",)),
    Field("sender", Form.TEXT, ("sender",)),
    Field("recipient", Form.TEXT, ("recipient",)),
    Field("subject", Form.VERBATIM, ("subject",)),
    Field("content", Form.VERBATIM, ("content",)),
    Field("plan_name", Form.TEXT, ("name",)),
    Field("source_created_at", Form.EPOCH, ("created_on",)),
)

# What marks a communication; all of them are sent each time.
COMMUNICATION_WRITES = {"is_viewed": "viewed", "is_archived": "archived"}

# The list of v1 lacks it; where it is there, nothing is missing.
CREATED_ON = "created_on"

APPROVAL_REQUEST = (
    Field("approval_request_id", Form.TEXT, ("id",)),
    # No answer names the contact: it is the one whose list the row is in.
    Field("contact_id", Form.TEXT, ("contact_id", "contact.id")),
    Field("state", Form.KEYWORD, ("state",), APPROVAL_STATES),
    Field("entity_type", Form.KEYWORD, ("entity.type",), APPROVED_KINDS),
    Field("entity_id", Form.TEXT, ("entity.id",)),
    Field("entity_reference", Form.TEXT, ("entity.reference",)),
)
# The state that an approval request is to have, and the action that brings it there.
APPROVAL_WRITES = {"APPROVED": "ACCEPT", "REJECTED": "REJECT"}
