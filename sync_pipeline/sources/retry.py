"""Retry what may work later, bounded by count and by time, with backoff and jitter."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina
from stamina.instrumentation import RetryDetails

from sync_pipeline.errors import TransientSourceError

T = TypeVar("T")
logger = logging.getLogger(__name__)
LONGEST_DECIMAL = 9


@dataclass(frozen=True, slots=True)
class RetryBounds:
    """How often and how long one call is tried again; seconds."""

    attempts: int = 5
    timeout_s: float = 180
    """No further attempt begins after this time."""
    wait_initial_s: float = 0.5
    wait_max_s: float = 20
    wait_jitter_s: float = 1
    retry_after_max_s: float = 60
    """A longer `Retry-After` ends the retries at once."""


async def with_retries(
    bounds: RetryBounds, attempt: Callable[[], Awaitable[T]], *, on_retry: Callable[[], None]
) -> T:
    """Await ``attempt`` until it gives a value or something that waiting will not cure.

    Raises the last TransientSourceError when the bounds are reached.
    """
    began_at = time.monotonic()
    try:
        # Almost all end here: what retries need is set up for those that do not.
        return await attempt()
    except TransientSourceError as exc:
        failed = exc
    left_s = bounds.timeout_s - (time.monotonic() - began_at)
    if left_s <= 0:
        raise failed
    caller = stamina.retry_context(
        on=lambda exc: wait_before_next(exc, bounds),
        attempts=bounds.attempts,
        timeout=left_s,
        wait_initial=bounds.wait_initial_s,
        wait_max=bounds.wait_max_s,
        wait_jitter=bounds.wait_jitter_s,
    )
    async for turn in caller:
        with turn:
            if turn.num == 1:
                raise failed
            on_retry()
            return await attempt()
    raise AssertionError("the retries end with a value or an error")


def log_retry(details: RetryDetails) -> None:
    """Log one wait; the project's errors say nothing private."""
    logger.info("%s; trying again in %.1f s", details.caused_by, details.wait_for)


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """Return how many seconds a `Retry-After` header asks to wait (RFC 9110, 10.2.3).

    None for a header that is absent or neither a number of seconds nor an HTTP date.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:LONGEST_DECIMAL])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def wait_before_next(exc: Exception, bounds: RetryBounds) -> bool | float:
    """Return whether to try again after ``exc``: no, yes with backoff, or after so many seconds."""
    if not isinstance(exc, TransientSourceError):
        return False
    if not exc.retry_after_s:
        return True
    if exc.retry_after_s > bounds.retry_after_max_s:
        return False
    # All that were told the same wait would otherwise come back in the same instant.
    return exc.retry_after_s + random.uniform(0, bounds.wait_jitter_s)  # noqa: S311 -- no secret
