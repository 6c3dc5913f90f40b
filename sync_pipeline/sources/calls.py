"""One request as a value, and the answer to it: no I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode

Guard = Callable[[], Awaitable[float]]
"""Awaited when a write is about to be sent; raises where it must not be.

Returns until when it may go out, by `deadline.ticks`: a process that is stopped in between must
not send when it goes on.
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API at one address, and the variable that a person corrects when it is wrong."""

    api: str
    base_url: str
    variable: str
    timeout_s: float
    max_in_flight: int
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must never be repeated, even when the API echoes it."""

    @property
    def whole_s(self) -> float:
        """How long an answer may take as a whole: one may trickle on within each read's time."""
        return 2 * self.timeout_s


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `template` is what errors and logs may show of its path."""

    method: Literal["GET", "POST", "PUT"]
    template: str
    ids: tuple[str, ...] = field(default=(), repr=False)
    """Fill the braces of the template, in order; foreign text, any characters."""
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, str] | None = field(default=None, repr=False)
    """Sent as JSON."""
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """Sent as a form, instead of `body`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    payload: bytes | None = field(default=None, repr=False)
    """JSON that is sent as it is, instead of `body`."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What this request carries and must never be repeated, beside those of the endpoint."""
    guard: Guard | None = field(default=None, repr=False)
    """Of a write, which is sent once only: when its outcome is not known, a reading has to tell."""

    def __post_init__(self) -> None:
        # An error shows the template only, and a brace in it tells that one record was asked for.
        if self.template.count("{") != len(self.ids):
            raise ValueError(f"{self.template} has not one place for each id")

    @property
    def kind(self) -> str:
        """What is the same for all calls of one endpoint."""
        return f"{self.method} {self.template}"

    @property
    def path(self) -> str:
        """The path with each id percent-encoded: as one segment, or one value of a query."""
        path = self.template
        for value in self.ids:
            before, _, rest = path.partition("{")
            path = before + path_segment(value) + rest.partition("}")[2]
        return path

    @property
    def target(self) -> str:
        """The path and the query."""
        if not self.query:
            return self.path
        return f"{self.path}{'&' if '?' in self.template else '?'}{urlencode(self.query)}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, whatever its status."""

    status: int
    body: bytes = field(repr=False)
    charset: str | None
    retry_after: str | None
    sent_at: datetime


def path_segment(value: str) -> str:
    """Percent-encode ``value`` so that it stays one path segment."""
    if value.strip(".") == "":
        # Clients and servers resolve `.` and `..`: that would be another path.
        return value.replace(".", "%2E")
    return quote(value, safe="", errors="surrogatepass")
