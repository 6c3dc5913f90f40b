"""The OpenAPI document of the receiver: its routes, what they take and what they answer."""

from __future__ import annotations

from collections.abc import Mapping

from sync_pipeline.webhooks.codes import LIFECYCLE, NAMES
from sync_pipeline.webhooks.events import LONGEST_NAME, TENANT_NAME

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
_NAME_OF_TENANT: Node = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_NAME,
    "pattern": f"^{TENANT_NAME}$",
}
_TENANT: Node = {
    "type": "object",
    "required": ["tenantName"],
    "properties": {"tenantName": _NAME_OF_TENANT},
    "description": "The member's name in any case; with any further members",
}
_CODED: Node = {
    "type": "object",
    "description": (
        "Names in any case; EventType for EventCode, tenantName for TenantSystemName; with any "
        "further members. One that names no tenant is quarantined"
    ),
    "properties": {
        "TenantSystemName": {"anyOf": [_NAME_OF_TENANT, {"type": "null"}]},
        "EventCode": {
            "type": ["number", "string", "null"],
            "description": "; ".join(f"{code} {name}" for code, name in NAMES.items()),
        },
        "Event": {"description": "The event's name, where there is no code"},
        "MetaData": {"description": "Its details: an object"},
        "Created": {"description": "When it happened: a time in ISO 8601, UTC without a zone"},
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
_NAME: Node = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": _TEXT,
    "examples": {"name": {"value": "acme"}},
}
_KEYS: list[Node] = [{"apiKey": []}, {"apiKeyOfEvents": []}, {"bearer": []}]
_FROM_HERE: Node = {}
_DESCRIPTION = (
    "Beside what each route answers: 405 for another method, 404 for another path (401 for either "
    "without a key), 400 for what is not HTTP, 408 for a request that takes too long, 431 for a "
    "head that is too long. A body of a type application/…+json is taken as application/json is."
)


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
    paths["/metrics"] = _guarded("What was counted, for Prometheus", {"text/plain": {}})
    paths["/openapi.json"] = _guarded("This document", _json({"type": "object"}))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sync-pipeline webhooks",
            "version": "1",
            "description": _DESCRIPTION,
        },
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
    responses: Node = {
        "200": _said("Stored, and committed", _NOTHING),
        "400": _said("No such event", _COMPLAINT),
        "401": _said("No key, or a wrong one", _ERROR),
        "413": _said("Too large", _COMPLAINT),
        "415": _said("Not JSON", _COMPLAINT),
        "503": _away(),
    }
    body = {"required": True, "content": _json(schema)}
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


def _guarded(summary: str, content: Node) -> Node:
    """Describe what this machine may look at without a key, and nobody else."""
    responses: Node = {
        "200": {"description": "As it is now", "content": content},
        "401": _said("No key, or a wrong one", _ERROR),
    }
    return _look(summary, responses, security=[_FROM_HERE, *_KEYS])


def _look(summary: str, responses: Node, **also: object) -> Node:
    return {"get": {"summary": summary, "responses": responses, **also}}


def _said(description: str, schema: Mapping[str, object]) -> Node:
    return {"description": description, "content": _json(schema)}


def _json(schema: Mapping[str, object]) -> Node:
    return {"application/json": {"schema": schema}}


def _away() -> Node:
    return _said("The database is away: come again", _ERROR) | {"headers": _RETRY}
