"""Turn an answer that is not a success into the error that says what the caller may do.

Each failure is classified once, here, where its status and the API's own code are known.
Error shapes: CRM.COM object, RoSaaS envelope, ASP.NET ProblemDetails, OAuth object, plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, quote_plus

from sync_pipeline.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RecordNotFoundError,
    RequestRefusedError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import (
    NotThatShapeError,
    is_html,
    members,
    records,
    scalar,
    utf8_text,
)
from sync_pipeline.sources.retry import retry_after_s

RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
NOT_FOUND_CODE = "NOTFOUNDEXCEPTION"
LONGEST_DETAIL = 200
HIDDEN = "…"
_SHORT = 4
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PERSONAL = re.compile(
    r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+"  # e-mail address
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|\b[0-9A-Fa-f]{16,}\b"  # record id
    r"|eyJ[\w.-]{8,}"  # token
    r"|\d[\d ().-]{3,}\d|\d{5,}"  # phone number, account number
)


def check_status(call: Call, reply: Reply, *, endpoint: Endpoint, sent: Iterable[str]) -> None:
    """Return for a success; raise the SourceError for anything else.

    ``sent`` is what this request carried and no message may repeat.
    """
    if 200 <= reply.status < 300:  # noqa: PLR2004 -- the class of success codes
        return
    if 300 <= reply.status < 400:  # noqa: PLR2004 -- the class of redirects
        raise _redirected(call, reply, endpoint)
    code, message = said(reply, hidden=(*sent, *call.ids, *call.secrets, *endpoint.secrets))
    if reply.status in RETRYABLE:
        raise _transient(call, reply, endpoint, code, message)
    kind = error_kind(reply.status, code)
    if reply.status == HTTPStatus.NOT_FOUND and (not call.ids or is_html(reply.body)):
        # Without a record in the path, or from a web server: nothing is known about a record.
        kind, message = WrongAnswerError, f"no such address: check {endpoint.variable}"
    raise kind(endpoint.api, call.template, reply.status, code, message)


def error_kind(status: int, code: str | None) -> type[SourceError]:
    """Return the class of error for a status that is neither success, redirect nor transient."""
    is_said_so = (code or "").upper().endswith(NOT_FOUND_CODE)
    if status == HTTPStatus.NOT_FOUND or (status == HTTPStatus.BAD_REQUEST and is_said_so):
        return RecordNotFoundError
    kinds: dict[int, type[SourceError]] = {401: CredentialRefusedError, 403: AccessDeniedError}
    if 400 <= status < 500:  # noqa: PLR2004 -- the class of client errors
        return kinds.get(status, RequestRefusedError)
    return WrongAnswerError


def said(reply: Reply, *, hidden: Iterable[str]) -> tuple[str | None, str]:
    """Return the API's own code and message, cleaned; (None, "") where it gives none."""
    if is_html(reply.body):
        return None, ""
    hidden = tuple(hidden)
    try:
        text = utf8_text(reply)
    except NotThatShapeError:
        return None, ""
    try:
        code, message = _code_and_message(members(text))
    except NotThatShapeError:
        # Plain text may name a person, and nothing tells a name from another word.
        code, message = None, ""
    return cleaned(code, hidden=hidden) or None, cleaned(message, hidden=hidden)


def cleaned(text: str | None, *, hidden: Iterable[str]) -> str:
    """Return ``text`` in one short line, without what was sent and without personal data."""
    line = _CONTROL.sub(" ", text or "")
    for value in sorted({v for v in hidden if v.strip()}, key=len, reverse=True):
        for form in (value, quote(value, safe=""), quote_plus(value)):
            # A short value inside a longer word is not that value.
            pattern = re.escape(form)
            bounded = rf"(?<!\w){pattern}(?!\w)" if len(form) < _SHORT else pattern
            line = re.sub(bounded, HIDDEN, line, flags=re.IGNORECASE)
    line = _PERSONAL.sub(HIDDEN, line).strip()
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + HIDDEN


def _code_and_message(body: dict[str, bytes]) -> tuple[str | None, str]:
    if "metadata" in body:
        return _envelope_error(body["metadata"])
    code = scalar(body.get("error"))
    texts = [scalar(body.get(key)) for key in ("message", "error_description", "title")]
    message = next((text for text in texts if isinstance(text, str)), "")
    problems = scalar(body.get("errors"))
    if isinstance(problems, dict):
        # ProblemDetails: the fields say more than the title; their messages may echo the input.
        message = f"{message} Fields: {', '.join(sorted(str(field) for field in problems))}"
    return (code if isinstance(code, str) else None), message


def _envelope_error(metadata: bytes) -> tuple[str | None, str]:
    errors = records(members(metadata).get("errors", b"[]"))
    first = members(errors[0]) if errors else {}
    code, message = scalar(first.get("syscode")), scalar(first.get("message"))
    return str(code or "") or None, message if isinstance(message, str) else ""


def _transient(
    call: Call, reply: Reply, endpoint: Endpoint, code: str | None, message: str
) -> TransientSourceError:
    wait_s = retry_after_s(reply.retry_after, now=reply.sent_at)
    parts = [message] if message else []
    parts += [f"the API asks to wait {wait_s:.0f} s"] if wait_s is not None else []
    return TransientSourceError(
        endpoint.api, call.template, reply.status, code, "; ".join(parts), wait_s
    )


def _redirected(call: Call, reply: Reply, endpoint: Endpoint) -> WrongAnswerError:
    # Not followed: the credentials were given for this address only.
    detail = f"redirects to another address: {endpoint.variable} may be wrong"
    return WrongAnswerError(endpoint.api, call.template, reply.status, None, detail)


def wrong_shape(
    call: Call, reply: Reply, *, endpoint: Endpoint, due: str, came: str
) -> SourceError:
    """Return the error for a successful answer that is something else than what was due."""
    detail = f"{due} was due, {came} came"
    return WrongAnswerError(endpoint.api, call.template, reply.status, None, detail)
