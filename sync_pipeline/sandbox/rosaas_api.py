"""RoSaaS's protocol for external systems: the token call, tenants, plans and specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access, render_rosaas
from .tokens import is_valid_token, issue_token
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rows import JsonObject
    from .wire import Request
    from .world import World

_SIGNING_KEY = "sandbox-rosaas-signing-key"
_AUTH = ("api", "identity", "apps", "v1", "auth")
_MANAGEMENT = ("api", "management", "apps", "v1")
_SUCCESS = b',"metadata":{"errors":[],"success":true}}'
# This one answer is written by another serializer.
_PASCAL_SUCCESS = b',"Metadata":{"Errors":[],"Success":true}}'
_NO_DATA = b'{"data":null' + _SUCCESS
# Plain text, whatever the header says.
_FAILED = Reply(500, b"An error has occurred. Error id: 0f8fad5bd9cb469fa16570867728950e")
_PROBLEM = b"application/problem+json; charset=utf-8"


class RosaasApi:
    """Answers from bytes rendered once, at start."""

    def __init__(self, world: World) -> None:
        """Render every tenant, plan and specification."""
        seed, tenants = world.seed, world.tenants
        names = [tenant.tenant_name for tenant in tenants]
        self._lists: dict[tuple[str, ...], Reply] = {
            ("tenants",): _list(render_rosaas.list_item(seed, tenant) for tenant in tenants),
            ("plans",): _list(map(render_rosaas.plan, world.plans)),
            ("specifications",): _list(map(render_rosaas.specification, world.specifications)),
        }
        details = (render_rosaas.detail(seed, tenant) for tenant in tenants)
        self._details = _by_name(names, b'{"data":', details, _SUCCESS)
        statuses = map(render_rosaas.status, tenants)
        self._statuses = _by_name(names, b'{"data":', statuses, _SUCCESS)
        stored = map(render_rosaas.metadata, tenants)
        self._metadata = _by_name(names, b'{"Data":', stored, _PASCAL_SUCCESS)

    def reply(self, request: Request) -> Reply:
        """Route one request."""
        if request.segments == _AUTH:
            return _authenticate(request) if request.method == "POST" else Reply(405)
        if request.segments[: len(_MANAGEMENT)] != _MANAGEMENT:
            return Reply(404)
        if not _is_authorised(request):
            return Reply(401)
        if request.method != "GET":
            return Reply(405)
        return self._read(request.segments[len(_MANAGEMENT) :])

    def _read(self, rest: tuple[str, ...]) -> Reply:
        # The vendor lower-cases names and mostly answers 200 with null for an unknown one.
        match rest:
            case ("tenants", name):
                return self._details.get(name.lower(), Reply(200, _NO_DATA))
            case ("tenants", name, "status"):
                return self._statuses.get(name.lower(), Reply(200, _NO_DATA))
            case ("tenants", name, "metadata"):
                return self._metadata.get(name.lower(), _FAILED)
            case _:
                return self._lists.get(rest, Reply(404))


def _list(items: Iterable[bytes]) -> Reply:
    return Reply(200, b'{"data":[' + b",".join(items) + b"]" + _SUCCESS)


def _by_name(
    names: Iterable[str], head: bytes, items: Iterable[bytes], tail: bytes
) -> dict[str, Reply]:
    return {name: Reply(200, head + item + tail) for name, item in zip(names, items, strict=True)}


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
