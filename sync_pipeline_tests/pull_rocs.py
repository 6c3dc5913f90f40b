"""ROCS behind the scripted server: lists, lookups and dynamic fields that a test sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from sync_pipeline.settings import RocsSettings
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

LOGIN = "/a-tenant/oauth2/token"
CONTACTS = "/CustomerAPI/v1/Contacts"
ACTIVITY = "/CommunicationAPI/v1/Activities"
LISTS = "/ListAPI/v1/Lists"
CAMPAIGNS = "/CampaignAPI/v1/Campaigns"
DYNAMIC = "/CustomerAPI/v1/DynamicFields"
_BASE = "/rocs"
_KEYS = {"id": "id", "externalId": "externalId", "email": "email", "mobile": "phoneMobile"}

Row = dict[str, Any]
Answer = Row | Scripted
Stand = Callable[[Received], Scripted | None]


@dataclass(slots=True)
class Rocs:
    """What ROCS holds; change it at any time. ``stands_in`` may answer in its place."""

    server: ScriptedServer
    lists: dict[str, list[Row | bytes]] = field(default_factory=dict)
    dynamic: dict[str, Answer] = field(default_factory=dict)
    page_size: int = 100
    stands_in: Stand = lambda _request: None

    def serve(self) -> None:
        """Answer from now on, with lists that hold nothing yet."""
        self.server.script("POST", LOGIN, Scripted.json({"access_token": "token-1"}))
        for path in (CONTACTS, ACTIVITY, LISTS, CAMPAIGNS):
            self.lists[path] = []
            self.server.respond("GET", f"{_BASE}{path}", self._list)
        self.server.respond("GET", f"{_BASE}{DYNAMIC}", self._dynamic)

    def hold(self, path: str, rows: Sequence[Row | bytes]) -> None:
        self.lists[path] = list(rows)

    def pages(self, path: str) -> list[int]:
        """Return the pages of a list that were asked for, in order."""
        asked = self.server.of("GET", f"{_BASE}{path}")
        return [int(request.query["page"]) for request in asked if "page" in request.query]

    def lookups(self) -> list[tuple[str, str]]:
        """Return by what contacts were looked up, in order."""
        asked = self.server.of("GET", f"{_BASE}{CONTACTS}")
        return [item for request in asked for item in request.query.items() if item[0] in _KEYS]

    def dynamic_requests(self) -> list[str]:
        """Return whose dynamic fields were asked for, in the order of the ids."""
        return sorted(r.query["id"] for r in self.server.of("GET", f"{_BASE}{DYNAMIC}"))

    def settings(self, **changed: Any) -> RocsSettings:  # noqa: ANN401 -- pydantic checks them
        """Return settings that point here, with every path but that of the dynamic fields."""
        values: dict[str, Any] = {
            "base_url": f"{self.server.url}{_BASE}",
            "token_url": f"{self.server.url}{LOGIN}",
            "client_id": "client-7",
            "client_secret": SecretStr("the-client-secret"),
            "resource": "a-resource",
            "activity_path": ACTIVITY,
            "lists_path": LISTS,
            "campaigns_path": CAMPAIGNS,
            "page_size": 100,
        }
        return RocsSettings(**values | changed)

    def _list(self, request: Received) -> Scripted:
        stood_in = self.stands_in(request)
        if stood_in is not None:
            return stood_in
        rows = self.lists[request.path.removeprefix(_BASE)]
        if "page" not in request.query:
            return _found(rows, request)
        number, size = int(request.query["page"]), self.page_size
        shown = rows[(number - 1) * size : number * size]
        items = b",".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in shown)
        return Scripted(200, b'{"items":[%b],"totalCount":%d}' % (items, len(rows)))

    def _dynamic(self, request: Received) -> Scripted:
        held = self.dynamic.get(request.query["id"], Scripted(404))
        return held if isinstance(held, Scripted) else Scripted.json(held)


def _found(rows: Sequence[Row | bytes], request: Received) -> Scripted:
    ((by, value),) = request.query.items()
    for row in rows:
        if isinstance(row, dict) and str(row.get(_KEYS[by])) == value:
            return Scripted.json(row)
    return Scripted.json(None)
