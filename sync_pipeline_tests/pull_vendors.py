"""The vendors behind one scripted server, with rows that a test sets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sync_pipeline.settings import CrmcomSettings, RosaasSettings, Settings
from sync_pipeline_tests.pull_rocs import Rocs
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

SELF_SERVICE = "/self-service/v1/contacts"
SELF_SERVICE_V2 = "/self-service/v2/contacts"
COMMUNICATIONS = "/self-service/v1/communications"
BACKOFFICE = "/backoffice/v1/contacts"
TENANTS = "/api/management/apps/v1/tenants"
PLANS = "/api/management/apps/v1/plans"
SPECIFICATIONS = "/api/management/apps/v1/specifications"
LOGINS = (
    f"{SELF_SERVICE}/authenticate",
    "/backoffice/v1/users/authenticate",
    f"{SELF_SERVICE_V2}/authenticate",
)
ROSAAS_LOGIN = "/api/identity/apps/v1/auth"

DENIED = Scripted.json({"status": 403, "message": "no", "error": "FORBIDDEN"}, 403)
NOT_FOUND = Scripted.json({"status": 400, "error": "CRM.EXCEPTIONS.NOTFOUNDEXCEPTION"}, 400)
REFUSED = Scripted.json({"status": 422, "message": "no", "error": "PARAMETER"}, 422)
WRONG_ANSWER = Scripted(200, b"<html>Maintenance</html>", {"Content-Type": "text/html"})
# A wait that long ends the retries at once.
# Not 503, which is about the whole API and not about one record.
UNAVAILABLE = Scripted(500, b"", {"Retry-After": "3600"})
UNAUTHORISED = Scripted.json({"status": 401, "message": "no", "error": "TOKEN"}, 401)

Row = dict[str, Any]


@dataclass(slots=True)
class Vendors:
    """What the vendors hold; change it at any time. An answer may stand in for rows."""

    server: ScriptedServer
    ids: list[Row] | Scripted = field(default_factory=list)
    contacts: dict[str, Row | bytes | Scripted] = field(default_factory=dict)
    communications: dict[str, list[Row | bytes] | Scripted] = field(default_factory=dict)
    messages: dict[str, Row | bytes | Scripted] = field(default_factory=dict)
    """The answers for single communications (v1)."""
    approval_requests: dict[str, list[Row | bytes] | Scripted] = field(default_factory=dict)
    tenants: list[Row] | Scripted = field(default_factory=list)
    details: dict[str, Row | Scripted | None] = field(default_factory=dict)
    page_size: int = 100
    has_filter: bool = True
    """Whether lists are filtered by creation time where that is asked for."""
    rocs: Rocs = field(init=False)

    def __post_init__(self) -> None:
        self.rocs = Rocs(self.server)

    def hold_contacts(self, *ids: str) -> None:
        """Hold these contacts, each with its list of communications, and list them."""
        self.ids = [{"id": contact_id} for contact_id in ids]
        for contact_id in ids:
            self.hold_contact(contact_id, {"id": contact_id, "first_name": f"Name {contact_id}"})
            self.hold_communications(contact_id, [])

    def hold_contact(self, contact_id: str, answer: Row | bytes | Scripted) -> None:
        self.contacts[contact_id] = answer
        for base in (SELF_SERVICE, SELF_SERVICE_V2):
            self.server.respond("GET", f"{base}/{contact_id}", self._contact)

    def hold_communications(self, contact_id: str, rows: Sequence[Row | bytes] | Scripted) -> None:
        held = rows if isinstance(rows, Scripted) else list(rows)
        self.communications[contact_id] = held
        for base in (SELF_SERVICE, SELF_SERVICE_V2):
            path = f"{base}/{contact_id}/communications"
            self.server.respond("GET", path, self._communications)

    def hold_message(self, message_id: str, answer: Row | bytes | Scripted) -> None:
        """Hold the answer for one communication."""
        self.messages[message_id] = answer
        self.server.respond("GET", f"{COMMUNICATIONS}/{message_id}", self._message)

    def hold_approval_requests(
        self, contact_id: str, rows: Sequence[Row | bytes] | Scripted
    ) -> None:
        held = rows if isinstance(rows, Scripted) else list(rows)
        self.approval_requests[contact_id] = held
        path = f"{SELF_SERVICE}/{contact_id}/approval_requests"
        self.server.respond("GET", path, self._approval_requests)

    def hold_tenants(self, *rows: Row) -> None:
        """Hold these tenants, each with an own answer that says the same and some metadata."""
        self.tenants = list(rows)
        for row in rows:
            self.hold_detail(row["systemName"], row | {"metadata": json.dumps({"n": 1})})

    def hold_detail(self, name: str, answer: Row | Scripted | None) -> None:
        self.details[name.lower()] = answer
        self.server.respond("GET", f"{TENANTS}/{name.lower()}", self._tenant)

    def asked(self, path: str) -> int:
        return self.server.count("GET", path)

    def contact_requests(self) -> list[str]:
        """Return the ids whose own answer was asked for, in order."""
        return self._last_segments(SELF_SERVICE, depth=1)

    def message_requests(self) -> list[str]:
        """Return the communications whose own answer was asked for, in the order of their ids."""
        return sorted(self._last_segments(COMMUNICATIONS, depth=1))

    def list_requests(self, contact_id: str, base: str = SELF_SERVICE) -> list[dict[str, str]]:
        """Return the queries that came for a contact's communications, without what is constant."""
        constant = {"sort", "order", "size"}
        return [
            {name: value for name, value in request.query.items() if name not in constant}
            for request in self.server.of("GET", f"{base}/{contact_id}/communications")
        ]

    def detail_requests(self) -> list[str]:
        """Return the names whose own answer was asked for; the order is nobody's promise."""
        return sorted(self._last_segments(TENANTS, depth=1))

    def forget_requests(self) -> None:
        self.server.received.clear()

    def _last_segments(self, path: str, *, depth: int) -> list[str]:
        rests = [
            r.path.removeprefix(f"{path}/").split("/")
            for r in self.server.received
            if r.method == "GET" and r.path.startswith(f"{path}/")
        ]
        return [rest[-1] for rest in rests if len(rest) == depth]

    def _contact(self, request: Received) -> Scripted:
        return _one(self.contacts[request.path.rpartition("/")[2]])

    def _communications(self, request: Received) -> Scripted:
        return self._page(self.communications[request.path.split("/")[-2]], request)

    def _message(self, request: Received) -> Scripted:
        return _one(self.messages[request.path.rpartition("/")[2]])

    def _approval_requests(self, request: Received) -> Scripted:
        return self._page(self.approval_requests[request.path.split("/")[-2]], request)

    def list_ids(self, request: Received) -> Scripted:
        return self._page(self.ids, request)

    def list_tenants(self, _request: Received) -> Scripted:
        return self.tenants if isinstance(self.tenants, Scripted) else _enveloped(self.tenants)

    def _tenant(self, request: Received) -> Scripted:
        held = self.details[request.path.rpartition("/")[2]]
        return held if isinstance(held, Scripted) else _enveloped(held)

    def _page(self, rows: Sequence[Row | bytes] | Scripted, request: Received) -> Scripted:
        if isinstance(rows, Scripted):
            return rows
        since, until = (request.query.get(f"created_on[{op}]") for op in ("gte", "lt"))
        if since is not None and self.has_filter:
            rows = [r for r in rows if isinstance(r, dict) and r["created_on"] >= int(since)]
        if until is not None and self.has_filter:
            rows = [r for r in rows if isinstance(r, dict) and r["created_on"] < int(until)]
        number = int(request.query["page"])
        shown = rows[(number - 1) * self.page_size : number * self.page_size]
        content = b",".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in shown)
        paging = json.dumps({"page": number, "size": len(shown), "total": len(rows)}).encode()
        return Scripted(200, b'{"content":[' + content + b'],"paging":' + paging + b"}")

    def settings(
        self,
        *,
        contacts_file: Path | None = None,
        crmcom: Mapping[str, Any] | None = None,
        rocs: Mapping[str, Any] | None = None,
        **others: Any,  # noqa: ANN401 -- pydantic checks them
    ) -> Settings:
        """Return settings that point here; ids from the file where one is given."""
        backoffice: dict[str, Any] = {
            "backoffice_url": f"{self.server.url}/backoffice/v1",
            "secret_key": SecretStr("the-secret-key"),
        }
        ids = {"contacts_file": contacts_file} if contacts_file else backoffice
        connection: dict[str, Any] = {
            "base_url": f"{self.server.url}/self-service/v1",
            "api_key": SecretStr("the-api-key"),
            "username": "service@example.com",
            "password": SecretStr("the-password"),
            "max_in_flight": 8,
        }
        rosaas = RosaasSettings(
            base_url=self.server.url, client_id="client", client_secret=SecretStr("client-secret")
        )
        settled = CrmcomSettings(**connection | ids | dict(crmcom or {}))
        return Settings(
            crmcom=settled, rosaas=rosaas, rocs=self.rocs.settings(**rocs or {}), **others
        )

    def v2(self, **crmcom: Any) -> Settings:  # noqa: ANN401 -- pydantic checks them
        """Return settings of the API's second version."""
        return self.settings(crmcom={"base_url": f"{self.server.url}/self-service/v2"} | crmcom)


@contextmanager
def serving_vendors() -> Iterator[Vendors]:
    """Serve vendors that hold nothing yet."""
    with ScriptedServer() as server:
        vendors = Vendors(server)
        for path in LOGINS:
            server.script("POST", path, Scripted.json({"access_token": "token-1"}))
        token = {"data": {"token": {"accessToken": "token-1"}}, "metadata": {"success": True}}
        server.script("POST", ROSAAS_LOGIN, Scripted.json(token))
        server.respond("GET", BACKOFFICE, vendors.list_ids)
        server.respond("GET", TENANTS, vendors.list_tenants)
        vendors.rocs.serve()
        yield vendors


def _one(held: Row | bytes | Scripted) -> Scripted:
    if isinstance(held, Scripted):
        return held
    return Scripted(200, held if isinstance(held, bytes) else json.dumps(held).encode())


def _enveloped(data: object) -> Scripted:
    return Scripted.json({"data": data, "metadata": {"errors": [], "success": True}})
