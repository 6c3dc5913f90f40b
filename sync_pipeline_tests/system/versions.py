"""The ways in which CRM.COM is read: its versions, and whose credentials read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from sync_pipeline_tests.system.installation import Installation

# As the service identity's variables are left empty, they are not set.
NO_SERVICE = dict.fromkeys(
    ("CRMCOM_USERNAME", "CRMCOM_PASSWORD", "CRMCOM_BACKOFFICE_URL", "CRMCOM_SECRET_KEY"), ""
)


@dataclass(frozen=True, slots=True)
class Way:
    """A version of the API and a value of CRMCOM_AUTH."""

    version: str
    auth: str

    def __str__(self) -> str:
        return f"{self.version} + {self.auth}"

    def environ(self, installation: Installation) -> Mapping[str, str]:
        """Return the variables that read the running sandbox in this way."""
        address = f"http://127.0.0.1:{installation.sandbox_port}"
        with httpx.Client(trust_env=False, timeout=60) as client:
            named = client.get(f"{address}/_sandbox/env").raise_for_status().json()
            if self.auth == "service":
                return dict(named)
            file = installation.workplace / "contacts.csv"
            file.write_bytes(client.get(f"{address}/_sandbox/contacts.csv").content)
        own = {"CRMCOM_AUTH": self.auth, "CRMCOM_CONTACTS_FILE": str(file)}
        return dict(named) | NO_SERVICE | own


WAYS = (Way("v1", "service"), Way("v2", "service"), Way("v2", "per_contact"))
