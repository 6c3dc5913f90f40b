"""Read JSON bodies tolerantly in form and strictly in shape: split, never interpret.

Tolerated: a byte order mark, a declared character set, any content type, any case of envelope
keys. Everything else raises NotThatShapeError, whose text says what came and never shows it.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from sync_pipeline.sources.calls import Reply
from sync_pipeline.sources.json_split import SURROGATE, split_array, split_object

S = TypeVar("S")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ENVELOPE = msgspec.json.Decoder(dict[str, list[msgspec.Raw] | str | int | float | bool | None])
_BROKEN_AT = re.compile(r"\(byte (\d+)\)")
_UTF8_SUPERSETS = {"utf-8", "ascii", "utf-8-sig"}
_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class NotThatShapeError(ValueError):
    """The body is something else; the message says what, without showing any of it."""


def utf8_text(reply: Reply) -> bytes:
    """Return the body in UTF-8 without byte order mark or surrounding blanks."""
    body = reply.body
    charset = _BYTE_ORDER_MARKS.get(body[:2], _declared(reply.charset))
    if charset not in _UTF8_SUPERSETS:
        try:
            body = body.decode(charset).encode()
        except (LookupError, UnicodeError):
            # The decoding error holds the body.
            raise NotThatShapeError("text that is not in its declared character set") from None
    return body.removeprefix(codecs.BOM_UTF8).strip()


def is_html(body: bytes) -> bool:
    """Tell whether ``body`` is a page for a browser."""
    start = body[:1000].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return start.startswith(b"<!doctype html") or (start.startswith(b"<") and b"<html" in start)


def members(body: bytes) -> dict[str, bytes]:
    """Return the members of a JSON object, keys in lower case, each value as raw bytes."""
    return {key.lower(): value for key, value in _split(body, _object, split_object).items()}


def envelope(body: bytes) -> dict[str, object] | None:
    """Return the members of a JSON object in one look over it; None where it takes several.

    Keys are in lower case; a value is decoded, but for arrays: these are tuples of raw elements.
    """
    try:
        opened = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {
        key.lower(): tuple(map(bytes, value)) if isinstance(value, list) else value
        for key, value in opened.items()
    }


def records(body: bytes) -> tuple[bytes, ...]:
    """Return the elements of a JSON array, each as raw bytes."""
    return _split(body, _list, split_array)


def _object(body: bytes) -> dict[str, bytes]:
    return {key: bytes(value) for key, value in _OBJECT.decode(body).items()}


def _list(body: bytes) -> tuple[bytes, ...]:
    return tuple(bytes(element) for element in _LIST.decode(body))


def _split(body: bytes, fast: Callable[[bytes], S], patient: Callable[[bytes], S]) -> S:
    try:
        return fast(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        if SURROGATE.search(body):
            with contextlib.suppress(ValueError, RecursionError):
                return patient(body)
        raise NotThatShapeError(what_came(body, exc)) from None


def is_absent(value: bytes | None) -> bool:
    """Tell whether a member is missing or null."""
    return value is None or value == b"null"


def scalar(value: bytes | None) -> object:
    """Return a member as a Python value, None when it is missing or unreadable."""
    if value is None:
        return None
    try:
        decoded: object = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded


def what_came(body: bytes, reason: Exception) -> str:
    """Say in words what ``body`` is, given why it could not be read as what was due."""
    if not body:
        return "an empty body"
    if is_html(body):
        return "an HTML page"
    if isinstance(reason, msgspec.ValidationError):
        return f"JSON of another kind, {_kind(body)}"
    if body[:1] not in b'{["':
        return "text that is not JSON"
    return _damage(body, reason)


def _damage(body: bytes, reason: Exception) -> str:
    if isinstance(reason, RecursionError):
        return "JSON nested too deeply"
    if isinstance(reason, UnicodeDecodeError):
        return "JSON that is not UTF-8"
    at = _BROKEN_AT.search(str(reason))
    return (
        f"JSON that is broken at byte {at[1]}"
        if at
        else f"JSON that breaks off at byte {len(body)}"
    )


def _kind(body: bytes) -> str:
    kinds = {b"{": "an object", b"[": "an array", b'"': "a string", b"n": "null"}
    return kinds.get(body[:1], "a number or truth value")


def _declared(charset: str | None) -> str:
    try:
        return codecs.lookup(charset or "utf-8").name
    except LookupError:
        return "utf-8"
