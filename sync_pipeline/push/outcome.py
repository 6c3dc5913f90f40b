"""What an attempt comes to: the update's next state, from what was answered and read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync_pipeline.errors import (
    CredentialRefusedError,
    SourceError,
    TransientSourceError,
    UnknownOutcomeError,
    WrongAnswerError,
)
from sync_pipeline.push.decide import (
    Comparison,
    Decision,
    Tries,
    pause_after,
    status_after_refusal,
)

ACCEPTED, UNKNOWN = "accepted", "unknown"
NOT_DONE = (TransientSourceError, CredentialRefusedError)
"""After these the API has certainly not applied the write, and may do so another time."""
PASSING = (*NOT_DONE, WrongAnswerError)
"""What could not be read for one of these may be read another time."""


@dataclass(frozen=True, slots=True)
class Next:
    """The state of an update from now on, why, and when it is due again."""

    status: str
    error: str | None = None
    next_attempt_at: datetime | None = None


def after_unread(
    exc: SourceError, *, tries: Tries, was_sent: bool, now: datetime, grace: timedelta
) -> Next:
    """Return what follows when the record cannot be read now (the failure is one of PASSING).

    What may have been sent stays `sending`: only a reading can tell.
    """
    asked_s = exc.retry_after_s if isinstance(exc, TransientSourceError) else None
    pause = pause_after(tries.attempts, asked_s=asked_s)
    if was_sent:
        error = f"it may have been applied, and cannot be read: {exc}"
        return Next("sending", error, now + max(pause, grace))
    return Next("pending", str(exc), now + pause)


def refused(error: str, *, tries: Tries, now: datetime) -> Next:
    """Return what follows a no of the API."""
    refusals = tries.refusals + 1
    status = status_after_refusal(refusals)
    due_at = now + pause_after(refusals) if status == "rejected" else None
    return Next(status, error, due_at)


def without_write(decision: Decision) -> Next:
    """Return what follows when nothing is to be written."""
    if decision.held:
        return Next("conflict", f"the source has another value of {_listed(decision.held)}")
    if decision.kept:
        return Next("discarded", f"what the source has is kept: {_listed(decision.kept)}")
    return Next("delivered" if decision.reported else "confirmed")


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far the writes of a decision got: ``failure`` is what ended them, if anything did.

    ``unreadable`` are fields that were written and that no reading tells, ``doubtful`` those of
    them that may have been accepted or not; ``untried`` those whose calls were to follow.
    ``is_perhaps_done``: an earlier sending of the same may have brought the refusal about.
    """

    decision: Decision
    unreadable: Collection[str] = ()
    doubtful: Collection[str] = ()
    untried: Collection[str] = ()
    failure: SourceError | None = None
    is_perhaps_done: bool = False


def after_write(
    attempt: Attempt,
    found: Comparison,
    *,
    tries: Tries,
    now: datetime,
    grace: timedelta,
) -> Next:
    """Return what follows a write, by its answers and by what is there afterwards."""
    failure = attempt.failure
    if isinstance(failure, UnknownOutcomeError):
        if attempt.doubtful:
            return Next("uncertain", f"{_listed(attempt.doubtful)} cannot be read: {failure}")
        if found.missing or found.otherwise:
            # Counted from now: until a moment ago it may not even have been sent.
            return Next("sending", f"it may still be applied: {failure}", now + grace)
    elif isinstance(failure, NOT_DONE):
        asked_s = failure.retry_after_s if isinstance(failure, TransientSourceError) else None
        return Next("pending", str(failure), now + pause_after(tries.attempts, asked_s=asked_s))
    elif failure is not None and not _is_there(attempt, found):
        return refused(str(failure), tries=tries, now=now)
    return _accepted(attempt, found, tries=tries, now=now)


def _accepted(attempt: Attempt, found: Comparison, *, tries: Tries, now: datetime) -> Next:
    if found.missing:
        error = f"accepted, but not stored: {_listed(found.missing)}"
        return refused(error, tries=tries, now=now)
    if attempt.untried:
        return Next("pending", f"still to be sent: {_listed(attempt.untried)}")
    if found.otherwise:
        return Next("delivered", f"the API made another value of {_listed(found.otherwise)}")
    kept = attempt.decision.kept
    note = f"what the source has is kept: {_listed(kept)}" if kept else None
    is_hidden = attempt.unreadable or attempt.decision.reported
    return Next("delivered" if is_hidden else "confirmed", note)


def _is_there(attempt: Attempt, found: Comparison) -> bool:
    """Tell whether the API refused what is there already."""
    return attempt.is_perhaps_done and not found.missing and not found.otherwise


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def told(failure: SourceError | None) -> str:
    """Return the outcome of one request, as `push.deliveries` has it."""
    if failure is None:
        return ACCEPTED
    if isinstance(failure, UnknownOutcomeError):
        return UNKNOWN
    return "not taken" if isinstance(failure, NOT_DONE) else "refused"


def texts_in(value: object) -> Sequence[str]:
    """Return the texts in a JSON value: what no message may repeat."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return []
