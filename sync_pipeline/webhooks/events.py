"""What a webhook says: which event, of which tenant or contact, and when it happened. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from sync_pipeline.mapping import rosaas
from sync_pipeline.records import Event
from sync_pipeline.webhooks.bodies import BadBodyError, Body, Json, Number, find
from sync_pipeline.webhooks.codes import (
    ALIASES,
    KINDS,
    KINDS_BY_STATUS,
    NAMES,
    STATUS_CHANGED,
)

UNKNOWN = "unknown"
NO_TENANT = "no tenant is named: nothing tells what is to be read again"
NO_CONTACT = "no contact is named: there is nothing to read again"
LONGEST_NAME = 200
# Anything but control characters, and not blanks alone.
TENANT_NAME = r"[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*"
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_EVENT_NAME = re.compile(r"[\w.:/-]{1,100}", re.ASCII)
_CODE = re.compile(r"\d{1,6}", re.ASCII)
# A whole number, as ROCS counts its contacts. It would be asked in vain for anything else, and
# what is no id may be a person's data, which is not to be written to logs.
_CONTACT_ID = re.compile(r"\d{1,19}", re.ASCII)
_LARGEST_ID = 2**63 - 1
_TIMES = ("created", "date", "changingdate", "creationdate", "cancellationtime")


def lifecycle_event(kind: str, body: Body) -> Event:
    """Return the event of a lifecycle call; raise BadBodyError where it names no tenant."""
    name = _tenant_name(body)
    if name is None:
        raise BadBodyError(400, "tenantName", "is required")
    return Event("rosaas", kind, kind, name, body.raw, body.text)


def coded_event(body: Body) -> Event:
    """Return the event of an event webhook, in either of its envelopes.

    One without a tenant is kept: the vendor sends it once, and its own sample has none.
    """
    name = _tenant_name(body)
    code, event = _code_and_name(body)
    details = body.find("metadata")
    members = details if isinstance(details, Mapping) else {}
    return Event(
        "rosaas",
        event,
        _kind(code, members),
        name,
        body.raw,
        body.text,
        _happened_at(body.members, members),
        None if name else NO_TENANT,
    )


def rocs_event(body: Body) -> Event:
    """Return the event of a ROCS webhook: no more than the contact's id is known of its shape."""
    named = body.find("eventtype", "event_type", "eventname", "event", "type")
    is_name = isinstance(named, str) and _EVENT_NAME.fullmatch(named)
    contact_id = _contact_id(body.members)
    return Event(
        "rocs",
        str(named) if is_name else UNKNOWN,
        "contact" if contact_id else "other",
        contact_id,
        body.raw,
        body.text,
        None,
        None if contact_id else NO_CONTACT,
    )


def _tenant_name(body: Body) -> str | None:
    name = body.find("tenantname", "tenantsystemname")
    if name is None:
        return None
    if not isinstance(name, str) or isinstance(name, Number):
        raise BadBodyError(400, "tenantName", "should be text")
    is_name = len(name) <= LONGEST_NAME and re.fullmatch(TENANT_NAME, name)
    if not is_name or _HALF_A_PAIR.search(name):
        raise BadBodyError(400, "tenantName", "should be a tenant's name")
    # The vendor compares names in lower case.
    return name.strip().lower()


def _code_and_name(body: Body) -> tuple[int | None, str]:
    """Return the event's code, where one is known, and the name to store it by."""
    given = body.find("eventcode", "eventtype")
    if given is not None and not isinstance(given, str):
        raise BadBodyError(400, "EventCode", "should be a code or a name")
    given = body.find("event") if given is None else given
    if not isinstance(given, str):
        return None, UNKNOWN
    if _CODE.fullmatch(given):
        code = int(given)
        return code, NAMES.get(code, f"code {code}")
    known = ALIASES.get(given.strip().lower())
    if known is not None:
        return known, NAMES[known]
    return None, given if _EVENT_NAME.fullmatch(given) else UNKNOWN


def _kind(code: int | None, details: Mapping[str, Json]) -> str:
    if code is None:
        return "other"
    if code == STATUS_CHANGED:
        return KINDS_BY_STATUS.get(_status(find(details, "newtenantstatus")), "status")
    return KINDS.get(code, "other")


def _status(given: Json) -> int:
    if not isinstance(given, str):
        return -1
    if _CODE.fullmatch(given):
        return int(given)
    return rosaas.STATUS_CODES.get(given.strip().upper(), -1)


def _happened_at(*places: Mapping[str, Json]) -> datetime | None:
    for members in places:
        given = find(members, *_TIMES)
        is_text = isinstance(given, str) and not isinstance(given, Number)
        at = _instant(str(given)) if is_text else None
        if at is not None:
            return at
    return None


def _instant(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written.strip())
        # Times of the vendor that say no zone are UTC.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _contact_id(members: Mapping[str, Json]) -> str | None:
    given = find(members, "contactid", "contact_id")
    for name in ("contact", "data"):
        inner = find(members, name)
        if given is None and isinstance(inner, Mapping):
            given = find(inner, "contactid", "contact_id", *(["id"] if name == "contact" else []))
    if not isinstance(given, str) or not _CONTACT_ID.fullmatch(given):
        return None
    number = int(given)
    return str(number) if number <= _LARGEST_ID else None
