"""What the vendors tell a receiver of webhooks, call by call; nothing is sent here.

RoSaaS makes lifecycle calls when a tenant comes into a status that asks for work, and sends event
webhooks by code; ROCS tells of contacts in a form that is made up, as its vendor publishes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from .columns import BadChangeError
from .wire import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rows import JsonObject, JsonValue

LIFECYCLE = (
    "creation",
    "activation",
    "deactivation",
    "deletion",
    "unavailable",
    "reset",
    "upgrade",
    "downgrade",
)
_WORDS = ("call", "tenant", "contact", "code", "envelope", "body", "key", "times")
_MOST_TIMES = 10_000
_REGISTERED, _STATUS_CHANGED = 1, 2
_LAST_CODE = 19
# By the status that asks for work: the call, and the status that a good answer leads to.
WORK = {
    2: ("creation", 3),
    5: ("activation", 6),
    8: ("deactivation", 9),
    11: ("deletion", 12),
}
_NAMES = {
    1: "Tenant.RegisteredInRosasDb",
    2: "Tenant.StatusChanged",
    3: "Tenant.AvailabilityChangedToHealthy",
    4: "Tenant.AvailabilityChangedToUnhealthy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """One call as it goes out; ``key_header`` is where the vendor puts the key."""

    source: str
    id: str | None
    method: str
    path: str
    body: bytes
    key_header: str
    # A wrong key, where one is asked for; the registered one otherwise.
    key: str | None = None
    times: int = 1
    # The status that a tenant comes into when the call is answered well.
    then: int | None = None


def lifecycle(call: str, tenant: str, *, then: int | None = None, **also: JsonValue) -> CallOut:
    """Return a lifecycle call; what is given beside the name stands flat beside it."""
    body: JsonObject = {**also, "tenantName": tenant}
    return CallOut(
        source="rosaas",
        id=tenant,
        method="POST",
        path=f"/api/integration/{call}",
        body=encode(body),
        key_header="api-key",
        then=then,
    )


def health_check(tenant: str) -> CallOut:
    """Return a health check: the vendor's code sends a body with the GET."""
    return CallOut(
        source="rosaas",
        id=tenant,
        method="GET",
        path=f"/api/integration/{quote(tenant, safe='')}/health-status",
        body=encode({"tenantName": tenant}),
        key_header="api-key",
    )


def coded(code: int, tenant: str | None, details: JsonObject, *, envelope: str = "new") -> CallOut:
    """Return an event webhook in its new envelope or the earlier one."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0")
    body: JsonObject = {"MetaData": {**details, "Date": at}}
    if tenant is not None:
        body["TenantSystemName"] = tenant
    if envelope == "new":
        body |= {"EventCode": code, "Event": _NAMES.get(code, f"Event{code}"), "Created": at}
    else:
        body["EventType"] = code
    return CallOut(
        source="rosaas",
        id=tenant,
        method="POST",
        path="/api/integration/events",
        body=encode(body),
        key_header="apiKey",
    )


def of_contact(contact_id: str, event: str) -> CallOut:
    """Return what ROCS tells of a contact."""
    body: JsonObject = {"eventType": event, "contactId": int(contact_id)}
    return CallOut(
        source="rocs",
        id=contact_id,
        method="POST",
        path="/webhooks/rocs",
        body=encode(body),
        key_header="Authorization",
    )


def calls_after(entry: JsonObject) -> Iterator[CallOut]:
    """Yield what the vendor tells of a change that was made, by its entry in the log."""
    key, after = str(entry["id"]), entry["after"]
    action = entry["action"]
    if (entry["source"], entry["entity"]) == ("rocs", "contacts"):
        yield of_contact(key, f"contact.{action}")
    if entry["entity"] != "tenants" or not isinstance(after, dict) or action == "delete":
        return
    status = after.get("status_code")
    if action == "insert":
        yield coded(_REGISTERED, key, {"Plan": after.get("plan")})
    elif isinstance(status, int):
        yield coded(_STATUS_CHANGED, key, {"NewTenantStatus": status})
    if isinstance(status, int) and status in WORK:
        call, then = WORK[status]
        yield lifecycle(call, key, then=then)


def call_asked(asked: JsonValue) -> CallOut:
    """Return the call that somebody asks for; raises BadChangeError.

    `{"call": "activation", "tenant": …}`, `{"call": "health", "tenant": …}`, `{"call": "event",
    "code": 3, "tenant": …}` (`"envelope": "old"` for the earlier one) or `{"call": "rocs",
    "contact": …}`; with `times`, with a wrong `key`, or with a `body` (text) of its own.
    """
    if not isinstance(asked, dict):
        raise BadChangeError("a call is an object")
    for word in asked:
        if word not in _WORDS:
            raise BadChangeError(f"{word!r} is no part of a call; there are {', '.join(_WORDS)}")
    call = _plain_call(asked)
    times, body, key = asked.get("times", 1), asked.get("body"), asked.get("key")
    if not isinstance(times, int) or not 1 <= times <= _MOST_TIMES:
        raise BadChangeError(f"times is a number up to {_MOST_TIMES}")
    return CallOut(
        source=call.source,
        id=call.id,
        method=call.method,
        path=call.path,
        body=call.body if body is None else str(body).encode(),
        key_header=call.key_header,
        key=None if key is None else str(key),
        times=times,
    )


def _plain_call(asked: JsonObject) -> CallOut:
    call, code = asked.get("call"), asked.get("code")
    tenant, contact = asked.get("tenant"), asked.get("contact")
    if call == "event":
        if not isinstance(code, int) or not 1 <= code <= _LAST_CODE:
            raise BadChangeError(f"code is a number up to {_LAST_CODE}")
        name = None if tenant is None else str(tenant)
        return coded(code, name, {}, envelope=str(asked.get("envelope", "new")))
    if call == "rocs" and isinstance(contact, str) and contact.isdecimal():
        return of_contact(contact, "contact.update")
    if isinstance(tenant, str) and call == "health":
        return health_check(tenant)
    if isinstance(tenant, str) and call in LIFECYCLE:
        return lifecycle(str(call), tenant, adminEmail="ada@example.com", seatLimit="12")
    known = ", ".join((*LIFECYCLE, "health", "event", "rocs"))
    raise BadChangeError(f"a call is one of {known}, with the tenant or the contact that it is of")
