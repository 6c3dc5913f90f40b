"""Answers as they come out of trouble: refusals, pages of HTML, lists that are not whole."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from .wire import Reply, Request, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rows import JsonObject, JsonValue

_HTML = b"text/html; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_SIGN_IN = b"<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>"
_NULLS: JsonObject = {"status": None, "message": None, "error": None, "parameters": None}
_REFUSALS = {
    "429": Reply(429, encode(_NULLS | {"status": 429})),
    "503": Reply(503, encode(_NULLS | {"status": 503})),
    "500": Reply(500, encode(_NULLS | {"status": 500})),
    "html": Reply(502, _GATEWAY, _HTML),
    "html200": Reply(200, _SIGN_IN, _HTML),
    "late": Reply(504, b"upstream request timeout", _TEXT),
    "applied_500": Reply(500, b"An error has occurred.", _TEXT),
    "applied_empty": Reply(200),
    "applied_id": Reply(200, encode({"id": "00000000-0000-0000-0000-00000000beef"})),
}
_LISTS = ("content", "items")
_TOTALS = ("total", "totalCount")


def refusal(kind: str, *, is_dated: bool) -> Reply | None:
    """Give the answer that stands for any other; None for a kind that changes the answer."""
    told = _REFUSALS.get(kind)
    if told is not None and kind in ("429", "503"):
        # Both forms that HTTP allows.
        wait = formatdate(usegmt=True).encode() if is_dated else b"1"
        return replace(told, headers=((b"retry-after", wait),))
    return told


def page_before(request: Request) -> Request:
    """Ask for the page before the one asked for, where there is one."""
    query = dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True))
    page = query.get("page", "1")
    if not page.isdigit() or int(page) < 2:  # noqa: PLR2004 - the first has none before it
        return request
    return replace(request, query_string=urlencode(query | {"page": int(page) - 1}).encode())


def spoilt_page(kind: str, reply: Reply) -> Reply:
    """Give a page without its last rows (`short`), without any (`empty`), or with a wrong total."""
    spoil = _SPOILERS.get(kind)
    if spoil is None or reply.chunks is not None:
        return reply
    try:
        body = json.loads(reply.body)
    except ValueError:
        return reply
    if not isinstance(body, dict):
        return reply
    return replace(reply, body=encode(spoil(body)))


def _short(body: JsonObject) -> JsonObject:
    return {name: _half(value) if name in _LISTS else value for name, value in body.items()}


def _half(rows: JsonValue) -> list[JsonValue]:
    return rows[: len(rows) // 2] if isinstance(rows, list) else []


def _empty(body: JsonObject) -> JsonObject:
    return {name: [] if name in _LISTS else value for name, value in body.items()}


def _wrong_total(body: JsonObject) -> JsonObject:
    paging = body.get("paging")
    if isinstance(paging, dict):
        return body | {"paging": _with_more(paging)}
    return _with_more(body)


def _with_more(members: JsonObject) -> JsonObject:
    return {
        name: value + 3 if name in _TOTALS and isinstance(value, int) else value
        for name, value in members.items()
    }


_SPOILERS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "short": _short,
    "empty": _empty,
    "total": _wrong_total,
}
