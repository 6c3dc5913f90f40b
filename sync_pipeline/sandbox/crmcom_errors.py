"""CRM.COM's error body, shared by the self-service and the Back-Office server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Reply, encode

if TYPE_CHECKING:
    from .rows import JsonObject


def refusal(status: int, message: str, code: str, *parameters: str) -> Reply:
    """`{status, message, error, parameters}` with that status."""
    body: JsonObject = {
        "status": status,
        "message": message,
        "error": f"CRM.EXCEPTIONS.{code}",
        "parameters": [*parameters],
    }
    return Reply(status, encode(body))


def unauthorised() -> Reply:
    """Refuse a missing, wrong or expired key or token, or one in the wrong header."""
    return refusal(401, "The provided API Key or Token is invalid.", "UNAUTHORIZEDEXCEPTION")


def forbidden() -> Reply:
    """Refuse a contact's own token that asks for somebody else's record."""
    return refusal(403, "You have no access to the requested record.", "FORBIDDENEXCEPTION")


def no_record(entity: str, identifier: str) -> Reply:
    """Say 400, as the vendor does, where others say 404."""
    return refusal(400, "Record not found.", "NOTFOUNDEXCEPTION", entity, identifier)


def no_route() -> Reply:
    """Refuse a path or a verb that this server does not have."""
    return refusal(404, "The requested resource does not exist.", "RESOURCENOTFOUNDEXCEPTION")


def bad_parameter(status: int, name: str, value: str) -> Reply:
    """Refuse a query parameter that the server knows, with a value that it does not."""
    return refusal(status, "Invalid parameter.", "INVALIDPARAMETEREXCEPTION", name, value)
