"""CRM.COM's answers as values: lists with paging, and single records (contract 3.4, 3.5)."""

from __future__ import annotations

from sync_pipeline.sources.answers import Answer, Page
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import (
    NotThatShapeError,
    is_absent,
    members,
    records,
    scalar,
    utf8_text,
)
from sync_pipeline.sources.refusals import wrong_shape
from sync_pipeline.sources.totals import stated_total

TOTAL_CAP = 10_000
"""The API counts no further, so this number says nothing."""
ERROR_KEYS = frozenset({"status", "message", "error", "parameters"})


def page_of(call: Call, reply: Reply, endpoint: Endpoint) -> Page:
    """Return a list's page; `content: null` is an empty list, a missing one a wrong answer."""
    try:
        body = members(utf8_text(reply))
        rows = _rows(body)
    except NotThatShapeError as exc:
        due = "an object with a list in `content`"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    paging = _paging(body.get("paging"))
    has_more = {b"true": True, b"false": False}.get(paging.get("has_more", b"").strip(b'"').lower())
    total = stated_total(scalar(paging.get("total")), cap=TOTAL_CAP)
    return Page(rows, total, reply.sent_at, has_more)


def one_record(call: Call, reply: Reply, endpoint: Endpoint) -> Answer:
    """Return a single record, which is the whole body."""
    try:
        text = utf8_text(reply)
        _check_record(members(text))
    except NotThatShapeError as exc:
        due = "an object"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    return Answer(text, reply.sent_at)


def _rows(body: dict[str, bytes]) -> tuple[bytes, ...]:
    if "content" not in body:
        # A failed read is not an empty one.
        raise NotThatShapeError("an object without it")
    return () if is_absent(body["content"]) else records(body["content"])


def _check_record(body: dict[str, bytes]) -> None:
    if body and body.keys() <= ERROR_KEYS:
        raise NotThatShapeError("an error object with a status of success")


def _paging(value: bytes | None) -> dict[str, bytes]:
    try:
        return members(value or b"{}")
    except NotThatShapeError:
        return {}
