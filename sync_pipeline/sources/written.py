"""What came of a write: accepted, refused, not done yet, or unknown; classified here once.

A refusal is one of the errors of `refusals`. TransientSourceError: the API did not take it, and it
may be sent again. UnknownOutcomeError: it may have been applied, now or in a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sync_pipeline.errors import (
    SourceError,
    TransientSourceError,
    UnknownOutcomeError,
    WrongAnswerError,
)
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import NotThatShapeError, members, utf8_text

# The API had no time for it; any other failure of a server may come after it did its work.
NOT_TAKEN = (429, 503)


@dataclass(frozen=True, slots=True)
class Written:
    """The API accepted a write; ``answer`` is the object that it answered, if it did."""

    status: int
    sent_at: datetime
    answer: bytes = field(repr=False)


@contextmanager
def unknown_outcomes() -> Iterator[None]:
    """Tell the failures after which a write may have been applied from those after which not."""
    try:
        yield
    except TransientSourceError as exc:
        if exc.is_unsent or exc.status in NOT_TAKEN:
            raise
        raise _unknown(exc) from exc
    except WrongAnswerError as exc:
        if exc.status is not None and 300 <= exc.status < 500:  # noqa: PLR2004 -- never carried out
            raise
        raise _unknown(exc) from exc


def accepted(call: Call, reply: Reply, endpoint: Endpoint) -> Written:
    """Return the acceptance; UnknownOutcomeError for a success that the API cannot have meant.

    A gateway's page, or nothing where an object was due: 204 alone has no body.
    """
    if reply.status == 204:  # noqa: PLR2004 -- no content
        return Written(reply.status, reply.sent_at, b"")
    try:
        text = utf8_text(reply)
        members(text)
    except NotThatShapeError as exc:
        detail = f"the answer to the write was to be an object, and {exc} came"
        raise UnknownOutcomeError(endpoint.api, call.template, reply.status, None, detail) from None
    return Written(reply.status, reply.sent_at, text)


def _unknown(exc: SourceError) -> UnknownOutcomeError:
    return UnknownOutcomeError(exc.api, exc.path, exc.status, exc.code, exc.detail)
