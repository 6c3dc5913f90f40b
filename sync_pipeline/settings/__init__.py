"""The only reader of the environment (and of `.env`): every variable, its default, its check.

Nothing is read at import. A wrong or missing value becomes one `SettingsError` that names the
variable and never shows its value, since the value may be a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Self, TypeVar

from dotenv import dotenv_values
from pydantic import BaseModel, Field, ValidationError
from pydantic import model_validator as check

from sync_pipeline.errors import SettingsError
from sync_pipeline.settings.sources import (
    INTERVAL_MINUTES,
    CrmcomSettings,
    CrmcomVersion,
    Group,
    RocsSettings,
    RosaasSettings,
    SourceSettings,
)
from sync_pipeline.settings.values import (
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    AlertUrls,
    AutoConfirm,
    ConflictPolicies,
    ConflictPolicy,
    DriftPolicies,
    DriftPolicy,
    HomePath,
    PostgresUrl,
    PushModel,
    PushModels,
    WebhookKeys,
    conflicts_are_held,
    drift_is_warned_of,
    is_loopback,
)

__all__ = [
    "INTERVAL_MINUTES",
    "MINUTES_PER_DAY",
    "MINUTES_PER_HOUR",
    "AutoConfirm",
    "ConflictPolicy",
    "CrmcomSettings",
    "CrmcomVersion",
    "DriftPolicy",
    "PushModel",
    "RocsSettings",
    "RosaasSettings",
    "Settings",
    "SourceSettings",
    "environment",
    "is_loopback",
    "known_variables",
    "read_settings",
]

G = TypeVar("G", bound=BaseModel)


class Settings(Group):
    """Everything the environment says, checked."""

    sync_home: HomePath = Path(".sync")
    warehouse_url: PostgresUrl | None = None
    dagster_pg_url: PostgresUrl | None = None
    postgres_bin: Path | None = None
    staleness_bound_hours: float = Field(default=24, gt=0)
    max_delete_share: float = Field(default=0.05, ge=0, le=1)
    drift_policy: DriftPolicies = Field(default_factory=drift_is_warned_of)
    quarantine_warn_rows: int = Field(default=0, ge=0)
    quarantine_fail_share: float = Field(default=0.05, ge=0, le=1)
    push_max_share: float = Field(default=0.2, ge=0, le=1)
    push_models: PushModels = (
        PushModel("rocs_corrections", "crmcom/contacts", is_automatic=False),
    )
    run_slice_seconds: float = Field(default=240, gt=0)
    push_enabled: bool | None = None
    push_conflict_policy: ConflictPolicies = Field(default_factory=conflicts_are_held)
    push_grace_seconds: float = Field(default=60, ge=0)
    retention_days: float = Field(default=90, ge=1)
    run_retention_days: float = Field(default=30, ge=1)
    ui_port: int = Field(default=3000, ge=1, le=65535)
    sandbox_port: int = Field(default=8765, ge=1, le=65535)
    alert_urls: AlertUrls | None = None
    webhook_host: str = "127.0.0.1"
    webhook_port: int = Field(default=8787, ge=1, le=65535)
    webhook_api_key: WebhookKeys | None = None
    webhook_rocs_secret: WebhookKeys | None = None
    crmcom: CrmcomSettings | None = None
    rocs: RocsSettings | None = None
    rosaas: RosaasSettings | None = None

    @check(mode="after")
    def _ids_come_from_a_list(self) -> Self:
        asks_rocs = self.crmcom is not None and self.crmcom.contact_ids == "rocs"
        if asks_rocs and (self.rocs is None or self.rocs.contacts_mode != "list"):
            raise ValueError(
                "CRMCOM_CONTACT_IDS=rocs asks for ROCS_BASE_URL and ROCS_CONTACTS_MODE=list"
            )
        return self

    def of_source(self, source: str) -> SourceSettings | None:
        """Return the settings of a source by its name; None while it is off."""
        by_name: dict[str, SourceSettings | None] = {
            "crmcom": self.crmcom,
            "rocs": self.rocs,
            "rosaas": self.rosaas,
        }
        return by_name[source]

    def may_write_to(self, source: str) -> bool:
        """Whether updates are sent to a source: as PUSH_ENABLED says, else on loopback alone."""
        settings = self.of_source(source)
        if settings is None:
            return False
        return is_loopback(settings.base_url) if self.push_enabled is None else self.push_enabled

    def conflict_policy(self, stream: str, field: str) -> ConflictPolicy:
        """Return what holds for a field of which the source has another value than expected."""
        policies = self.push_conflict_policy
        own = policies.get(field, policies[""])
        return policies.get(f"{stream}/{field}", own)

    def missing_for(self, source: str, entity: str) -> str | None:
        """Return the variable without which a stream is off; None while it is on."""
        if self.of_source(source) is None:
            return f"{source.upper()}_BASE_URL"
        return self.rocs.missing_for(entity) if source == "rocs" and self.rocs else None

    @property
    def is_any_source_on(self) -> bool:
        """Whether a real source (or one that looks real) is configured."""
        return any(self.of_source(source) for source in _GROUPS)


_GROUPS: dict[str, type[SourceSettings]] = {
    "crmcom": CrmcomSettings,
    "rocs": RocsSettings,
    "rosaas": RosaasSettings,
}


def environment(folder: Path | None = None) -> dict[str, str]:
    """Return the process's environment over the `.env` of ``folder`` (default: working folder).

    ``NAME_FILE`` is replaced by ``NAME`` with that file's content.
    """
    dotenv = _dotenv((folder or Path.cwd()) / ".env")
    merged = {name: value for name, value in (dotenv | os.environ).items() if value}
    known = known_variables()
    for name in known & {key.removesuffix("_FILE") for key in merged if key.endswith("_FILE")}:
        merged[name] = _secret_from_file(f"{name}_FILE", merged.pop(f"{name}_FILE"))
    return merged


def _dotenv(path: Path) -> dict[str, str | None]:
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: not readable as text in UTF-8") from exc
    if "\0" in text:
        # UTF-16 without its mark is valid UTF-8 of other characters.
        raise SettingsError(f"{path}: not readable as text in UTF-8")
    return dict(dotenv_values(stream=StringIO(text)))


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Check ``environ`` and return the settings; raise SettingsError naming what is wrong."""
    own = _values_of(Settings, "", environ)
    values: dict[str, object] = {field: own[field] for field in own.keys() - _GROUPS.keys()}
    for source, group in _GROUPS.items():
        prefix = f"{source.upper()}_"
        if environ.get(f"{prefix}BASE_URL"):
            values[source] = _checked(group, prefix, _values_of(group, prefix, environ))
    settings = _checked(Settings, "", values)
    return settings.model_copy(update={"sync_home": settings.sync_home.expanduser().absolute()})


def known_variables() -> frozenset[str]:
    """Return the name of every variable that is read."""
    grouped = {f"{s.upper()}_{f.upper()}" for s, g in _GROUPS.items() for f in g.model_fields}
    return frozenset(grouped | {f.upper() for f in Settings.model_fields if f not in _GROUPS})


def _values_of(group: type[BaseModel], prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    names = {field: f"{prefix}{field.upper()}" for field in group.model_fields}
    return {field: environ[name] for field, name in names.items() if environ.get(name)}


def _secret_from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{variable}: the file it names cannot be read") from exc


def _checked(group: type[G], prefix: str, values: Mapping[str, object]) -> G:
    try:
        return group.model_validate(values)
    except ValidationError as exc:
        # The input is left out of the message: it may be a secret.
        said = [_complaint(prefix, error["loc"], error["msg"]) for error in exc.errors()]
        raise SettingsError("; ".join(said)) from None


def _complaint(prefix: str, location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ").replace("Field required", "is missing")
    return f"{prefix}{str(location[0]).upper()}: {text}" if location else text
