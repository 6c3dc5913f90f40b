"""What a request for one of CRM.COM's lists asks for, read from its query once and remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .paging import BadQueryError, Window, window

if TYPE_CHECKING:
    from .rows import ApprovalRequest, Communication

_ORDERS = ("ASC", "DESC")
COMMUNICATIONS = {
    "order": _ORDERS,
    "sort": ("CREATED_DATE", "UPDATED_DATE", "NAME", "POSTED_DATE"),
    "channel": ("EMAIL", "SMS", "INAPP", "DEVICE"),
}
APPROVAL_REQUESTS = {
    "order": _ORDERS,
    "sort": ("CREATED_DATE", "UPDATED_DATE", "NAME", "SCHEDULED_DATE"),
    "state": ("PENDING", "APPROVED", "REJECTED"),
    "entity_types": ("ORDERS", "SERVICE_REQUESTS", "REWARD_OFFERS", "ORGANISATIONS"),
}
_CREATED = re.compile(r"created_on\[(.*)\]")
_OPERATORS = ("gt", "gte", "lt", "lte")
_MOST_BOUNDS = 2
_FAR = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One page of one list: which rows, in which order; no word means any."""

    page: Window
    is_oldest_first: bool
    channel: str | None
    is_viewed_only: bool
    is_archived_only: bool
    state: str | None
    entity_type: str | None
    # Seconds since 1970, both included.
    created_from: int
    created_to: int

    @property
    def is_by_value(self) -> bool:
        """Whether rows are chosen by more than when they were created."""
        words = self.channel or self.state or self.entity_type
        return bool(words) or self.is_viewed_only or self.is_archived_only

    def is_communication_wanted(self, row: Communication) -> bool:
        """Whether the row passes every filter but that by creation."""
        if self.channel not in (None, row.channel) or (self.is_viewed_only and not row.is_viewed):
            return False
        return bool(row.is_archived) or not self.is_archived_only

    def is_approval_request_wanted(self, row: ApprovalRequest) -> bool:
        """Whether the row passes every filter."""
        return self.state in (None, row.state) and self.entity_type in (None, row.entity_type)


@lru_cache(maxsize=4096)
def read_communications_query(query_string: bytes, *, filters_by_creation: bool) -> Asked:
    """Read the parameters of a list of communications; raises BadQueryError."""
    query = _checked(query_string, COMMUNICATIONS)
    return _asked(query, _created_bounds(query) if filters_by_creation else (-_FAR, _FAR))


@lru_cache(maxsize=256)
def read_approval_requests_query(query_string: bytes) -> Asked:
    """Read the parameters of a list of approval requests; raises BadQueryError."""
    return _asked(_checked(query_string, APPROVAL_REQUESTS), (-_FAR, _FAR))


def _checked(query_string: bytes, words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Parse a query, of a repeated name the last; a word outside its enumeration is a 404."""
    query = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    for name, allowed in words.items():
        if query.get(name, allowed[0]) not in allowed:
            raise BadQueryError(404, name, query[name])
    return query


def _asked(query: dict[str, str], created: tuple[int, int]) -> Asked:
    return Asked(
        page=window(query),
        is_oldest_first=query.get("order") == "ASC",
        channel=query.get("channel"),
        # Only TRUE filters by a flag; anything else asks for all.
        is_viewed_only=query.get("viewed", "").upper() == "TRUE",
        is_archived_only=query.get("archived", "").upper() == "TRUE",
        state=query.get("state"),
        entity_type=query.get("entity_types"),
        created_from=created[0],
        created_to=created[1],
    )


def _created_bounds(query: dict[str, str]) -> tuple[int, int]:
    """Read `created_on[gt|gte|lt|lte]=<epoch seconds>`, at most two of them."""
    first, last, found = -_FAR, _FAR, 0
    for name, text in query.items():
        matched = _CREATED.fullmatch(name)
        if matched is None:
            continue
        found += 1
        if found > _MOST_BOUNDS or matched[1] not in _OPERATORS or not _is_digits(text):
            raise BadQueryError(400, name, text)
        at = int(text)
        match matched[1]:
            case "gt":
                first = max(first, at + 1)
            case "gte":
                first = max(first, at)
            case "lt":
                last = min(last, at - 1)
            case "lte":
                last = min(last, at)
    return first, last


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
