"""Who may enter: the sandbox's credentials, all made up, and the variables for them."""

from __future__ import annotations

CRMCOM_API_KEY = "sandbox-api-key"
CRMCOM_SECRET_KEY = "sandbox-secret-key"  # noqa: S105 - a plain word for loopback
CRMCOM_USERNAME = "service@sandbox.example"
CRMCOM_PASSWORD = "sandbox-password"  # noqa: S105 - a plain word for loopback
ROSAAS_CLIENT_ID = "sandbox-client"
ROSAAS_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - a plain word for loopback

CRMCOM_PREFIX = "/self-service/v1"
BACKOFFICE_PREFIX = "/backoffice/v1"


def environment(address: str) -> dict[str, str]:
    """Name the variables that point a client at this sandbox; `address` is `http://HOST:PORT`."""
    return {
        "CRMCOM_BASE_URL": address + CRMCOM_PREFIX,
        "CRMCOM_API_KEY": CRMCOM_API_KEY,
        "CRMCOM_USERNAME": CRMCOM_USERNAME,
        "CRMCOM_PASSWORD": CRMCOM_PASSWORD,
        "CRMCOM_BACKOFFICE_URL": address + BACKOFFICE_PREFIX,
        "CRMCOM_SECRET_KEY": CRMCOM_SECRET_KEY,
        "ROSAAS_BASE_URL": address,
        "ROSAAS_CLIENT_ID": ROSAAS_CLIENT_ID,
        "ROSAAS_CLIENT_SECRET": ROSAAS_CLIENT_SECRET,
    }
