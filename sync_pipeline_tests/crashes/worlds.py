"""The two states of the world that is read, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from sync_pipeline_tests.sandbox_process import Json, change, world

CONTACTS = 6
_TOO_DEEP = 120


@dataclass(frozen=True, slots=True)
class _Kind:
    """One stream, and what an update of it does; ``is_under``: its rows belong to a contact.

    ``breakable`` is a member of its records that anything can be put into.
    """

    source: str
    entity: str
    key: str
    fields: Mapping[str, object]
    is_under: bool = False
    breakable: str = ""


_KINDS = (
    _Kind("rosaas", "plans", "plan", {"display_name": "Another"}),
    _Kind("rosaas", "specifications", "specification", {"description": "Another"}),
    _Kind("rosaas", "tenants", "tenant_name", {"display_name": "Another"}, breakable="odd"),
    _Kind("rocs", "contact_lists", "list_id", {"member_count": 7}),
    _Kind("rocs", "campaigns", "campaign_id", {"sent_count": 7}, breakable="odd"),
    _Kind("rocs", "communications", "communication_id", {"subject": "Another"}, is_under=True),
    _Kind("rocs", "contacts", "contact_id", {"first_name": "Another"}),
    _Kind("crmcom", "communications", "communication_id", {"subject": "Another"}, is_under=True),
    _Kind(
        "crmcom",
        "approval_requests",
        "approval_request_id",
        {"entity_reference": "Z"},
        is_under=True,
    ),
    # Last: what hangs under a contact goes with it.
    _Kind("crmcom", "contacts", "contact_id", {"first_name": "Another"}, breakable="custom_fields"),
)


def settle_first(client: httpx.Client) -> None:
    """Bring a sandbox to the first state: of some streams two records break the contract."""
    change(client, *_broken(client, 0, 2))


def settle_second(client: httpx.Client) -> None:
    """Bring a sandbox to the second state.

    Of the broken ones one is sound and another is broken; in every stream some rows are updated,
    inserted and deleted, few enough for the cap on deletions.
    """
    asked = _broken(client, 1, 3)
    for kind in _KINDS:
        rows = world(client, kind.entity, kind.source)
        asked += [_change(kind, "update", id=r[kind.key], fields=kind.fields) for r in rows[3:5]]
        asked.append(_change(kind, "delete", id=rows[-1][kind.key]))
        owner = {"contact_id": rows[0]["contact_id"]} if kind.is_under else {}
        asked += [_change(kind, "insert", fields=owner) for _ in range(2)]
    change(client, *asked)


def _broken(client: httpx.Client, first: int, beyond: int) -> list[Json]:
    deep: object = "the end"
    for _ in range(_TOO_DEEP):
        deep = [deep]
    return [
        _change(kind, "update", id=row[kind.key], fields={"attributes": {kind.breakable: deep}})
        for kind in _KINDS
        if kind.breakable
        for row in world(client, kind.entity, kind.source)[first:beyond]
    ]


def _change(kind: _Kind, action: str, **rest: object) -> Json:
    return {"source": kind.source, "entity": kind.entity, "action": action, **rest}
