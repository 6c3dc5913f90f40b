"""Checks of single values: addresses, paths, intervals. Their messages never show the value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
_LONGEST_NAME = 255
_STREAM = re.compile(r"[a-z]+/[a-z_]+", re.ASCII)
_PUSH_MODEL = re.compile(r"([a-z_0-9]+):([a-z]+/[a-z_]+)(?:=(held|automatic))?", re.ASCII)
_KEYS = re.compile(r"[!-+\--~]+(?:\s*,\s*[!-+\--~]+)*", re.ASCII)
_PUSHED_FIELD = re.compile(r"([a-z]+/[a-z_]+/)?[a-z_]+(\.[^,=]+)?", re.ASCII)
_JSON_OF_ROCS = re.compile(
    r"attributes\.contactInterests=array|"
    r"attributes\.dynamic_fields\.[^,=]+=(string|number|boolean|object|array|any)"
)
_PATH = re.compile(r"(?:/[\w.~!$&'()*+,;=:@%-]+)+/?", re.ASCII)


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
    if "{" in url or "}" in url:
        raise ValueError("should have its {placeholder} replaced by your own value")
    return url.rstrip("/")


def _api_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("should be a path such as /ListAPI/v1/Lists, without a query")
    return path


def _postgres_url(url: SecretStr) -> SecretStr:
    due = "postgresql://user:password@host:port/database"
    parts = _split_url(url.get_secret_value(), schemes={"postgresql", "postgres"}, due=due)
    if not parts.path.strip("/"):
        raise ValueError(f"should be {due}")
    return url


def _alert_urls(urls: SecretStr) -> SecretStr:
    if "://" not in urls.get_secret_value():
        raise ValueError("should be apprise URLs such as json://host/path, a blank between them")
    return urls


def _webhook_keys(keys: SecretStr) -> SecretStr:
    if not _KEYS.fullmatch(keys.get_secret_value()):
        raise ValueError("should be keys of printable ASCII without blanks, a comma between two")
    return keys


def _cron_minutes(minutes: int) -> int:
    # A cron line restarts at each hour and day: another step would leave uneven gaps.
    whole_hours = minutes % MINUTES_PER_HOUR == 0 and MINUTES_PER_DAY % minutes == 0
    if whole_hours or MINUTES_PER_HOUR % minutes == 0:
        return minutes
    raise ValueError("should divide an hour, or be whole hours that divide a day")


def _drift_policy(text: str) -> dict[str, str]:
    policies = {"": "warn"}
    for part in text.split(","):
        stream, _, policy = part.rpartition("=")
        policies[stream.strip()] = policy.strip()
    if not policies.keys() <= {"", *filter(_STREAM.fullmatch, policies)}:
        raise ValueError("should be like warn,crmcom/contacts=fail")
    return policies


@dataclass(frozen=True, slots=True)
class PushModel:
    """A view in the schema `push` whose columns are fields of a stream.

    What differs goes to the source by itself when it ``is_automatic``, else after approval.
    """

    name: str
    stream: str
    is_automatic: bool


def _push_models(value: object) -> object:
    if not isinstance(value, str):
        return value
    lines = [part.strip() for part in value.split(",") if part.strip() != "none"]
    found = [_PUSH_MODEL.fullmatch(line) for line in lines]
    if not all(found):
        raise ValueError("should be like rocs_corrections:crmcom/contacts=held, or none")
    return tuple(PushModel(m[1], m[2], m[3] == "automatic") for m in found if m)


def _conflict_policy(text: str) -> dict[str, str]:
    policies = {"": "hold"}
    for part in text.split(","):
        name, _, policy = part.rpartition("=")
        policies[name.strip()] = policy.strip()
    if not policies.keys() <= {"", *filter(_PUSHED_FIELD.fullmatch, policies)}:
        raise ValueError("should be like hold,email=ours,rocs/contacts/phone=theirs")
    return policies


def _confirmation(value: object) -> object:
    # As any other switch is written.
    words = dict.fromkeys(("1", "true", "yes"), "on") | dict.fromkeys(("0", "false", "no"), "off")
    word = str(value).lower()
    return words.get(word, word)


def _json_fields(value: object) -> object:
    if not isinstance(value, str):
        return value
    lines = [part.strip() for part in value.split(",")]
    if not all(_JSON_OF_ROCS.fullmatch(line) for line in lines):
        raise ValueError(
            "should be like attributes.contactInterests=array,attributes.dynamic_fields.size=number"
        )
    return {name: json_type for name, _, json_type in (line.rpartition("=") for line in lines)}


ApiUrl = Annotated[str, AfterValidator(_api_url)]
ApiPath = Annotated[str, AfterValidator(_api_path)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
AlertUrls = Annotated[SecretStr, AfterValidator(_alert_urls)]
WebhookKeys = Annotated[SecretStr, AfterValidator(_webhook_keys)]
CronMinutes = Annotated[int, AfterValidator(_cron_minutes)]
DriftPolicy = Literal["keep", "warn", "fail"]
# By stream; what is under no name holds for the others.
DriftPolicies = Annotated[Mapping[str, DriftPolicy], BeforeValidator(_drift_policy)]
PushModels = Annotated[tuple[PushModel, ...], BeforeValidator(_push_models)]
ConflictPolicy = Literal["hold", "ours", "theirs"]
# By field, with or without its stream; what is under no name holds for the others.
ConflictPolicies = Annotated[Mapping[str, ConflictPolicy], BeforeValidator(_conflict_policy)]

JsonType = Literal["string", "number", "boolean", "object", "array", "any"]
# The JSON type of each field of ROCS that may be written as JSON.
JsonFields = Annotated[Mapping[str, JsonType], BeforeValidator(_json_fields)]
AutoConfirm = Literal["off", "held", "on"]
ConfirmationMode = Annotated[AutoConfirm, BeforeValidator(_confirmation)]


def conflicts_are_held() -> Mapping[str, ConflictPolicy]:
    """Return the policy for all fields where none is set."""
    return {"": "hold"}


def drift_is_warned_of() -> Mapping[str, DriftPolicy]:
    """Return the policy for all streams where none is set."""
    return {"": "warn"}


def _home_path(path: Path) -> Path:
    # Any look at such a path is an error of the system.
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise ValueError(f"should have no part of more than {_LONGEST_NAME} bytes")
    return path


HomePath = Annotated[Path, AfterValidator(_home_path)]
