"""The settings of each source: one group of variables with a common prefix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic import model_validator as check

from sync_pipeline.settings.values import (
    ApiPath,
    ApiUrl,
    ConfirmationMode,
    CronMinutes,
    JsonFields,
    is_loopback,
)

INTERVAL_MINUTES = 15
CrmcomVersion = Literal["v1", "v2"]
# Which field of the settings says where ROCS has what.
ROCS_PATHS = {
    "contacts": "contacts_path",
    "dynamic_fields": "dynamic_path",
    "communications": "activity_path",
    "contact_lists": "lists_path",
    "campaigns": "campaigns_path",
}


class Group(BaseModel):
    """Variables that are checked together."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SourceSettings(Group):
    """What every source has: where it is and how politely it is read."""

    base_url: ApiUrl
    requests_per_second: float = Field(default=5, gt=0)
    max_in_flight: int = Field(default=4, ge=1, le=256)
    page_size: int = Field(default=100, ge=1, le=1000)
    timeout_s: float = Field(default=60, gt=0)
    interval_minutes: Annotated[CronMinutes, Field(ge=1)] = INTERVAL_MINUTES

    @check(mode="before")
    @classmethod
    def _loopback_needs_no_politeness(cls, values: dict[str, object]) -> dict[str, object]:
        if is_loopback(str(values.get("base_url", ""))):
            return {"requests_per_second": 2000, "max_in_flight": 64} | values
        return values


class CrmcomSettings(SourceSettings):
    """CRM.COM: the Self Service API, and where contact ids come from."""

    api_key: SecretStr
    username: str | None = None
    password: SecretStr | None = None
    auth: Literal["service", "per_contact"] = "service"
    header_scheme: Literal["auto", "bearer", "raw", "auth_token"] = "auto"
    contact_ids: Literal["backoffice", "rocs", "registry"] = "registry"
    contacts_file: Path | None = None
    backoffice_url: ApiUrl | None = None
    secret_key: SecretStr | None = None
    backoffice_username: str | None = None
    backoffice_password: SecretStr | None = None

    @property
    def version(self) -> CrmcomVersion:
        """The version of the Self Service API: the end of its address."""
        return "v2" if self.base_url.endswith("/v2") else "v1"

    @check(mode="before")
    @classmethod
    def _backoffice_when_there_is_one(cls, values: dict[str, object]) -> dict[str, object]:
        return {"contact_ids": "backoffice"} | values if values.get("backoffice_url") else values

    @check(mode="after")
    def _complete(self) -> Self:
        if not self.base_url.endswith(("/v1", "/v2")):
            raise ValueError("CRMCOM_BASE_URL should end with /v1 or /v2")
        if self.contacts_file is not None and not self.contacts_file.is_file():
            raise ValueError("CRMCOM_CONTACTS_FILE names no file")
        self._check_identity()
        self._check_backoffice()
        return self

    def _check_identity(self) -> None:
        if self.auth == "per_contact" and self.contacts_file is None:
            raise ValueError("CRMCOM_CONTACTS_FILE is missing: CRMCOM_AUTH=per_contact asks for it")
        if self.auth == "service" and not self.username:
            raise ValueError("CRMCOM_USERNAME is missing")
        if self.auth == "service" and not self.password:
            raise ValueError("CRMCOM_PASSWORD is missing")

    def _check_backoffice(self) -> None:
        if self.contact_ids == "backoffice" and self.backoffice_url is None:
            raise ValueError("CRMCOM_BACKOFFICE_URL is missing: CRMCOM_CONTACT_IDS asks for it")
        if self.contact_ids == "backoffice" and self.secret_key is None:
            raise ValueError("CRMCOM_SECRET_KEY is missing: the Back-Office API asks for it")
        if bool(self.backoffice_username) != bool(self.backoffice_password):
            raise ValueError("CRMCOM_BACKOFFICE_USERNAME and _PASSWORD go together")


class RocsSettings(SourceSettings):
    """ROCS: its vendor publishes the contact lookups only, so that the rest is settings."""

    token_url: ApiUrl
    client_id: str
    client_secret: SecretStr
    resource: str | None = None
    scope: str | None = None
    contacts_path: ApiPath = "/CustomerAPI/v1/Contacts"
    contacts_mode: Literal["list", "lookup"] = "list"
    page_param: str = "page"
    size_param: str = "pageSize"
    result_key: str | None = None
    activity_path: ApiPath | None = None
    lists_path: ApiPath | None = None
    campaigns_path: ApiPath | None = None
    dynamic_path: ApiPath | None = None
    update_path: ApiPath | None = None
    dynamic_update_path: ApiPath | None = None
    push_fields: JsonFields = Field(default_factory=dict)

    @check(mode="after")
    def _complete(self) -> Self:
        if bool(self.resource) == bool(self.scope):
            raise ValueError(
                "exactly one of ROCS_RESOURCE (Azure v1) and ROCS_SCOPE (v2) should be set"
            )
        if self.page_param == self.size_param:
            raise ValueError("ROCS_PAGE_PARAM and ROCS_SIZE_PARAM should differ")
        is_path_known = bool(self.dynamic_path or self.dynamic_update_path)
        if not is_path_known and any(".dynamic_fields." in name for name in self.push_fields):
            raise ValueError("ROCS_DYNAMIC_PATH is missing: ROCS_PUSH_FIELDS asks for it")
        return self

    def path_of(self, entity: str) -> str | None:
        """Return where an entity (or `dynamic_fields`) is found; None while it is not known."""
        path: str | None = getattr(self, ROCS_PATHS[entity])
        return path

    def missing_for(self, entity: str) -> str | None:
        """Return the variable that would tell where an entity is found; None if it is known."""
        return None if self.path_of(entity) else f"ROCS_{ROCS_PATHS[entity].upper()}"


class RosaasSettings(SourceSettings):
    """RoSaaS: the external-system API of one product."""

    client_id: str
    client_secret: SecretStr
    # Whether what a lifecycle call asked for is reported as done without a person asking for it.
    auto_confirm: ConfirmationMode = "off"
