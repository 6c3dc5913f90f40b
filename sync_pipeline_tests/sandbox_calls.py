"""CRM.COM's server of the sandbox and its truth, asked without a socket."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from sync_pipeline.sandbox.crmcom_api import CrmcomApi
from sync_pipeline.sandbox.denial import Denial
from sync_pipeline.sandbox.live import LiveWorld
from sync_pipeline.sandbox.truth import TruthApi
from sync_pipeline.sandbox.wire import Reply, Request
from sync_pipeline.sandbox.world import World

Json = dict[str, Any]
SERVICE = ("service@sandbox.example", "sandbox-password")


class Crmcom:
    """One version of the API over one world; each call carries the token as the vendor asks."""

    def __init__(self, world: World, version: str) -> None:
        self.world = world
        self.version = version
        self._api = CrmcomApi(LiveWorld(world), Denial())
        self.token = str(self.log_in()["access_token"])

    def send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        body: object = None,
    ) -> tuple[int, Any]:
        """Return the status and the decoded body of one request."""
        given = [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()]
        segments = ("self-service", self.version, *path.strip("/").split("/"))
        sent = b"" if body is None else json.dumps(body).encode()
        query = urlencode(params or {}).encode()
        reply = self._api.reply(Request(method, segments, query, given, sent))
        return reply.status, json.loads(reply.body)

    def log_in(self, username: str = SERVICE[0], password: str = SERVICE[1]) -> Json:
        """Return the answer to a login by e-mail."""
        body = {"provider": "EMAIL", "username": username, "password": password}
        headers = {"api_key": "sandbox-api-key"}
        answer: Json = self.send("POST", "contacts/authenticate", headers=headers, body=body)[1]
        return answer

    def get(self, path: str, token: str | None = None, /, **params: str | int) -> tuple[int, Any]:
        """Return the status and the decoded body, the token in the header of this call."""
        headers = self._headers(path, self.token if token is None else token)
        return self.send("GET", path, params=params, headers=headers)

    def contact(self, index: int) -> Json:
        """Return the answer for the contact at this place of the world."""
        status, answer = self.get(f"contacts/{self.world.contact_id(index)}")
        assert status == 200
        return dict(answer)

    def every_communication(self, index: int, **params: str | int) -> list[Json]:
        """Return all of that contact's list, page by page, oldest first."""
        rows: list[Json] = []
        path = f"contacts/{self.world.contact_id(index)}/communications"
        while True:
            page = len(rows) // 100 + 1
            asked: dict[str, str | int] = {"size": 100, "page": page, "order": "ASC"}
            status, answer = self.get(path, **asked | params)
            assert status == 200
            rows += answer["content"] or []
            if len(rows) == answer["paging"]["total"]:
                return rows

    def _headers(self, path: str, token: str) -> dict[str, str]:
        parts = path.strip("/").split("/")
        if self.version == "v2" or (parts[0] == "contacts" and len(parts) == 2):
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": token} if parts[-1] == "communications" else {"auth_token": token}


def truth(world: World, path: str, query: str = "") -> Reply:
    """Return what `/_sandbox/{path}` answers."""
    api = TruthApi(LiveWorld(world), "http://127.0.0.1:9", 0.0, "v1")
    return api.reply(Request("GET", ("_sandbox", *path.split("/")), query.encode(), (), b""))


def true_rows(world: World, entity: str, version: str) -> list[Json]:
    """Return the rows of CRM.COM that a perfect reader of this version holds."""
    chunks = truth(world, f"world/{entity}", f"version={version}").chunks
    rows: list[Json] = json.loads(b"".join(chunks or ()))
    return [row for row in rows if row["source"] == "crmcom"]
