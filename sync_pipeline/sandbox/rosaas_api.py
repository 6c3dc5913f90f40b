"""RoSaaS's protocol for external systems: the token call, tenants, plans and specifications."""

from __future__ import annotations

import json
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from . import access, render_rosaas
from .changes import update
from .estate import STEPS
from .rendered import Rendered
from .rosaas_writes import REPORTS, REQUESTS, Refused, status_after
from .tokens import is_valid_token, issue_token
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from .listing import Listing, R
    from .live import LiveWorld
    from .rows import JsonObject
    from .wire import Request

_SIGNING_KEY = "sandbox-rosaas-signing-key"
AUTH = ("api", "identity", "apps", "v1", "auth")
_MANAGEMENT = ("api", "management", "apps", "v1")
_SUCCESS = b',"metadata":{"errors":[],"success":true}}'
# This one answer is written by another serializer.
_PASCAL_SUCCESS = b',"Metadata":{"Errors":[],"Success":true}}'
_NO_DATA = b'{"data":null' + _SUCCESS
_KEPT = 65_536
# Plain text, whatever the header says.
_FAILED = Reply(500, b"An error has occurred. Error id: 0f8fad5bd9cb469fa16570867728950e")
_PROBLEM = b"application/problem+json; charset=utf-8"


class RosaasApi:
    """Keeps the bytes of what does not change."""

    def __init__(self, live: LiveWorld) -> None:
        self._live, self._tenants, seed = live, live.tenants, live.seed
        item, detail = partial(render_rosaas.list_item, seed), partial(render_rosaas.detail, seed)
        self._details = Rendered(live.tenants, detail, _KEPT)
        self._lists: dict[tuple[str, ...], Callable[[], Reply]] = {
            ("tenants",): _whole(live.tenants, item),
            ("plans",): _whole(live.plans, render_rosaas.plan),
            ("specifications",): _whole(live.specifications, render_rosaas.specification),
        }

    def reply(self, request: Request) -> Reply:
        """Route one request."""
        if request.segments == AUTH:
            return _authenticate(request) if request.method == "POST" else Reply(405)
        if request.segments[: len(_MANAGEMENT)] != _MANAGEMENT:
            return Reply(404)
        if not _is_authorised(request):
            return Reply(401)
        rest = request.segments[len(_MANAGEMENT) :]
        match request.method, *rest:
            case "GET", *_:
                return self._read(rest)
            case "POST", "tenants", name, *call:
                return self._write(request, name.lower(), "/".join(call))
        return Reply(405)

    def _write(self, request: Request, name: str, call: str) -> Reply:
        if call not in (*REPORTS, *REQUESTS, "metadata", "subscription/upgrade"):
            return Reply(404)
        if call in ("metadata", "failure") and not _is_json(request.body):
            return _malformed()
        tenant = self._tenants.find(name)
        if tenant is None:
            return _refusal("The tenant is missing or not yours", "1005", "TenantName")
        fields: JsonObject = {}
        if call == "metadata":
            fields["metadata"] = json.loads(request.body)
        elif call in REPORTS or call in REQUESTS:
            after = status_after(tenant, call)
            if isinstance(after, Refused):
                return _refusal(after.message, after.code, "")
            # A failure tells what failed by the step, which therefore stays.
            fields |= {"status_code": after, "step": STEPS.get(after, tenant.step)}
        change = update(self._live, ("rosaas", "tenants"), name, fields)
        return Reply(200, b"{" + _SUCCESS.lstrip(b","), change=change)

    def _read(self, rest: tuple[str, ...]) -> Reply:
        if len(rest) == 1:
            found = self._lists.get(rest)
            return found() if found else Reply(404)
        match rest:
            case ("tenants", name) | ("tenants", name, "status" | "metadata"):
                return self._of_tenant(name.lower(), rest[2:])
        return Reply(404)

    def _of_tenant(self, name: str, part: tuple[str, ...]) -> Reply:
        # The vendor lower-cases names and mostly answers 200 with null for an unknown one.
        place = self._tenants.place(name)
        if place is None:
            return _FAILED if part == ("metadata",) else Reply(200, _NO_DATA)
        if not part:
            return Reply(200, b'{"data":' + self._details.at(place) + _SUCCESS)
        tenant = self._tenants.row(place)
        if part == ("status",):
            return Reply(200, b'{"data":' + render_rosaas.status(tenant) + _SUCCESS)
        return Reply(200, b'{"Data":' + render_rosaas.metadata(tenant) + _PASCAL_SUCCESS)


def _whole(listing: Listing[R], render: Callable[[R], bytes]) -> Callable[[], Reply]:
    """Answer a whole list, which is put together again only after a change."""
    rendered = Rendered(listing, render, _KEPT)

    @lru_cache(maxsize=1)
    def reply(_revision: int) -> Reply:
        items = rendered.window(0, len(listing))
        return Reply(200, b'{"data":[' + b",".join(items) + b"]" + _SUCCESS)

    return lambda: reply(listing.revision)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _is_authorised(request: Request) -> bool:
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    return scheme.lower() == "bearer" and is_valid_token(_SIGNING_KEY, token)


def _authenticate(request: Request) -> Reply:
    body = request.json_object()
    if body is None:
        return _malformed()
    for name in ("clientId", "clientSecret"):
        if not body.get(name):
            return _refusal("This parameter is required", "1001", name[0].upper() + name[1:])
    given = (body["clientId"], body["clientSecret"])
    if given != (access.ROSAAS_CLIENT_ID, access.ROSAAS_CLIENT_SECRET):
        return _refusal("The client credentials are not valid", "2002", "")
    token, _ = issue_token(_SIGNING_KEY, access.ROSAAS_CLIENT_ID)
    return Reply(
        200, encode({"data": {"info": {}, "token": {"accessToken": token}}})[:-1] + _SUCCESS
    )


def _refusal(message: str, code: str, parameter: str) -> Reply:
    error: JsonObject = {"message": message, "sysCode": code, "parameter": parameter}
    return Reply(400, encode({"metadata": {"errors": [error], "success": False}}))


def _malformed() -> Reply:
    problem: JsonObject = {
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "traceId": "00-sandbox-00",
        "errors": {"$": ["The body is not a JSON object."]},
    }
    return Reply(400, encode(problem), _PROBLEM)
