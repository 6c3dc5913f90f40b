"""RoSaaS's protocol for external systems: the token call, the list of tenants and one tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access, render_rosaas
from .tokens import is_valid_token, issue_token
from .wire import Reply, encode

if TYPE_CHECKING:
    from .rows import JsonObject, Tenant
    from .wire import Request

_SIGNING_KEY = "sandbox-rosaas-signing-key"
_AUTH = ("api", "identity", "apps", "v1", "auth")
_TENANTS = ("api", "management", "apps", "v1", "tenants")
_SUCCESS = b',"metadata":{"errors":[],"success":true}}'
_PROBLEM = b"application/problem+json; charset=utf-8"


class RosaasApi:
    """Answers from bytes rendered once, at start."""

    def __init__(self, seed: int, tenants: tuple[Tenant, ...]) -> None:
        """Render every tenant's list item and detail."""
        items = b",".join(render_rosaas.list_item(seed, tenant) for tenant in tenants)
        self._list = b'{"data":[' + items + b"]" + _SUCCESS
        self._details = {
            tenant.tenant_name: b'{"data":' + render_rosaas.detail(seed, tenant) + _SUCCESS
            for tenant in tenants
        }

    def reply(self, request: Request) -> Reply:
        """Route one request."""
        if request.segments == _AUTH:
            return _authenticate(request) if request.method == "POST" else Reply(405)
        if request.segments[: len(_TENANTS)] != _TENANTS:
            return Reply(404)
        if not _is_authorised(request):
            return Reply(401)
        if request.method != "GET":
            return Reply(405)
        return self._tenants(request.segments[len(_TENANTS) :])

    def _tenants(self, rest: tuple[str, ...]) -> Reply:
        match rest:
            case ():
                return Reply(200, self._list)
            case (name,):
                # The vendor lower-cases the name and answers 200 with null for an unknown one.
                return Reply(200, self._details.get(name.lower(), b'{"data":null' + _SUCCESS))
            case _:
                return Reply(404)


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
