"""Who may enter: the sandbox's credentials, all made up, and the variables for them."""

from __future__ import annotations

CRMCOM_API_KEY = "sandbox-api-key"
CRMCOM_SECRET_KEY = "sandbox-secret-key"  # noqa: S105 - a plain word for loopback
CRMCOM_USERNAME = "service@sandbox.example"
CRMCOM_PASSWORD = "sandbox-password"  # noqa: S105 - a plain word for loopback
# Each contact's own identity, all with one password.
CRMCOM_CONTACT_USERNAME = "contact-{contact_id}@sandbox.example"
CRMCOM_CONTACT_PASSWORD = "sandbox-contact-password"  # noqa: S105 - a plain word for loopback
ROSAAS_CLIENT_ID = "sandbox-client"
ROSAAS_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - a plain word for loopback
ROCS_CLIENT_ID = "sandbox-rocs-client"
ROCS_CLIENT_SECRET = "sandbox-rocs-secret"  # noqa: S105 - a plain word for loopback
ROCS_RESOURCE = "https://rocs.sandbox.example"
ROCS_SCOPE = f"{ROCS_RESOURCE}/.default"

# Of what a contact of ROCS carries beside its columns.
ROCS_PUSH_FIELDS = {
    "attributes.contactInterests": "array",
    "attributes.dynamic_fields.loyaltyTier": "string",
    "attributes.dynamic_fields.shoeSize": "number",
    "attributes.dynamic_fields.isMember": "boolean",
    "attributes.dynamic_fields.Favorittbutikk": "object",
    "attributes.dynamic_fields.ref": "any",
}

CRMCOM_VERSION = "v1"
CRMCOM_PREFIX = "/self-service/"
BACKOFFICE_PREFIX = "/backoffice/v1"
ROCS_PREFIX = "/rocs"
ROCS_TOKEN_PATH = "/rocs-login/oauth2/token"  # noqa: S105 - a path


def environment(address: str, crmcom_version: str = CRMCOM_VERSION) -> dict[str, str]:
    """Name the variables that point a client at this sandbox; `address` is `http://HOST:PORT`."""
    return {
        "CRMCOM_BASE_URL": address + CRMCOM_PREFIX + crmcom_version,
        "CRMCOM_API_KEY": CRMCOM_API_KEY,
        "CRMCOM_USERNAME": CRMCOM_USERNAME,
        "CRMCOM_PASSWORD": CRMCOM_PASSWORD,
        "CRMCOM_BACKOFFICE_URL": address + BACKOFFICE_PREFIX,
        "CRMCOM_SECRET_KEY": CRMCOM_SECRET_KEY,
        "ROSAAS_BASE_URL": address,
        "ROSAAS_CLIENT_ID": ROSAAS_CLIENT_ID,
        "ROSAAS_CLIENT_SECRET": ROSAAS_CLIENT_SECRET,
        # With a path for each call that the vendor does not publish.
        "ROCS_BASE_URL": address + ROCS_PREFIX,
        "ROCS_TOKEN_URL": address + ROCS_TOKEN_PATH,
        "ROCS_CLIENT_ID": ROCS_CLIENT_ID,
        "ROCS_CLIENT_SECRET": ROCS_CLIENT_SECRET,
        "ROCS_RESOURCE": ROCS_RESOURCE,
        "ROCS_ACTIVITY_PATH": "/CommunicationAPI/v1/Activities",
        "ROCS_LISTS_PATH": "/ListAPI/v1/Lists",
        "ROCS_CAMPAIGNS_PATH": "/CampaignAPI/v1/Campaigns",
        "ROCS_DYNAMIC_PATH": "/CustomerAPI/v1/DynamicFields",
        "ROCS_PUSH_FIELDS": ",".join(f"{name}={kind}" for name, kind in ROCS_PUSH_FIELDS.items()),
    }
