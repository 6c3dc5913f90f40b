"""The only reader of the environment (and of `.env`): every variable, its default, its check.

Nothing is read at import. A wrong or missing value becomes one `SettingsError` that names the
variable and never shows its value, since the value may be a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as check

from sync_pipeline.errors import SettingsError

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
INTERVAL_MINUTES = 15
G = TypeVar("G", bound=BaseModel)


def is_loopback(url: str) -> bool:
    """Tell whether ``url`` points at this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _split_url(url: str, *, schemes: set[str], due: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Looked at, because a port that is no number is noticed only then.
        is_whole = bool(parts.hostname and parts.scheme in schemes and parts.port != 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"should be {due}")
    return parts


def _api_url(url: str) -> str:
    parts = _split_url(url, schemes={"http", "https"}, due="a URL such as https://host/path")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("should start with https:// (plain http only for this machine)")
    if parts.username or parts.password or parts.query:
        raise ValueError("should hold no user, password or query")
    return url.rstrip("/")


def _postgres_url(url: SecretStr) -> SecretStr:
    due = "postgresql://user:password@host:port/database"
    parts = _split_url(url.get_secret_value(), schemes={"postgresql", "postgres"}, due=due)
    if not parts.path.strip("/"):
        raise ValueError(f"should be {due}")
    return url


def _cron_minutes(minutes: int) -> int:
    # A cron line restarts at each hour and day: another step would leave uneven gaps.
    whole_hours = minutes % MINUTES_PER_HOUR == 0 and MINUTES_PER_DAY % minutes == 0
    if whole_hours or MINUTES_PER_HOUR % minutes == 0:
        return minutes
    raise ValueError("should divide an hour, or be whole hours that divide a day")


ApiUrl = Annotated[str, AfterValidator(_api_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SourceSettings(_Group):
    """What every source has: where it is and how politely it is read."""

    base_url: ApiUrl
    requests_per_second: float = Field(default=5, gt=0)
    max_in_flight: int = Field(default=4, ge=1, le=256)
    page_size: int = Field(default=100, ge=1, le=1000)
    timeout_s: float = Field(default=60, gt=0)
    interval_minutes: Annotated[int, Field(ge=1), AfterValidator(_cron_minutes)] = INTERVAL_MINUTES

    @check(mode="before")
    @classmethod
    def _loopback_needs_no_politeness(cls, values: dict[str, object]) -> dict[str, object]:
        if is_loopback(str(values.get("base_url", ""))):
            return {"requests_per_second": 2000, "max_in_flight": 64} | values
        return values


class CrmcomSettings(SourceSettings):
    """CRM.COM: the Self Service API, and where contact ids come from."""

    api_key: SecretStr
    username: str
    password: SecretStr
    auth: Literal["service"] = "service"
    header_scheme: Literal["auto", "bearer", "raw", "auth_token"] = "auto"
    contact_ids: Literal["backoffice", "registry"] = "registry"
    contacts_file: Path | None = None
    backoffice_url: ApiUrl | None = None
    secret_key: SecretStr | None = None
    backoffice_username: str | None = None
    backoffice_password: SecretStr | None = None

    @check(mode="before")
    @classmethod
    def _backoffice_when_there_is_one(cls, values: dict[str, object]) -> dict[str, object]:
        return {"contact_ids": "backoffice"} | values if values.get("backoffice_url") else values

    @check(mode="after")
    def _complete(self) -> Self:
        if not self.base_url.endswith("/v1"):
            raise ValueError("CRMCOM_BASE_URL should end with /v1, the version this release reads")
        if self.contact_ids == "backoffice" and self.backoffice_url is None:
            raise ValueError("CRMCOM_BACKOFFICE_URL is missing: CRMCOM_CONTACT_IDS asks for it")
        if self.contact_ids == "backoffice" and self.secret_key is None:
            raise ValueError("CRMCOM_SECRET_KEY is missing: the Back-Office API asks for it")
        if bool(self.backoffice_username) != bool(self.backoffice_password):
            raise ValueError("CRMCOM_BACKOFFICE_USERNAME and _PASSWORD go together")
        if self.contacts_file is not None and not self.contacts_file.is_file():
            raise ValueError("CRMCOM_CONTACTS_FILE names no file")
        return self


class RosaasSettings(SourceSettings):
    """RoSaaS: the external-system API of one product."""

    client_id: str
    client_secret: SecretStr


class Settings(_Group):
    """Everything the environment says, checked."""

    sync_home: Path = Path(".sync")
    warehouse_url: PostgresUrl | None = None
    dagster_pg_url: PostgresUrl | None = None
    postgres_bin: Path | None = None
    staleness_bound_hours: float = Field(default=24, gt=0)
    run_slice_seconds: float = Field(default=240, gt=0)
    ui_port: int = Field(default=3000, ge=1, le=65535)
    sandbox_port: int = Field(default=8765, ge=1, le=65535)
    crmcom: CrmcomSettings | None = None
    rosaas: RosaasSettings | None = None

    def of_source(self, source: str) -> SourceSettings | None:
        """Return the settings of a source by its name; None while it is off."""
        by_name: dict[str, SourceSettings | None] = {"crmcom": self.crmcom, "rosaas": self.rosaas}
        return by_name[source]

    @property
    def is_any_source_on(self) -> bool:
        """Whether a real source (or one that looks real) is configured."""
        return any(self.of_source(source) for source in _GROUPS)


_GROUPS: dict[str, type[SourceSettings]] = {"crmcom": CrmcomSettings, "rosaas": RosaasSettings}


def environment(folder: Path | None = None) -> dict[str, str]:
    """Return the process's environment over the `.env` of ``folder`` (default: working folder).

    ``NAME_FILE`` is replaced by ``NAME`` with that file's content.
    """
    dotenv = _dotenv((folder or Path.cwd()) / ".env")
    merged = {name: value for name, value in (dotenv | os.environ).items() if value}
    known = _known_variables()
    for name in known & {key.removesuffix("_FILE") for key in merged if key.endswith("_FILE")}:
        merged[name] = _secret_from_file(f"{name}_FILE", merged.pop(f"{name}_FILE"))
    return merged


def _dotenv(path: Path) -> dict[str, str | None]:
    try:
        return dict(dotenv_values(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: not readable as text in UTF-8") from exc


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Check ``environ`` and return the settings; raise SettingsError naming what is wrong."""
    values: dict[str, object] = dict(_values_of(Settings, "", environ))
    for source, group in _GROUPS.items():
        prefix = f"{source.upper()}_"
        if environ.get(f"{prefix}BASE_URL"):
            values[source] = _checked(group, prefix, _values_of(group, prefix, environ))
    settings = _checked(Settings, "", values)
    return settings.model_copy(update={"sync_home": settings.sync_home.expanduser().absolute()})


def _known_variables() -> frozenset[str]:
    grouped = {f"{s.upper()}_{f.upper()}" for s, g in _GROUPS.items() for f in g.model_fields}
    return frozenset(grouped | {f.upper() for f in Settings.model_fields if f not in _GROUPS})


def _values_of(group: type[BaseModel], prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    names = {field: f"{prefix}{field.upper()}" for field in group.model_fields}
    return {field: environ[name] for field, name in names.items() if environ.get(name)}


def _secret_from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
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
