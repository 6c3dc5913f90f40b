"""ROCS's answers as values. Its vendor documents one object only, so that lists may vary in form.

Contract 1.2, 1.4, 1.6: a list is a bare array or a member of an object; an unknown record is 404,
or a success without one.
"""

from __future__ import annotations

from collections.abc import Callable

from sync_pipeline.sources.answers import Answer, Page
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import (
    NotThatShapeError,
    envelope,
    is_absent,
    members,
    records,
    scalar,
    utf8_text,
)
from sync_pipeline.sources.refusals import wrong_shape
from sync_pipeline.sources.totals import stated_total

RESULT_KEYS = ("items", "content", "value")
TOTAL_KEYS = ("totalcount", "total", "count")


def page_of(call: Call, reply: Reply, endpoint: Endpoint, *, result_key: str | None) -> Page:
    """Return a list's page; ``result_key`` is where the rows are, None: wherever is usual."""
    try:
        rows, total = _rows_and_total(utf8_text(reply), result_key)
    except NotThatShapeError as exc:
        due = f"an object with a list in `{result_key}`" if result_key else "a list"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    return Page(rows, total, reply.sent_at)


def record_or_none(call: Call, reply: Reply, endpoint: Endpoint) -> Answer | None:
    """Return the one record of a lookup, or None when there is none in a success."""
    try:
        record = _only_record(utf8_text(reply))
    except NotThatShapeError as exc:
        due = "one object"
        raise wrong_shape(call, reply, endpoint=endpoint, due=due, came=str(exc)) from None
    return None if record is None else Answer(record, reply.sent_at)


def _rows_and_total(text: bytes, result_key: str | None) -> tuple[tuple[bytes, ...], int | None]:
    if result_key is None and text.startswith(b"["):
        return records(text), None
    keys = RESULT_KEYS if result_key is None else (result_key.lower(),)
    opened = envelope(text) or {}
    listed = next((opened[key] for key in keys if key in opened), None)
    if isinstance(listed, tuple):
        return listed, _total(opened.get)
    body = members(text)
    rows = next((body[key] for key in keys if key in body), None)
    if rows is None:
        raise NotThatShapeError("an object without one")
    total = _total(lambda key: scalar(body.get(key)))
    if is_absent(rows) and total is not None:
        # Past the end, or an empty list. Without a number, a failed read may look the same.
        return (), total
    return records(rows), total


def _total(said: Callable[[str], object]) -> int | None:
    totals = (stated_total(said(key)) for key in TOTAL_KEYS)
    return next((total for total in totals if total is not None), None)


def _only_record(text: bytes) -> bytes | None:
    found = records(text) if text.startswith(b"[") else (text,)
    if len(found) > 1:
        raise NotThatShapeError(f"a list of {len(found)}")
    record = found[0] if found else b""
    if not record or is_absent(record):
        return None
    members(record)
    return record
