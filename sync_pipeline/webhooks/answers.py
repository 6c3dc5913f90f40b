"""The answers of the receiver: JSON, without a word that tells more than the status."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

_RETRY_AFTER_S = 10


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a value."""
    return Response(json.dumps(value), status, headers, media_type="application/json")


def taken() -> Response:
    """Answer an event that is committed."""
    return as_json({})


def wrong_key() -> Response:
    """Answer a request without a key that is known."""
    return as_json({"error": "the API key is missing or wrong"}, 401)


def refused(status: int, field: str, message: str) -> Response:
    """Answer what is malformed, in the form that the vendor reads."""
    return as_json({field: [message]}, status)


def away() -> Response:
    """Answer while the database is away."""
    headers = {"Retry-After": str(_RETRY_AFTER_S)}
    return as_json({"error": "nothing can be stored at the moment"}, 503, headers)


def plain(status: int, error: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer an error in words."""
    return as_json({"error": error}, status, headers)
