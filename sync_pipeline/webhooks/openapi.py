"""The OpenAPI document of the receiver: its routes, what they take and what they answer."""

from __future__ import annotations

from collections.abc import Mapping

from sync_pipeline.webhooks.codes import LIFECYCLE, NAMES

Node = dict[str, object]
_TEXT: Node = {"type": "string"}
_ERROR: Node = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}
_COMPLAINT: Node = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": "array", "minItems": 1, "items": _TEXT},
}
_NOTHING: Node = {"type": "object", "maxProperties": 0}
_RETRY: Node = {
    "Retry-After": {"description": "Seconds", "schema": {"type": "string", "pattern": r"^\d+$"}}
}
_TENANT: Node = {
    "type": "object",
    "required": ["tenantName"],
    "properties": {"tenantName": _TEXT},
    "description": "With any further members",
}
_CODED: Node = {
    "type": "object",
    "description": "Names in any case; EventType for EventCode, tenantName for TenantSystemName",
    "properties": {
        "TenantSystemName": _TEXT,
        "EventCode": {
            "oneOf": [{"type": "integer"}, _TEXT],
            "description": "; ".join(f"{code} {name}" for code, name in NAMES.items()),
        },
        "Event": _TEXT,
        "MetaData": {},
        "Created": _TEXT,
    },
}
_HEALTH: Node = {
    "type": "object",
    "required": ["tenantName", "status", "isRunning", "observedAt"],
    "properties": {
        "tenantName": _TEXT,
        "status": {"type": ["string", "null"]},
        "isRunning": {"type": "boolean"},
        "observedAt": {"type": "string", "format": "date-time"},
    },
}
_NAME: Node = {"name": "name", "in": "path", "required": True, "schema": _TEXT}
_KEYS: list[Node] = [{"apiKey": []}, {"apiKeyOfEvents": []}, {"bearer": []}]


def document() -> Node:
    """Return the document."""
    paths: Node = {
        f"/api/integration/{kind}": _event(f"RoSaaS: {kind} of a tenant", _TENANT)
        for kind in LIFECYCLE
    }
    paths["/api/integration/events"] = _event("RoSaaS: an event by its code", _CODED)
    paths["/webhooks/rocs"] = _event("ROCS: an event", {"type": "object"})
    for check in ("health-status", "health-check"):
        paths[f"/api/integration/{{name}}/{check}"] = _health()
    paths["/healthz"] = _look("Whether the receiver is alive", {"200": _said("Alive", _NOTHING)})
    paths["/readyz"] = _look(
        "Whether events can be stored", {"200": _said("They can", _NOTHING), "503": _away()}
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "sync-pipeline webhooks", "version": "1"},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "apiKeyOfEvents": {"type": "apiKey", "in": "header", "name": "apiKey"},
                "bearer": {"type": "http", "scheme": "bearer"},
            }
        },
    }


def _event(summary: str, schema: Node) -> Node:
    content = {"application/json": {"schema": schema}}
    responses: Node = {
        "200": _said("Stored, and committed", _NOTHING),
        "400": _said("No such event", _COMPLAINT),
        "401": _said("No key, or a wrong one", _ERROR),
        "413": _said("Too large", _COMPLAINT),
        "415": _said("Not JSON", _COMPLAINT),
        "503": _away(),
    }
    body = {"required": True, "content": content}
    post = {"summary": summary, "security": _KEYS, "requestBody": body, "responses": responses}
    return {"post": post}


def _health() -> Node:
    responses: Node = {
        "200": _said("It runs", _HEALTH),
        "401": _said("No key, or a wrong one", _ERROR),
        "404": _said("Not known", _ERROR),
        "503": _said("Known, and not running", _HEALTH),
    }
    summary = "What is known of a tenant"
    return {"parameters": [_NAME], **_look(summary, responses, security=_KEYS)}


def _look(summary: str, responses: Node, **also: object) -> Node:
    return {"get": {"summary": summary, "responses": responses, **also}}


def _said(description: str, schema: Mapping[str, object]) -> Node:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _away() -> Node:
    return _said("The database is away: come again", _ERROR) | {"headers": _RETRY}
